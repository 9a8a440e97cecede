"""Files that change outside of the editor: one watcher for the workspace folders as they are now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from kaaj_agent.ignore import Ignore
from kaaj_agent.watch import Watcher
from kaaj_agent.world import World


@dataclass(slots=True)
class Outside:
    """Tells the world of each path that changes on disk. `notice` says where that is not possible."""

    world: World
    notice: Callable[[str], None]
    _watcher: Watcher | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def watch(self) -> None:
        """Watch the folders as they are now, and no others."""
        async with self._turn:
            await self._end()
            if self.world.folders.roots:
                self._watcher = Watcher(self.world, Ignore(self.world.folders), self.notice)
                await self._watcher.start()

    async def close(self) -> None:
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            await watcher.close()
