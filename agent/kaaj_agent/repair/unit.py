"""What is repaired, what is proposed for it, and what a judge says. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kaaj_agent.document import split_lines


def _anything(_text: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Unit:
    """A region under suspicion. Lines count from 1; `first` and `last` are both part of the region.

    `language` is the word after a fence. `purpose` is what the code should do, `failure` what went wrong, in the
    checker's words; both may be empty. `parses` says whether a whole new text of the file is worth judging.
    """

    path: Path
    language: str
    text: str
    first: int
    last: int
    purpose: str = ""
    failure: str = ""
    parses: Callable[[str], bool] = field(default=_anything, compare=False)
    passive: frozenset[int] = frozenset()
    """Lines of the region that no repair needs to touch (documentation, what the failing test does not reach)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible repair: the whole new text of the file.

    `line` is where it differs first, from 1. `logprob` is the natural log-probability that the model gave to the
    token where the new text departs from the old; for a mutation the model passed over, an estimate below that.
    """

    path: Path
    text: str
    line: int
    logprob: float
    description: str
    changed: int
    """Characters that are taken out or put in."""

    others: tuple[tuple[Path, str], ...] = ()
    """Other files that are changed as well (a second round), each with its whole new text."""

    steps: int = 1
    """Changes that it is made of, each of one place."""

    written: bool = field(default=False, compare=False)
    """Whether the model had to write for it, which takes time; else it could be had at once."""

    @property
    def files(self) -> dict[Path, str]:
        """Every file that this repair changes, with its whole new text."""
        return {**dict(self.others), self.path: self.text}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge found. `score` grows with progress (say, tests that pass); only its order counts."""

    passed: bool
    score: float = 0.0
    output: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """A candidate that passed. `rank` sorts rivals: the lower the better."""

    candidate: Candidate
    verdict: Verdict
    rank: float


@dataclass(frozen=True, slots=True)
class Source:
    """A text as the model sees it: lines without their ends, which stay as they were in the file."""

    lines: tuple[str, ...]
    ends: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Source:
        whole = split_lines(text)
        bodies = [line.rstrip("\r\n") for line in whole]
        return cls(tuple(bodies), tuple(line[len(body) :] for line, body in zip(whole, bodies, strict=True)))

    def shown(self, first: int, last: int) -> str:
        """Lines `first` to `last` (from 1, both included), each ended by `\\n`."""
        return "".join(f"{line}\n" for line in self.lines[first - 1 : last])

    def replaced(self, line: int, new: str) -> str:
        return self._join(line - 1, line, new)

    def inserted(self, line: int, new: str) -> str:
        """`new` as a line before `line`."""
        return self._join(line - 1, line - 1, new)

    def deleted(self, line: int) -> str:
        return self._join(line - 1, line, None)

    def _join(self, start: int, end: int, new: str | None) -> str:
        before = [a + b for a, b in zip(self.lines[:start], self.ends[:start], strict=True)]
        after = [a + b for a, b in zip(self.lines[end:], self.ends[end:], strict=True)]
        if new is None:
            return "".join([*before, *after])
        style = self.ends[start] if end > start else (self.ends[start] or _NEWLINE if self.ends else _NEWLINE)
        return "".join([*before, new + style, *after])


_NEWLINE: Final = "\n"
