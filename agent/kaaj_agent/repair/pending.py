"""Candidates on their way from the model to the judges."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Final

from kaaj_agent.repair.unit import Candidate

_CHANGE_COST: Final = 0.1
_QUEUE: Final = 3


class Pending:
    """Candidates that wait for a judge, the most promising first. Those that the model wrote wait in small number."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Candidate]] = []
        self._order = itertools.count()
        self._changed = asyncio.Condition()
        self._written = 0
        self._closed = False

    async def put(self, candidate: Candidate) -> None:
        """Wait while enough of what the model wrote is there; what costs nothing waits for nobody."""
        async with self._changed:
            if candidate.written:
                await self._changed.wait_for(lambda: self._written < _QUEUE)
                self._written += 1
            heapq.heappush(self._heap, (-candidate.logprob, next(self._order), candidate))
            self._changed.notify_all()

    async def take(self) -> Candidate | None:
        """The most promising one; None once there will be no more."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._heap) or self._closed)
            if not self._heap:
                return None
            _, _, candidate = heapq.heappop(self._heap)
            self._written -= candidate.written
            self._changed.notify_all()
            return candidate

    async def close(self) -> None:
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    def holds_better(self, best: float) -> bool:
        """Whether one that waits could outrank it."""
        return any(rank(candidate) < best for _, _, candidate in self._heap)


def rank(candidate: Candidate) -> float:
    """Likely and small comes first."""
    return -candidate.logprob + _CHANGE_COST * candidate.changed
