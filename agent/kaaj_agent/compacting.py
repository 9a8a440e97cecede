"""Compaction: a prompt that outgrows the window begins anew, from structure.

The system text stays. Behind it stands one user's turn of facts (`condensed`), with what the model noted down when it
was asked to; then the newest messages as they were. The log keeps everything; a restored session goes on from the
newest prefix.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kaaj_agent import condensed
from kaaj_agent.cutting import clip
from kaaj_agent.failures import ContextTooLongError, KaajError, ModelError
from kaaj_agent.ports import Message, NewPrefix, Request, ToolSpec

if TYPE_CHECKING:
    from kaaj_agent.work import Work

_log = logging.getLogger(__name__)

CHARACTERS_A_TOKEN: Final = 3.2
"""Of code and JSON in Qwen's tokenizer; used for what no server has counted yet."""
STATE_SHARE: Final = 0.3
"""Of the window: how much the facts may take, and the newest messages behind them."""
TAIL_SHARE: Final = 0.2
WORTH: Final = 0.15
"""Share of the window that a compaction must win; else it is not worth the cache that it costs."""
NOTES_MAX: Final = 1_024
"""Tokens of the model's own notes."""
NOTES_ENOUGH: Final = 200
"""Characters of notes that are taken although a call, which nobody executes, follows them."""

NOTE_DOWN: Final = (
    "[Your context is nearly full, so the conversation will be condensed now. Call no tool. Write down, in at most "
    "300 words, what you need in order to go on: what you found out (files, lines, names, causes), what you tried "
    "that did not work, what the user told you, what comes next. The requests, the to-do list, your staged edits "
    "and the failing output are kept anyway; do not repeat them.]"
)


def due(work: Work, tools: Sequence[ToolSpec]) -> bool:
    """Whether the next prompt would leave too little of the window."""
    return tokens(work, tools) > threshold(work)


