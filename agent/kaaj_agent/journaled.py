"""An applier that keeps what stood there before: on disk before anything is applied, by the client or by us."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from kaaj_agent.changes import ChangeSet
from kaaj_agent.failures import FileError, KaajError
from kaaj_agent.finishing import finish
from kaaj_agent.history import Entry, History
from kaaj_agent.ports import Applier, Written
from kaaj_agent.world import World

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Journaled:
    """The port `Applier` over another one.

    `session_of` gives the session of a task. `tell(task, text)` is for the person: a disk that keeps nothing does not
    stop the work, since the session holds the old texts in memory, but it is said.
    """

    applier: Applier
    history: History
    world: World
    session_of: Callable[[str], str]
    tell: Callable[[str, str], None]

    async def apply(self, change: ChangeSet) -> Written:
        """Raises as the applier below does. Where it fails after a part came through, what was there is kept on."""
        entry = await self._begin(change)
        try:
            written = await self.applier.apply(change)
        except asyncio.CancelledError:
            if entry is not None:  # Kaaj is ending: what becomes of it is seen at the next start
                await finish(asyncio.to_thread(entry.leave))
            raise
        except KaajError:
            if entry is not None:
                await finish(self._failed(entry, change))
            raise
        if entry is not None:
            await finish(asyncio.to_thread(_end, entry))
        return written

    async def _begin(self, change: ChangeSet) -> Entry | None:
        session = self.session_of(change.task)
        try:
            return await finish(asyncio.to_thread(self.history.begin, change, session, self.world.folders.roots))
        except OSError as error:
            _log.warning("keeping what %s is about to change: %s", change.id, error)
            self.tell(
                change.task,
                f"What the files hold now could not be saved ({error.strerror or error}). "
                "The change can be undone only until Kaaj ends.",
            )
            return None

    async def _failed(self, entry: Entry, change: ChangeSet) -> None:
        """Nothing of it, or a part of it, or all of it after all: the next start looks again at what is in between."""
        try:
            untouched = await self.world.snapshot().holds(change.before)
        except FileError:
            untouched = False
        try:
            await asyncio.to_thread(entry.end, None if untouched else "part")
        except OSError as error:
            _log.warning("%s: %s", entry.file, error)


def _end(entry: Entry) -> None:
    try:
        entry.end("applied")
    except OSError as error:
        _log.warning("%s: %s", entry.file, error)  # the next start looks at the files themselves
