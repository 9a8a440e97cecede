"""What the last process left unfinished: looked at when the next one starts, and told to the person.

A change that was just being applied is judged by the files themselves: all of it stands there, nothing, or a part.
Nothing is written here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kaaj_agent import events as ev
from kaaj_agent import history as kept_changes
from kaaj_agent import journal
from kaaj_agent.changes import Applied, ChangeSet, FileChange, Proposed
from kaaj_agent.failures import FileError
from kaaj_agent.history import History, Kept
from kaaj_agent.reviews import Reviews
from kaaj_agent.session import Session
from kaaj_agent.world import Folders, Snapshot

_log = logging.getLogger(__name__)

PATIENCE: Final = 1.0
"""Seconds in which an editor tells a new server of its buffers, if a change was cut off and does not stand there."""

_LOOK: Final = 0.1
"""Seconds between two looks at what an editor tells of its buffers."""


@dataclass(frozen=True, slots=True)
class Found:
    """A change that was being applied when Kaaj was stopped. `entry` says in its stage what became of it; None where
    nothing did. `text` is for the person.
    """

    kept: Kept
    entry: Kept | None
    text: str


async def look_back(
    history: History,
    snapshot: Callable[[], Snapshot],
    *,
    told: Sequence[str] = (),
    half: Sequence[str] = (),
    patience: float = 0.0,
) -> list[Found]:
    """Settle what was begun in these folders by processes that are no more.

    `patience` is how many seconds an editor gets to tell of its unsaved buffers. Of the changes in `told` nothing is
    said again; those in `half` are left until they are taken back. What the disk does not let be settled is left to
    the next start.
    """
    folders = snapshot().folders
    found: list[Found] = []
    for kept in await asyncio.to_thread(history.entries, folders.roots):
        if kept.stage != "begun" or kept.change in half:
            continue
        entry = await asyncio.to_thread(history.claim, kept)
        if entry is None:
            continue
        arrived = await _arrived(kept, snapshot, patience)
        try:
            if arrived is None:
                await asyncio.to_thread(entry.end, None)
                after = None
            else:
                whole = len(arrived) == len(kept.after)
                await asyncio.to_thread(entry.end, "applied" if whole else "part")
                after = kept_changes.read(entry.file)
        except OSError as error:
            _log.warning("%s: %s", kept.file, error)
            continue
        text = "" if kept.change in told else _told(kept, arrived, folders, entry.file)
        found.append(Found(kept, after, text))
    return found


async def _arrived(kept: Kept, snapshot: Callable[[], Snapshot], patience: float) -> list[Path] | None:
    """The paths that hold the new text; None where every path holds the old one."""
    left = patience
    while True:
        now = snapshot()
        new = [path for path, digest in kept.after.items() if await _holds(now, path, digest)]
        if len(new) == len(kept.after) or left <= 0:
            break
        await asyncio.sleep(_LOOK)
        left -= _LOOK
    if not new and await now.holds(kept.before):
        return None
    return new


async def _holds(now: Snapshot, path: Path, digest: str | None) -> bool:
    try:
        return await now.holds({path: digest})
    except FileError:
        return False


def _told(kept: Kept, arrived: list[Path] | None, folders: Folders, file: Path) -> str:
    what = "an undo" if kept.undoes else "a change"
    names = ", ".join(map(folders.name_of, kept.after))
    if arrived is None:
        return f"Kaaj was stopped when {what} was about to be applied; nothing of it was: {names} as before."
    if len(arrived) == len(kept.after):
        return f"Kaaj was stopped while {what} was being applied; all of it is in your files: {names}."
    done = ", ".join(map(folders.name_of, arrived)) or "none"
    rest = ", ".join(folders.name_of(path) for path in kept.after if path not in arrived)
    return (
        f"Kaaj was stopped while {what} was being applied, and only a part of it is in your files. "
        f"With the new text: {done}. Without it: {rest}. What all of them held before is in {file}."
    )


async def recover_all(state_dir: Path, folders: Folders) -> list[str]:
    """For the command line, which writes by itself: take back what was half written, then say what became of all
    that had begun. Raises ApplyError, OSError.
    """
    taken_back = await asyncio.to_thread(journal.recovered, state_dir)
    found = await look_back(
        History(state_dir / "history"), lambda: Snapshot(folders, {}), told=[one.change for one in taken_back]
    )
    return [str(one) for one in taken_back] + [one.text for one in found if one.text]


# --- sessions ---------------------------------------------------------------------------------------------------------


async def reconcile(reviews: Reviews, history: History, sessions: Mapping[str, Session]) -> list[str]:
    """Settle what was begun, and bring the sessions' logs up to what is in the files. Returns what no session could
    be told, for the person.
    """
    half = await asyncio.to_thread(journal.pending, history.folder.parent)
    found = await look_back(history, reviews.world.snapshot, half=[one.change for one in half], patience=PATIENCE)
    untold = [_half(one, reviews.world.folders) for one in half]
    for one in found:
        session = sessions.get(one.kept.session)
        if session is None or one.kept.task not in session.tasks:
            untold.append(one.text)
        else:
            session.emit(ev.Noticed(one.kept.task, "warning", one.text))
    for kept in await asyncio.to_thread(history.entries, reviews.world.folders.roots):
        session = sessions.get(kept.session)
        if session is not None and kept.task in session.tasks and kept.stage in ("applied", "part"):
            await _bring_up(reviews, session, kept)
    return [text for text in untold if text]


def _half(one: journal.Recovered, folders: Folders) -> str:
    """Under an editor nothing is written by us, not even to put it right."""
    if not any(folders.root_of(path) for path in one.paths):
        return ""
    names = ", ".join(map(folders.name_of, one.paths))
    return (
        f"kaaj run was stopped while it wrote {names}. Run `kaaj undo --list` in a terminal: it takes that back first."
    )


async def _bring_up(reviews: Reviews, session: Session, kept: Kept) -> None:
    """One session with one entry: an event of it may be missing in the log, or two."""
    change = session.changes.get(kept.change)
    if kept.undoes == kept.change:
        if change is not None and isinstance(change.state, Applied) and kept.stage == "applied":
            gone = [file for file in change.files if {file.path, file.target} & kept.after.keys()]
            if gone and await reviews.world.snapshot().holds(kept.after):
                reviews.taken_back(session, change, gone)
        return
    if change is None or not isinstance(change.state, Proposed):
        return
    try:
        written = await asyncio.to_thread(kept_changes.load, kept)
    except (OSError, ValueError) as error:
        _log.warning("%s: %s", kept.file, error)
        return
    now = reviews.world.snapshot()
    files = [file for file in written.files if kept.stage == "applied" or await _stands(file, written, now)]
    if files:
        await reviews.found_applied(session, change, replace(written, files=tuple(files)))


async def _stands(file: FileChange, change: ChangeSet, now: Snapshot) -> bool:
    try:
        return await now.holds({path: change.after[path] for path in {file.path, file.target}})
    except FileError:
        return False
