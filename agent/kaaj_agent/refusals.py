"""What the person refused or took back, hunk by hunk, so that it is not proposed to them again unasked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent.changes import ChangeSet, Proposed, Rejected, Undone

SUPERSEDED: Final = "superseded by a newer proposal"
"""The reason of a proposal that a later one took the place of: nobody refused it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    path: Path
    old: str
    new: str
    reason: str = ""


def refusals_between(before: ChangeSet | None, now: ChangeSet) -> tuple[Refusal, ...]:
    """The hunks that were refused, or taken back, between two states of a change."""
    if before is None:
        return ()
    match now.state:
        case Undone():
            gone, reason = {hunk.id for hunk in before.hunks}, "applied, then taken back"
        case Rejected(reason) if isinstance(before.state, Proposed) and reason != SUPERSEDED:
            gone = {hunk.id for hunk in before.hunks}
        case Proposed() if isinstance(before.state, Proposed):
            gone, reason = {hunk.id for hunk in before.hunks} - {hunk.id for hunk in now.hunks}, ""
        case _:
            return ()
    return tuple(
        Refusal(file.target, hunk.old, hunk.new, reason)
        for file in before.files
        for hunk in file.hunks
        if hunk.id in gone
    )
