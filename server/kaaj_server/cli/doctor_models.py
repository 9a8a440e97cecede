"""The examination of models in `kaaj doctor`: the one on disk, and the one that tasks will use, asked for real."""

from __future__ import annotations

import asyncio
import importlib.util
import time
from dataclasses import dataclass, field
from typing import Final, Literal

from kaaj_agent.connect import connect
from kaaj_agent.embedded.models import DEFAULT_MODEL, MODELS, installed, model_folder
from kaaj_agent.failures import KaajError
from kaaj_agent.model.endpoint import Endpoint
from kaaj_agent.model.memory import Learned, Memory
from kaaj_agent.model.probe import Probe, probe_tools
from kaaj_agent.ports import Message, Model, Profile, Request
from kaaj_agent.settings import AgentSettings
from kaaj_server.cli.context import Context
from kaaj_server.cli.pulling import short, size
from kaaj_server.cli.view import seconds

_MODEL_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`bad` keeps tasks from being done; `note` costs something; `advice` says what to do about it."""

    name: str
    state: Literal["good", "note", "bad"]
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class EmbeddedTrial:
    """The model that needs no endpoint."""

    context: Context

    async def examine(self) -> tuple[Finding, ...]:
        folder = model_folder(self.context.environ)
        there = [name for name, model in MODELS.items() if installed(model, folder)]
        extra = importlib.util.find_spec("xllamacpp") is not None
        if there and extra:
            return (Finding("embedded model", "good", f"{', '.join(there)} in {short(folder)}"),)
        advice: list[str] = []
        if not extra:
            advice.append('pip install "kaaj[local]"')
        if not there:
            advice.append(f"kaaj model pull    ({size(MODELS[DEFAULT_MODEL].size)})")
        found = "the extra `local` is not installed" if not extra else "no model is on disk"
        return (Finding("embedded model", "note", found, "; ".join(advice)),)


@dataclass(frozen=True, slots=True)
class ModelTrial:
    """The model that tasks will use, asked for real."""

    context: Context
    settings: AgentSettings = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", AgentSettings.from_env(self.context.environ))

    async def examine(self) -> tuple[Finding, ...]:
        where = self.settings.base_urls[0] if self.settings.base_urls else "a local server or the embedded model"
        try:
            async with asyncio.timeout(_MODEL_SECONDS):
                profile, answer = await self._try()
        except TimeoutError:
            found = f"{where} did not answer within {_MODEL_SECONDS:.0f} s"
            return (Finding("model", "bad", found, "Is it still loading? Try again, or set KAAJ_BASE_URL."),)
        except KaajError as error:
            advice = error.hint or "Set KAAJ_BASE_URL to an OpenAI-compatible endpoint, or run `kaaj model pull`."
            return (Finding("model", "bad", error.message, advice),)
        place = "embedded, on this machine" if profile.embedded else where
        if not profile.embedded and not self.settings.base_urls:
            place = "a local server that was found"
        model_line = Finding("model", "good", f"{profile.model} ({place})")
        window = Finding("context window", "good", f"{profile.window:,} tokens")
        if profile.window < 16_000 and not profile.embedded:
            window = Finding(
                "context window",
                "note",
                f"{profile.window:,} tokens",
                "That is little for a project. Ollama: set OLLAMA_CONTEXT_LENGTH=32768; llama.cpp: -c 32768.",
            )
        return (model_line, window, answer)

    async def _try(self) -> tuple[Profile, Finding]:
        """One word of a model that is led step by step; of others a tool call, in the endpoint's own way or in text."""
        first = await self._model()
        try:
            profile = await first.profile()
            if profile.loop == "guided":
                return profile, await _speaks(first)
            native = await _called(first)
            if native.ok or not isinstance(first, Endpoint):
                return profile, self._told(native, first)
            url, dropped = first.place
        finally:
            await first.close()
        memory, model = Memory(self.context.state_dir), profile.model
        before = await asyncio.to_thread(memory.of, url, model)
        await asyncio.to_thread(memory.keep, url, model, Learned(dropped | {"tools"}))
        again = await self._model()
        try:
            in_text = await _called(again)
            if in_text.ok:
                return profile, self._told(in_text, again)
        finally:
            await again.close()
        await asyncio.to_thread(memory.keep, url, model, before)
        return profile, self._told(native, first)

    async def _model(self) -> Model:
        return (await connect(self.settings, self.context.state_dir)).model

    def _told(self, call: _Call, model: Model) -> Finding:
        """What the trial comes to. What works is remembered for the sessions to come."""
        if not call.ok:
            what = "its call could not be read" if call.probe.calls == "unreadable" else "it did not call the tool"
            advice = "Use a model that is made for tools, such as Qwen3-Coder, or set the loop to `guided`."
            said = " ".join(call.probe.text.split())[:60]
            return Finding("tool calls", "bad", f"{what} ({call.took}): {said!r}", advice)
        native, dialect = call.probe.dialect == "native", call.probe.dialect
        found = f"work ({call.took})" if native else f"work, written as {dialect} in the text ({call.took})"
        if isinstance(model, Endpoint):
            url, dropped = model.place
            Memory(self.context.state_dir).keep(url, call.probe.profile.model, Learned(dropped, dialect))
            left = ", ".join(sorted(dropped - {"tools"}))
            found += f"; it takes no {left}" if left else ""
            found += "; remembered"
        return Finding("tool calls", "good", found)


@dataclass(frozen=True, slots=True)
class _Call:
    """A trial, and how long it took."""

    probe: Probe
    took: str

    @property
    def ok(self) -> bool:
        return self.probe.ok


async def _called(model: Model) -> _Call:
    began = time.monotonic()
    return _Call(await probe_tools(model), seconds(time.monotonic() - began))


async def _speaks(model: Model) -> Finding:
    began = time.monotonic()
    async for _ in model.stream(Request((Message("user", "Say the word yes."),), max_tokens=8)):
        pass
    took = seconds(time.monotonic() - began)
    return Finding("tool calls", "good", f"answers in {took}; led step by step, it needs no tool calls")
