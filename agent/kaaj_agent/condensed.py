"""What is left of a conversation that outgrew the window: facts, gathered from the session's own record.

Nothing here is a summary of a model's: the requests, the decisions, the list, the staged edits and the failing output
stand word for word, as far as there is room, and each cut is told.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kaaj_agent import events as ev
from kaaj_agent.changes import Applied, ChangeSet, FileChange, Undone
from kaaj_agent.cutting import clip
from kaaj_agent.hunks import unified
from kaaj_agent.prompt import check_failed, todo_text
from kaaj_agent.tools.registry import TOOLS
from kaaj_agent.world import Folders

if TYPE_CHECKING:
    from kaaj_agent.ports import Message
    from kaaj_agent.session import Session
    from kaaj_agent.work import Work

HEADER: Final = (
    "[The conversation was condensed, because it outgrew your context. What counts of it stands here; "
    "what was read before is no longer in view and can be read again.]"
)
GO_ON: Final = "[Go on from here.]"
REQUEST_MAX: Final = 4_000
"""Characters of an earlier request."""
_REFUSAL: Final = re.compile(r"\[The user refused these hunks.*?^\]", re.DOTALL | re.MULTILINE)


async def state(work: Work, gone: Sequence[Message], findings: str, room: int, tail: Sequence[Message]) -> str:
    """The user's turn that the new prefix begins with, of at most about `room` characters.

    `gone` are the messages that it stands for, `tail` those that are kept behind it.
    """
    diff = await asyncio.to_thread(staged, work.staging.files, work.staging.folders, room // 4)
    outputs = await asyncio.to_thread(work.session.outputs.titles)
    earlier = [task.prompt.strip() for task in work.session.tasks.values() if task.id != work.task]
    rules = work.rules if work.rules and work.rules not in work.opening else ""
    parts = [
        HEADER,
        _section("Earlier requests of the user, in order", _numbered(earlier, room // 6)),
        _section("What the user decided", _bullets([*decisions(work.session), *refusals(gone)], room // 6)),
        clip(rules, room // 8),
        _section("The request that you are working on", _request(work, room)),
        _section("What you noted", clip(findings, room // 6)),
        _section("Looked at before", _bullets(looked(gone), room // 16)),
        _section("Outputs that are kept: `read` them as", _bullets(outputs, room // 16)),
        _section("The to-do list", todo_text(work.todo) if work.todo.items else ""),
        _section("Staged so far", diff),
        clip(failing(work, gone, tail), room // 5),
        "" if tail else GO_ON,
    ]
    return "\n\n".join(part for part in parts if part)


def _request(work: Work, room: int) -> str:
    """The turn that began the task; where it is cut, because of what was handed along, the person's words are not."""
    if len(work.opening) <= room // 3:
        return work.opening
    opening, words = clip(work.opening, room // 5), work.request.prompt.strip()
    return opening if words in opening else f"{opening}\n\nThe user's words in it:\n{clip(words, room // 3)}"


def decisions(session: Session) -> list[str]:
    """What the person answered, took and took back, in order."""
    told: list[str] = []
    asked: dict[str, str] = {}
    for event in session.events:
        match event.body:
            case ev.ApprovalAsked(question=question):
                asked[question.id] = question.title
            case ev.ApprovalAnswered(question=name, answer=str(answer)) if name in asked:
                told.append(f"Asked “{asked[name]}”, the user answered “{answer}”.")
            case ev.ChangeChanged(change=change) if isinstance(change.state, Applied):
                told.append(f"Applied: {_named(change, session)}")
            case ev.ChangeChanged(change=change) if isinstance(change.state, Undone):
                told.append(f"Applied and then taken back by the user: {_named(change, session)}")
            case _:
                pass
    removed = dict.fromkeys(item.title for task in session.tasks.values() for item in task.removed)
    told += [f"Taken off the to-do list by the user: {title}" for title in removed]
    return told


def refusals(messages: Sequence[Message]) -> list[str]:
    """What the model heard of hunks that were refused, word for word."""
    found = (_REFUSAL.findall(message.content) for message in messages if message.role == "user")
    return list(dict.fromkeys(text for texts in found for text in texts))


def looked(messages: Sequence[Message]) -> list[str]:
    """What the calls that are not in view any more looked at or ran, each once, the newest last."""
    results = {message.call_id: message.content for message in messages if message.role == "tool"}
    found: dict[str, None] = {}
    for message in messages:
        for call in message.calls:
            tool = TOOLS.get(call.name)
            if tool is None or call.error or not (tool.reads or call.name == "run"):
                continue
            title = tool.title(call.arguments)
            if call.name == "run":
                title += f": {results.get(call.id, '').partition(chr(10))[0]}"
            elif call.name == "read" and call.arguments.get("end"):
                title += f"-{call.arguments['end']}"
            found.pop(title, None)
            found[title] = None
    return list(found)


def staged(files: Sequence[FileChange], folders: Folders, room: int) -> str:
    """The edits that are staged, as a diff; where there is no room, the places alone."""
    rows: list[str] = []
    for file in files:
        name = folders.name_of(file.path)
        if file.after is None or file.new_path is not None:
            to = folders.name_of(file.new_path) if file.new_path else "deleted"
            rows.append(f"{name} -> {to}")
            continue
        diff = unified(name, file.before.text if file.before else "", file.hunks, context=1)
        if len(diff) > room:
            places = ", ".join(str(hunk.line) for hunk in file.hunks)
            diff = f"{name}: {len(file.hunks)} places from line {places} (read it to see them)"
        room -= len(diff)
        rows.append(diff.rstrip())
    return "\n".join(rows)


def failing(work: Work, gone: Sequence[Message], tail: Sequence[Message]) -> str:
    """What fails just now, word for word, unless it stands in the messages that are kept."""
    if work.last_check is not None and not work.last_check[1].ok:
        check = work.last_check[1]
        output = check.output.strip()
        return "" if any(output in message.content for message in tail) else check_failed(check.command, output)
    runs = [message for message in (*gone, *tail) if message.role == "tool" and message.name == "run"]
    if runs and runs[-1] in gone and not runs[-1].content.startswith("exit code 0 "):
        return f"The last command failed:\n{runs[-1].content}"
    return ""


def _named(change: ChangeSet, session: Session) -> str:
    folders = Folders(session.roots)
    files = ", ".join(folders.name_of(file.target) for file in change.files)
    first = change.summary.strip().partition("\n")[0]
    return f"{first[:200]} ({files})" if first else files


def _section(title: str, text: str) -> str:
    return f"{title}:\n{text}" if text else ""


def _numbered(texts: Sequence[str], room: int) -> str:
    """The first request and the newest ones are kept, where not all of them fit."""
    rows = [f"{at}. {clip(text, REQUEST_MAX)}" for at, text in enumerate(texts, 1)]
    return "\n".join(_within(rows, room, keep_first=True))


def _bullets(texts: Sequence[str], room: int) -> str:
    return "\n".join(_within([f"- {text}" for text in texts], room))


def _within(rows: list[str], room: int, *, keep_first: bool = False) -> list[str]:
    """The newest rows that fit, in order; what is left out is told."""
    first = [clip(rows[0], room)] if rows and keep_first else []
    rest = rows[len(first) :]
    room -= sum(map(len, first))
    kept: list[str] = []
    for row in reversed(rest):
        room -= len(row) + 1
        if room < 0 and kept:
            break
        kept.append(clip(row, max(room + len(row), 200)) if room < 0 else row)
    left = len(rest) - len(kept)
    told = [f"[{left} more left out here]"] if left else []
    return [*first, *told, *reversed(kept)]
