"""What is found in a command, and what a simple command in it reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from kaaj_agent.command_policy.words import Word


@dataclass(slots=True)
class Findings:
    """What was found, as sentences: what is never done, what could not be told, and what is worth knowing."""

    refusals: list[str] = field(default_factory=list[str])
    doubts: list[str] = field(default_factory=list[str])
    remarks: list[str] = field(default_factory=list[str])
    programs: list[str] = field(default_factory=list[str])
    network: list[str] = field(default_factory=list[str])
    scripts: int = 0

    def refuse(self, sentence: str) -> None:
        once(self.refusals, sentence)

    def doubt(self, sentence: str) -> None:
        once(self.doubts, sentence)

    def remark(self, sentence: str) -> None:
        once(self.remarks, sentence)


def once(rows: list[str], row: str) -> None:
    if row not in rows:
        rows.append(row)


@dataclass(frozen=True, slots=True)
class Input:
    """What a simple command reads: `texts` are here-documents and here-strings, `fed` that something writes to it.

    `more` are words of it that stand behind a redirection; `added`: words that are not known come behind its own.
    """

    texts: tuple[Word, ...] = ()
    fed: bool = False
    more: tuple[Word, ...] = ()
    added: bool = False


NOTHING: Final = Input()
