"""The embedded model token by token for one task, beside whatever model does the task's talking."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kaaj_agent.embedded.lease import Lease, acquire
from kaaj_agent.embedded.models import MODELS, installed
from kaaj_agent.embedded.scorer import LlamaScorer
from kaaj_agent.failures import ModelError
from kaaj_agent.ports import Scorer

_log = logging.getLogger(__name__)

LINGER_SECONDS: Final = 120.0
"""How long a server that was started for a repair waits for the next one: who mends one problem mends another."""


@dataclass(slots=True)
class Borrowing:
    """`own` is lent where the task's model is the embedded one; else `name` is started when first asked for.

    A model that is not on this machine is never fetched for it. Close it when the task is over.
    """

    own: Scorer | None
    name: str
    state_dir: Path
    _lease: Lease | None = None
    _scorer: LlamaScorer | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def lend(self) -> Scorer | None:
        """The scorer; None where there is no embedded model here, or it cannot be started now."""
        if self.own is not None or self.name not in MODELS:
            return self.own
        async with self._turn:
            if self._scorer is None and await asyncio.to_thread(installed, MODELS[self.name]) is not None:
                try:
                    self._lease = await acquire(self.name, state=self.state_dir, linger=LINGER_SECONDS)
                except ModelError as error:
                    _log.info("the embedded model is not lent: %s", error)
                    return None
                self._scorer = LlamaScorer(self._lease.native_url, self._lease.api_key, self._lease.scan_url)
            return self._scorer

    async def close(self) -> None:
        """Give back what was taken; the server ends by itself when nobody is left."""
        scorer, self._scorer = self._scorer, None
        lease, self._lease = self._lease, None
        try:
            if scorer is not None:
                await scorer.close()
        finally:
            if lease is not None:
                await lease.release()
