"""The one owner of the connection to the model: made once, anew by new settings, closed after its users."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kaaj_agent.failures import KaajError

if TYPE_CHECKING:
    from kaaj_agent.connect import Connection
    from kaaj_agent.ports import Profile

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Connecting:
    """`make` connects by the settings of the moment. Raises ModelError."""

    make: Callable[[], Awaitable[Connection]]
    profile: Profile | None = None
    """What the connected model can do, once a task has asked."""
    _connected: asyncio.Future[Connection] | None = None
    _retiring: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])

    async def connect(self) -> Connection:
        """The connection; one that failed is tried anew the next time. Raises ModelError."""
        while True:
            if self._connected is None or (self._connected.done() and _failed(self._connected)):
                self._connected = asyncio.ensure_future(self.make())
            connected = self._connected
            try:
                return await asyncio.shield(connected)
            except asyncio.CancelledError:
                current = asyncio.current_task()
                if not connected.cancelled() or (current is not None and current.cancelling()):
                    raise
                # else new settings came while it connected: anew, with those

    async def let_go(self, users: Sequence[asyncio.Task[None]] = ()) -> None:
        """Connect anew the next time. The model is closed once `users`, the tasks that work with it, have ended."""
        connected, self._connected = self._connected, None
        self.profile = None
        if connected is None:
            return
        if not connected.done():
            connected.cancel()
            await asyncio.wait([connected])
        elif not _failed(connected):
            retiring = asyncio.create_task(_retire(connected.result(), users))
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)

    async def close(self) -> None:
        """Let go at once and wait until every model is closed. Nobody works with one any more."""
        await self.let_go()
        if self._retiring:
            await asyncio.wait(self._retiring)


async def _retire(connection: Connection, users: Sequence[asyncio.Task[None]]) -> None:
    if users:
        await asyncio.wait(users)
    try:
        await connection.model.close()
    except KaajError as error:
        _log.warning("letting go of the model: %s", error)


def _failed(connected: asyncio.Future[Connection]) -> bool:
    return connected.cancelled() or connected.exception() is not None
