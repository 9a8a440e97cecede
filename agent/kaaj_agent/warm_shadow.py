"""One shadow workspace that outlives its task, so that the next one need not lay out everything anew.

What commands left in it is taken away first: whatever was not laid down, or does not look exactly as it was laid
down, to the inode and the time of its last change. Only a sandboxed shadow is kept, since no process of an earlier
task can be alive in it. One that is not kept is removed beside what goes on: no task waits for that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable
from typing import Final

from kaaj_agent.shadow import Shadow

_log: Final = logging.getLogger(__name__)
IDLE_SECONDS: Final = 600.0
"""How long a shadow is kept that nobody uses."""
LEAVE_SECONDS: Final = 2.0
"""How long the end of the process waits for the removal."""
REMOVALS_MAX: Final = 4
"""Shadows that may wait for their removal; with more, tasks do wait, so that disks that are slow do not fill up."""


class WarmShadow:
    """The one owner of the shadow that is kept. `key` is all that must be the same for the next task to have it."""

    def __init__(self) -> None:
        self._kept: Shadow | None = None
        self._key: Hashable = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing: dict[asyncio.Task[None], Shadow] = {}
        self._removing = asyncio.Lock()
        """One at a time: each holds a thread, of which there are few, and the disk."""
        self._closed = False

    async def take(self, key: Hashable) -> Shadow | None:
        """The kept shadow, for a task that fits it; one that does not fit is removed."""
        kept = self._let_go()
        if kept is None:
            return None
        if key == self._key:
            return kept
        self._discard(kept)
        await self._room()
        return None

    async def give(self, shadow: Shadow, key: Hashable) -> None:
        """A task has ended with this shadow: it is kept, or removed."""
        clean = False
        try:
            if not self._closed and self._kept is None and shadow.sandbox.available:
                clean = await shadow.scrub()
        except asyncio.CancelledError:
            self._discard(shadow)
            raise
        if self._closed:
            await shadow.leave(LEAVE_SECONDS)
            return
        if not clean or self._kept is not None:
            self._discard(shadow)
            await self._room()
            return
        self._kept, self._key = shadow, key
        self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._expire)

    async def close(self) -> None:
        """The process ends, and nothing is kept any more."""
        self._closed = True
        kept = self._let_go()
        if kept is not None:
            self._discard(kept)
        leaving = dict(self._closing)
        if leaving:
            await asyncio.gather(*(shadow.leave(LEAVE_SECONDS) for shadow in leaving.values()))
            await asyncio.wait(leaving)

    def _let_go(self) -> Shadow | None:
        kept, self._kept = self._kept, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return kept

    def _expire(self) -> None:
        kept = self._let_go()
        if kept is not None:
            self._discard(kept)

    def _discard(self, shadow: Shadow) -> None:
        closing = asyncio.create_task(self._remove(shadow))
        self._closing[closing] = shadow
        closing.add_done_callback(self._ended)

    async def _remove(self, shadow: Shadow) -> None:
        async with self._removing:
            await shadow.close()

    async def _room(self) -> None:
        while len(self._closing) > REMOVALS_MAX:
            await asyncio.wait(self._closing, return_when=asyncio.FIRST_COMPLETED)

    def _ended(self, closing: asyncio.Task[None]) -> None:
        self._closing.pop(closing, None)
        if not closing.cancelled() and (problem := closing.exception()) is not None:
            _log.error("removing a shadow", exc_info=problem)
