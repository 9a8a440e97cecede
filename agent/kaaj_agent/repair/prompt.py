"""The prompt of surprise-guided repair: the code first, so that its evaluation is reused, the question last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kaaj_agent.ports import Message

if TYPE_CHECKING:
    from kaaj_agent.repair.unit import Source, Unit

EXCERPT_CHARACTERS: Final = 5_000
"""Shown of a file around the region; the part before the region is evaluated twice, at some 90 tokens a second."""

_FAILURE_CHARACTERS: Final = 1_200


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines that are shown, from 1, both included."""

    first: int
    last: int


def excerpt(source: Source, unit: Unit, limit: int = EXCERPT_CHARACTERS) -> Excerpt:
    """The region with as much around it as fits, two lines before it for one after; the region always whole."""
    last = min(len(source.lines), unit.last)
    first = max(1, min(unit.first, last))
    room = limit - len(source.shown(first, last))
    turn = 0
    while room > 0 and (first > 1 or last < len(source.lines)):
        before = last >= len(source.lines) or (first > 1 and turn % 3 < 2)
        turn += 1
        line = first - 1 if before else last + 1
        room -= len(source.lines[line - 1]) + 1
        if room < 0:
            break
        first, last = (line, last) if before else (first, line)
    return Excerpt(first, last)


def messages(source: Source, unit: Unit, shown: Excerpt) -> list[Message]:
    name = unit.language.capitalize() or "software"
    whole = shown.first == 1 and shown.last >= len(source.lines)
    what = "file" if whole else "code"
    parts = [f"```{unit.language}\n{source.shown(shown.first, shown.last)}```"]
    if unit.purpose.strip():
        parts.append(unit.purpose.strip())
    if unit.failure.strip():
        parts.append("It is wrong:\n" + _tail(unit.failure.strip()))
    parts.append(f"Write the whole corrected {what} in one ```{unit.language} code block and nothing else.")
    return [
        Message("system", f"You are an expert {name} programmer who fixes bugs."),
        Message("user", "\n\n".join(parts)),
    ]


def opening(unit: Unit) -> str:
    return f"```{unit.language}\n"


def _tail(text: str) -> str:
    """Test runners say what counts last."""
    return text if len(text) <= _FAILURE_CHARACTERS else "...\n" + text[-_FAILURE_CHARACTERS:]
