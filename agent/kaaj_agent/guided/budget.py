"""How long a guided task goes on trying: seconds for all of it, and for each item of its list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kaaj_agent.limits import LimitReachedError, Limits


class OutOfTimeError(LimitReachedError):
    """An item, or the task, has had its time; the text says how much and which setting says so."""


@dataclass(slots=True)
class Share:
    """The time of one item that is being worked on. `until` is on the event loop's clock."""

    budget: Budget
    until: asyncio.Timeout

    @property
    def left(self) -> float:
        """Seconds."""
        when = self.until.when()
        return 0.0 if when is None else max(0.0, when - asyncio.get_running_loop().time())

    def serve(self, items: int) -> None:
        """So many items are worked on at once, so they have their times together."""
        more = self.budget.limits.settings.guided_item_seconds * (items - 1)
        loop = asyncio.get_running_loop()
        self.until.reschedule(loop.time() + min(self.left + more, self.budget.left))


@dataclass(slots=True)
class Budget:
    """The time of one task. It runs from `begin` on; what the person takes to decide does not count."""

    limits: Limits
    _began: float = 0.0

    def begin(self) -> None:
        self._began = self.limits.seconds

    @property
    def left(self) -> float:
        """Seconds for all that is still to be tried."""
        return min(self.limits.settings.guided_seconds - (self.limits.seconds - self._began), self.limits.left)

    @asynccontextmanager
    async def item(self) -> AsyncGenerator[Share]:
        """The time of one item. What is done inside is cancelled when it is over, and OutOfTimeError raised."""
        settings = self.limits.settings
        allowed = min(settings.guided_item_seconds, self.left)
        if allowed <= 0:
            raise self.over()
        until = asyncio.timeout(allowed)
        try:
            async with until:
                yield Share(self, until)
        except TimeoutError:
            if not until.expired():
                raise
            raise self.over() from None

    def over(self) -> LimitReachedError:
        """What is over: the task's time, or only the item's."""
        settings = self.limits.settings
        if self.limits.left <= 0:
            return self.limits.too_long()
        if self.left <= 0:
            return OutOfTimeError(f"given up after {spoken(settings.guided_seconds)} (setting guidedSeconds)")
        return OutOfTimeError(f"given up after {spoken(settings.guided_item_seconds)} (setting guidedItemSeconds)")


def spoken(seconds: float) -> str:
    """A time for people, such as `40 s` or `3 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
