"""Who works on what at a time: those who need the same thing take turns, all others do not wait for one another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Hashable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

_Place: TypeAlias = tuple[frozenset[Hashable], "asyncio.Future[None]"]


@dataclass(slots=True)
class Turns:
    """Turns by keys, in the order in which they were asked for. Whoever waits may be cancelled."""

    _places: list[_Place] = field(default_factory=list[_Place])

    @asynccontextmanager
    async def take(self, keys: Iterable[Hashable]) -> AsyncGenerator[None]:
        """Hold all of `keys`, once everybody who asked for one of them before has let go."""
        wanted = frozenset(keys)
        earlier = [ended for held, ended in self._places if held & wanted]
        mine: _Place = (wanted, asyncio.get_running_loop().create_future())
        self._places.append(mine)
        try:
            if earlier:
                await asyncio.wait(earlier)
            yield
        finally:
            self._places.remove(mine)
            mine[1].set_result(None)

    async def over(self) -> None:
        """Until nobody holds or waits for anything."""
        while self._places:
            await asyncio.wait([ended for _, ended in self._places])
