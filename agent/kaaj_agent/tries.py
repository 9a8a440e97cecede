"""What a session's guided task tried, for the one that goes on trying."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kaaj_agent.attaching import Attached
    from kaaj_agent.request import StartRequest

VAIN_MAX: Final = 20_000
"""Candidates that are remembered."""


@dataclass(slots=True)
class Tries:
    """`rounds` counts how often it was gone on with, `vain` holds what did not pass: its digest to its score."""

    request: StartRequest
    attached: Attached
    rounds: int = 0
    vain: dict[str, float] = field(default_factory=dict[str, float])

    def note(self, key: str, score: float) -> None:
        if len(self.vain) < VAIN_MAX:
            self.vain[key] = score
