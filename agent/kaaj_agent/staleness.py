"""Tells at once when a text moves away from under a proposal, so that nobody decides on what can't be applied."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kaaj_agent import events as ev
from kaaj_agent.changes import ChangeSet
from kaaj_agent.failures import FileError
from kaaj_agent.session import Session
from kaaj_agent.staging import Staging
from kaaj_agent.world import World

PAUSE: Final = 0.3
"""Seconds of quiet after a keystroke before the proposals are looked at."""


@dataclass(slots=True)
class Staleness:
    """Looks at the proposals that touch a changed path. The proposal stays: taking the edit back makes it fit again.

    `proposals` gives each session with its waiting changes that touch a path.
    """

    world: World
    proposals: Callable[[Path], Iterable[tuple[Session, ChangeSet]]]
    _touched: set[Path] = field(default_factory=set[Path])
    _told: set[str] = field(default_factory=set[str])
    _timer: asyncio.TimerHandle | None = None
    _look: asyncio.Task[None] | None = None

    def touched(self, path: Path) -> None:
        """On the event loop; cheap where no proposal touches the path."""
        if not any(True for _ in self.proposals(path)):
            return
        self._touched.add(path)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(PAUSE, self._start)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._look is not None:
            self._look.cancel()

    def _start(self) -> None:
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._look_at_all())

    async def _look_at_all(self) -> None:
        while self._touched:
            for session, change in self.proposals(self._touched.pop()):
                await self._look_at(session, change)

    async def _look_at(self, session: Session, change: ChangeSet) -> None:
        now = self.world.snapshot()
        staging = Staging(now)
        staging.load(change.files)
        try:
            stale = () if await now.holds(change.after) else await staging.rebase(now)
        except FileError:
            stale = tuple(file.path for file in change.files)
        if session.changes[change.id].state != change.state:
            return
        if not stale:
            if change.id in self._told:
                self._told.discard(change.id)
                session.emit(ev.Noticed(change.task, "info", "The proposed change fits again."))
            return
        if change.id not in self._told:
            self._told.add(change.id)
            names = ", ".join(self.world.folders.name_of(path) for path in stale)
            text = f"{names} changed where the proposed change edits it; it will not be applied over that."
            session.emit(ev.Noticed(change.task, "warning", text))
