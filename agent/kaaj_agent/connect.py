"""From settings to a model: the endpoint that is named, else a local server that answers, else the embedded model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

from kaaj_agent.embedded.lease import Lease, acquire
from kaaj_agent.embedded.models import MODELS
from kaaj_agent.embedded.scorer import LlamaScorer
from kaaj_agent.failures import ModelError
from kaaj_agent.model.discovery import discover
from kaaj_agent.model.endpoint import Endpoint, Wishes
from kaaj_agent.model.memory import Memory
from kaaj_agent.ports import Model, Profile, Request, Scorer, StreamItem
from kaaj_agent.settings import AgentSettings


@dataclass(frozen=True, slots=True)
class Connection:
    """A model, and the same model token by token where it is the embedded one. Close `model` when done.

    `beside` names the embedded model that may help out where the model is another one; empty: none.
    """

    model: Model
    scorer: Scorer | None = None
    beside: str = ""


async def connect(settings: AgentSettings, state_dir: Path) -> Connection:
    """Raises ModelError: no such model here, no memory for it, nothing that answers."""
    wishes = Wishes(
        settings.window,
        settings.loop,
        settings.temperature,
        settings.seed,
        settings.top_p,
        settings.top_k,
        settings.repetition_penalty,
        settings.tool_calls,
    )
    memory = Memory(state_dir)
    if settings.base_urls:
        key, model = settings.api_key, settings.model
        endpoint = Endpoint(settings.base_urls, api_key=key, model=model, wishes=wishes, memory=memory)
        return Connection(endpoint, beside=settings.embedded_model)
    if settings.model in MODELS:
        return await _embedded(settings.model, state_dir, wishes)
    found = await discover()
    if found is not None:
        model = settings.model or found.model
        endpoint = Endpoint([found.base_url], model=model, wishes=wishes, memory=memory)
        return Connection(endpoint, beside=settings.embedded_model)
    if settings.model or not settings.embedded_model:
        also = f", and {settings.model} is no embedded model" if settings.model else ""
        raise ModelError(
            f"No endpoint is set, no local server answers{also}.",
            kept="Nothing was changed.",
            hint="Set KAAJ_BASE_URL, start a server such as Ollama, or leave the model empty for the embedded one.",
        )
    return await _embedded(settings.embedded_model, state_dir, wishes)


async def _embedded(name: str, state_dir: Path, wishes: Wishes) -> Connection:
    lease = await acquire(name, state=state_dir)
    wishes = replace(wishes, window=lease.context)
    endpoint = Endpoint([lease.base_url], api_key=lease.api_key, model=lease.model, wishes=wishes)
    scorer = LlamaScorer(lease.native_url, lease.api_key, lease.scan_url)
    return Connection(_Leased(endpoint, lease, scorer), scorer)


@dataclass(slots=True)
class _Leased:
    """The embedded model as a `Model` that gives its lease back when it is closed."""

    endpoint: Endpoint
    lease: Lease
    scorer: LlamaScorer

    async def profile(self) -> Profile:
        return replace(await self.endpoint.profile(), embedded=True)

    def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        return self.endpoint.stream(request)

    async def close(self) -> None:
        try:
            await self.endpoint.close()
            await self.scorer.close()
        finally:
            await self.lease.release()