def threshold(work: Work) -> int:
    """Tokens of a prompt beyond which it is condensed: a share of the real window, with room for the reply."""
    window = work.asking.window
    share = int(window * work.limits.settings.compact_at)
    return max(min(share, window - work.asking.reply_room - 64), window // 3)


def tokens(work: Work, tools: Sequence[ToolSpec]) -> int:
    """Tokens of the session's prompt: what a server has counted of it, and an estimate of the rest."""
    counted, known = work.session.measured
    size = _size(work.session.messages[counted:])
    if not counted:
        size += sum(len(tool.description) + len(json.dumps(dict(tool.parameters))) + 60 for tool in tools)
    return known + int(size / CHARACTERS_A_TOKEN)


async def compact(work: Work, tools: Sequence[ToolSpec], *, too_long: ContextTooLongError | None = None) -> bool:
    """Begin a new prefix; whether that was possible and worth it. Raises LimitReachedError.

    `too_long`: the endpoint refused the prompt as it stands, so the window is smaller than it was taken to be.
    """
    before = tokens(work, tools)
    if too_long is not None:
        work.asking.shrink(too_long.window or int(before * 0.9))
    messages = list(work.session.messages)
    window = int(work.asking.window * CHARACTERS_A_TOKEN)
    at, tail = _tail(messages, _opened(messages, work.opening), int(window * TAIL_SHARE))
    gone = messages[1:at]
    if not any(message.role == "assistant" for message in gone):
        return _clipped(work, [*messages[:at], *tail])
    if _size(gone) - min(len(work.opening), window // 3) < window * WORTH:
        return False
    with work.activity("compact", "Condense the conversation") as activity:
        noted = await _notes(work, tools, messages, cut=too_long is not None)
        findings = noted or "\n".join(part for part in (work.session.findings, outline(gone)) if part)
        text = await condensed.state(work, gone, findings, int(window * STATE_SHARE), tail)
        work.session.restart(NewPrefix((messages[0], Message("user", text), *tail), findings))
        after = tokens(work, tools)
        activity.summary = f"{before:,} to {after:,} tokens"
    own = "" if noted else " The model's own notes could not be had; an outline stands in for them."
    work.notice(
        f"The conversation outgrew the model's window and was condensed: {before:,} to {after:,} tokens. Your "
        f"requests, decisions, the to-do list and the changes are kept as they are.{own}"
    )
    return True


def _clipped(work: Work, messages: list[Message]) -> bool:
    """Nothing is old enough to be condensed: the newest results alone were cut, if they had to be."""
    if messages == work.session.messages:
        return False
    work.session.restart(NewPrefix(tuple(messages), work.session.findings))
    work.notice("What the model has just read does not fit into its window; it sees the beginnings and the ends.")
    return True


def outline(messages: Sequence[Message]) -> str:
    """What the model said, a line each: what can be told without asking it."""
    rows: list[str] = []
    for message in messages:
        if message.role == "assistant" and (text := " ".join(message.content.split())):
            rows.append(f"- {text[:240]}")
    return clip("\n".join(rows), 4_000)


async def _notes(work: Work, tools: Sequence[ToolSpec], messages: list[Message], *, cut: bool) -> str:
    """The model's notes; empty where it gave none that are whole. Raises LimitReachedError."""
    if cut:
        shortened = _shortened(messages, int(work.asking.window * CHARACTERS_A_TOKEN * 0.6))
        if shortened is None:
            return ""
        messages = shortened
    last = messages[-1]
    if last.role == "user":
        asked = [*messages[:-1], replace(last, content=f"{last.content}\n\n{NOTE_DOWN}")]
    else:
        asked = [*messages, Message("user", NOTE_DOWN)]
    room = max(min(NOTES_MAX, work.asking.window // 8), 128)
    try:
        reply = await work.asking.stream(Request(asked, tools, max_tokens=room), remember=False, show=False)
    except (ModelError, KaajError) as error:
        _log.info("condensing without the model's notes: %s", error)
        return ""
    text = reply.text.strip()
    return "" if reply.finish == "length" or (reply.calls and len(text) < NOTES_ENOUGH) else text


def _shortened(messages: Sequence[Message], room: int) -> list[Message] | None:
    """The messages with the oldest results left out, until they fit; None where even that is not enough."""
    made = list(messages)
    size = _size(made)
    for at, message in enumerate(made):
        if size <= room:
            break
        if message.role == "tool" and len(message.content) > 40:
            made[at] = replace(message, content="[left out]")
            size += _size([made[at]]) - _size([message])
    return made if size <= room else None


def _opened(messages: Sequence[Message], opening: str) -> int:
    """Where the turn stands that began the task; the first user's turn where a compaction took it in."""
    for at in range(len(messages) - 1, 0, -1):
        if messages[at].role == "user" and opening and messages[at].content.startswith(opening):
            return at
    return 1


def _tail(messages: Sequence[Message], opened: int, room: int) -> tuple[int, tuple[Message, ...]]:
    """From where on messages are kept as they are, and these: whole turns of the assistant's, the newest that fit.

    The newest results have not been read by anyone yet, so at least the last turn of the task is kept, cut if need be.
    """
    starts = [at for at in range(opened + 1, len(messages)) if messages[at].role == "assistant"]
    if not starts:
        return len(messages), ()
    fitting = [at for at in starts if _size(messages[at:]) <= room]
    if fitting:
        return fitting[0], tuple(messages[fitting[0] :])
    at = starts[-1]
    told = [message for message in messages[at:] if message.role != "assistant"]
    each = max(room // max(len(told), 1), 400)
    return at, tuple(
        message if message.role == "assistant" else replace(message, content=clip(message.content, each))
        for message in messages[at:]
    )


def _size(messages: Sequence[Message]) -> int:
    """Characters of messages as they go over the wire, about."""
    return sum(
        len(message.content)
        + 24
        + sum(len(call.name) + len(json.dumps(dict(call.arguments), default=str)) + 40 for call in message.calls)
        for message in messages
    )
