"""The limits of one task, checked before money or time is spent."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

from kaaj_agent.ports import Clock, ToolCall, Usage
from kaaj_agent.settings import AgentSettings

REPEATS_TOLD = 3
REPEATS_MAX = 5
FUTILE_TOLD = 3
FUTILE_MAX = 8
"""Replies in a row of which every call came to nothing, whatever they were."""


class LimitReachedError(Exception):
    """A task has used what it may; the text says which limit and where to raise it."""


@dataclass(slots=True)
class Limits:
    """What one task may use and what it has used. `paused` seconds (waits on the person) do not count."""

    settings: AgentSettings
    clock: Clock
    started: float = 0.0
    paused: float = 0.0
    steps: int = 0
    usage: Usage = Usage()
    _calls: Counter[str] = field(default_factory=Counter[str])
    _futile: int = 0

    def __post_init__(self) -> None:
        self.started = self.clock.monotonic()

    @property
    def seconds(self) -> float:
        return self.clock.monotonic() - self.started - self.paused

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.settings.max_seconds - self.seconds

    def too_long(self) -> LimitReachedError:
        return LimitReachedError(f"Stopped after {self.seconds:.0f} seconds (setting maxSeconds).")

    def step(self) -> None:
        """Count one more request to the model. Raises LimitReachedError."""
        spent = self.usage.prompt - self.usage.cached + self.usage.completion
        if self.steps >= self.settings.max_steps:
            raise LimitReachedError(f"Stopped after {self.steps} steps (setting maxSteps).")
        if spent >= self.settings.max_tokens:
            raise LimitReachedError(f"Stopped after {spent:,} tokens (setting maxTokens).")
        if self.left <= 0:
            raise self.too_long()
        self.steps += 1

    def repeated(self, call: ToolCall, result: str, state: int = 0) -> int:
        """How often this very call has given this very result on this `state` of the work, this time included."""
        arguments = json.dumps(dict(call.arguments), sort_keys=True, default=str)
        key = f"{call.name}\0{arguments}\0{state}\0{result}"
        self._calls[key] += 1
        return self._calls[key]

    def repeats(self, name: str, times: int) -> None:
        """Raises LimitReachedError where a call had the same result too often."""
        if times > REPEATS_MAX:
            raise LimitReachedError(f"Stopped: the model made the same `{name}` call {times} times.")

    def replied(self, *, ok: bool) -> str:
        """Count the replies that came to nothing; what the model has to hear of them."""
        self._futile = 0 if ok else self._futile + 1
        if self._futile >= FUTILE_TOLD:
            return f"[Every call of your last {self._futile} replies failed. Look at what is there before you go on.]"
        return ""

    def futile(self) -> None:
        """Raises LimitReachedError where too many replies came to nothing."""
        if self._futile >= FUTILE_MAX:
            raise LimitReachedError(f"Stopped: nothing came of {self._futile} replies in a row.")
