"""What the last process left unfinished: looked at when the next one starts, and told to the person.

A change that was just being applied is judged by the files themselves: all of it stands there, nothing, or a part.
Nothing is written here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent import history as kept_changes
from kaaj_agent import journal
from kaaj_agent.failures import FileError
from kaaj_agent.history import History, Kept
from kaaj_agent.world import Folders, Snapshot

_log = logging.getLogger(__name__)

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
    history: History, snapshot: Callable[[], Snapshot], *, told: Sequence[str] = (), patience: float = 0.0
) -> list[Found]:
    """Settle what was begun in these folders by processes that are no more.

    `patience` is how many seconds an editor gets to tell of its unsaved buffers. Of the changes in `told` nothing is
    said again. What the disk does not let be settled is left to the next start.
    """
    folders = snapshot().folders
    found: list[Found] = []
    for kept in await asyncio.to_thread(history.entries, folders.roots):
        if kept.stage != "begun":
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
