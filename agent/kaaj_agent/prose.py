"""Prose on its way from the model to people: not a token is late, and ten thousand of them are no flood."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

INTERVAL: Final = 0.015
"""Seconds between two pieces: a screen shows no more of them."""


@dataclass(slots=True)
class Prose:
    """Gathers pieces of a reply, and gives them to `emit` in order, at most one in `interval` seconds.

    The first piece after a pause goes out at once. What is said between two pieces by others must come after a
    `flush`. `unfinished` tells how many characters at the end of a text may be the begin of a secret, which can only be
    seen whole: those wait for what follows, or for a `flush`. Lives on the event loop.
    """

    emit: Callable[[str], None]
    interval: float = INTERVAL
    unfinished: Callable[[str], int] = field(default=lambda _: 0)
    _held: str = ""
    _waiting: list[str] = field(default_factory=list[str])
    _timer: asyncio.TimerHandle | None = None

    def add(self, text: str) -> None:
        self._waiting.append(text)
        if self._timer is None:
            self._due()

    def flush(self) -> None:
        """What waits goes out now. Nothing comes later by itself."""
        self._stop()
        text, self._held = self._held + "".join(self._waiting), ""
        self._waiting.clear()
        if text:
            self.emit(text)

    def drop(self) -> None:
        """What waits is void."""
        self._stop()
        self._waiting.clear()
        self._held = ""

    def _due(self) -> None:
        self._timer = None
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(self.interval, self._due)
            self._give()

    def _give(self) -> None:
        text = self._held + "".join(self._waiting)
        self._waiting.clear()
        end = len(text) - self.unfinished(text)
        self._held = text[end:]
        if end:
            self.emit(text[:end])

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
