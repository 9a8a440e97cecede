"""How long a guided task goes on trying: seconds for all of it, and for each item of its list."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from kaaj_agent.limits import LimitReachedError, Limits


class OutOfTimeError(LimitReachedError):
    """An item, or the task, has had its time; the text says how much and which setting says so."""

    @property
    def sentence(self) -> str:
        text = str(self)
        return f"{text[:1].upper()}{text[1:]}."


GRACE: Final = 2.0
"""What is under way when an item's time is over may come to its end within so many times that time: on a slow machine
the first attempt would be lost else.
"""


@dataclass(slots=True)
class Share:
    """The time of one item that is being worked on. `until` and `soft` are on the event loop's clock: nothing goes on
    after the first, and nothing new is begun after the second. `doing` is what is under way.
    """

    budget: Budget
    until: asyncio.Timeout
    soft: float
    doing: str = ""
    _steps: int = 0

    @property
    def left(self) -> float:
        """Seconds."""
        return max(0.0, self.soft - asyncio.get_running_loop().time())

    def serve(self, items: int) -> None:
        """So many items are worked on at once, so they have their times together."""
        more = self.budget.limits.settings.guided_item_seconds * (items - 1)
        end = asyncio.get_running_loop().time() + self.budget.left
        self.soft = min(self.soft + more, end)
        self.until.reschedule(min((self.until.when() or end) + GRACE * more, end))

    def begin(self, doing: str) -> None:
        """One more step, the first of which is always taken. Raises OutOfTimeError where there is no time for it."""
        if self._steps and self.left <= 0:
            raise self.budget.over()
        self._steps += 1
        self.doing = doing


@dataclass(slots=True)
class Budget:
    """The time of one task, `most` seconds of it. It runs from `begin` on; what the person takes to decide does not
    count.
    """

    limits: Limits
    most: float = math.inf
    _began: float = 0.0

    def begin(self) -> None:
        self._began = self.limits.seconds

    @property
    def left(self) -> float:
        """Seconds for all that is still to be tried."""
        given = min(self.limits.settings.guided_seconds, self.most)
        return min(given - (self.limits.seconds - self._began), self.limits.left)

    @asynccontextmanager
    async def item(self) -> AsyncGenerator[Share]:
        """The time of one item. What is done inside is cancelled when all of it is over, and OutOfTimeError raised."""
        settings = self.limits.settings
        left = self.left
        if left <= 0:
            raise self.over()
        until = asyncio.timeout(min(GRACE * settings.guided_item_seconds, left))
        now = asyncio.get_running_loop().time()
        share = Share(self, until, now + min(settings.guided_item_seconds, left))
        try:
            async with until:
                yield share
        except TimeoutError:
            if not until.expired():
                raise
            raise self.over(share.doing) from None

    def over(self, doing: str = "") -> LimitReachedError:
        """What is over: the task's time, or only the item's."""
        settings = self.limits.settings
        if self.limits.left <= 0:
            return self.limits.too_long()
        seconds, name = settings.guided_item_seconds, "guidedItemSeconds"
        if self.left <= 0:
            seconds, name = settings.guided_seconds, "guidedSeconds"
        at = f" in the midst of this: {doing}" if doing else ""
        return OutOfTimeError(f"given up, as the {spoken(seconds)} are over (setting {name}){at}")


def spoken(seconds: float) -> str:
    """A time for people, such as `40 s` or `3 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
