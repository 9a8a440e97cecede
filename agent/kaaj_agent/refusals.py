"""What the person refused or took back, hunk by hunk, so that it is not proposed to them again unasked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent.changes import Applied, ChangeSet, Proposed, Rejected, Undone
from kaaj_agent.prompt import UNDONE
from kaaj_agent.world import Folders

SUPERSEDED: Final = "superseded by a newer proposal"
"""The reason of a proposal that a later one took the place of: nobody refused it."""

_TAKEN_BACK: Final = "applied, then taken back"


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
            gone, reason = {hunk.id for hunk in before.hunks}, _TAKEN_BACK
        case Applied() if isinstance(before.state, Applied):
            gone, reason = {hunk.id for hunk in before.hunks} - {hunk.id for hunk in now.hunks}, _TAKEN_BACK
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


def taken_back_text(before: ChangeSet, now: ChangeSet, folders: Folders) -> str:
    """What the model hears where an applied change was taken back, or some files of it; empty where none was."""
    if isinstance(now.state, Undone):
        return UNDONE
    left = {file.target for file in now.files}
    gone = [folders.name_of(file.target) for file in before.files if file.target not in left]
    if not (gone and isinstance(before.state, Applied) and isinstance(now.state, Applied)):
        return ""
    return f"[The user took back what your last applied change did to {', '.join(gone)}; the rest of it stands.]"
