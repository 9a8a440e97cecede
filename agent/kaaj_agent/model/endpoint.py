"""The `Model` port over any OpenAI-compatible endpoint: streaming, retries, failover, one profile.

A try that fails is made again with growing, jittered pauses, at another base URL where there are several, until
the tries or the patience are used up. What had already been given out is called back by a `Restart`.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from kaaj_agent.failures import ModelError
from kaaj_agent.model.attempt import Patience, Piece, pieces
from kaaj_agent.model.bounded import bound
from kaaj_agent.model.dialects import ReplyReader
from kaaj_agent.model.errors import Place, TryAgainError, UnsupportedError, dead, gave_up, list_too_long, no_url
from kaaj_agent.model.facts import ServerFacts, ask_server, is_http, is_loopback
from kaaj_agent.model.memory import Memory
from kaaj_agent.model.profiles import prefer, profile_for
from kaaj_agent.model.wire import parameters_of
from kaaj_agent.ports import CallReady, Profile, Reply, Request, Restart, StreamItem, TextDelta, Usage

if TYPE_CHECKING:
    import openai

_log = logging.getLogger(__name__)

LOCAL_FIRST = 600.0
"""Seconds to wait for the first token of a model server on this network: a CPU reads a long prompt for minutes."""


LOCAL_TRIES = 3
"""How often a port of this machine is tried that refuses: it is known at once that nothing listens."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop. Times in seconds, `characters` of one reply.

    `total` bounds the waiting over all tries: pauses, and silence before or within replies, not text that flows.
    `first` None: `total`, or longer where the server is known to run on this network.
    """

    tries: int = 5
    total: float = 90.0
    first: float | None = None
    idle: float = 60.0
    pause: float = 0.5
    longest_pause: float = 8.0
    characters: int = 400_000


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user's settings say about the model; what they leave open comes from the profile."""

    window: int | None = None
    loop: Literal["auto", "agentic", "guided"] = "auto"
    temperature: float | None = None
    seed: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    tool_calls: Literal["auto", "native", "xml", "hermes"] = "auto"


@dataclass(slots=True)
class _Progress:
    """How the tries of one request go."""

    tries: int = 0
    waited: float = 0.0
    unfinished: int = 0
    given: bool = False
    refused: set[str] = field(default_factory=set[str])


class Endpoint:
    """A chat model behind one or several base URLs, tried in order; the one that works is kept.

    `model` empty: the best that the server lists. `limits` bound each request. The key goes nowhere but into the
    Authorization header. `memory` tells what was found out about them before.
    """

    def __init__(
        self,
        base_urls: Sequence[str],
        *,
        api_key: str = "",
        model: str = "",
        wishes: Wishes = Wishes(),  # frozen
        limits: Limits = Limits(),  # frozen
        memory: Memory | None = None,
    ) -> None:
        if not base_urls:
            raise ValueError("an endpoint needs a base URL")
        self._urls = tuple(url.rstrip("/") for url in base_urls)
        self._key = api_key
        self._model = model
        self._wishes = wishes
        self._limits = limits
        self._memory = memory
        self._current = 0
        self._clients: dict[str, openai.AsyncOpenAI] = {}
        self._dropped: dict[str, set[str]] = {}
        self._facts: dict[str, ServerFacts] = {}
        self._profile: Profile | None = None
        self._asking = asyncio.Lock()

    def __repr__(self) -> str:
        """Without the key."""
        return f"Endpoint({', '.join(self._urls)}, model={self._model!r})"

    @property
    def place(self) -> tuple[str, frozenset[str]]:
        """The base URL that is asked now, and the parameters that requests to it leave out."""
        url = self._urls[self._current]
        return url, frozenset(self._dropped.get(url, ()))

    async def profile(self) -> Profile:
        """What the model can do; the server is asked once. Raises ModelError where no model is named or found."""
        async with self._asking:
            if self._profile is None:
                facts = await self._ask()
                model = self._model or prefer(facts.models)
                if not model:
                    url = self._urls[self._current]
                    if any(known.too_long for known in self._facts.values()):
                        raise list_too_long(url)
                    raise dead(Place(url, ""), "no model is named and the server lists none")
                wishes = self._wishes
                made = profile_for(
                    model,
                    window=wishes.window or facts.window,
                    loop=wishes.loop,
                    temperature=wishes.temperature,
                    top_p=wishes.top_p,
                    top_k=wishes.top_k,
                    repetition_penalty=wishes.repetition_penalty,
                    tool_calls=wishes.tool_calls,
                    seed=wishes.seed,
                )
                knows_schema = facts.make != "unknown" or "api.openai.com" in self._urls[self._current]
                self._profile = replace(made, json_schema=knows_schema)
                await self._remember(model)
            dropped = self._dropped.get(self._urls[self._current], ())
            return replace(
                self._profile,
                native_tools=self._profile.native_tools and "tools" not in dropped,
                json_schema=self._profile.json_schema and "response_format" not in dropped,
            )

    async def stream(self, request: Request) -> AsyncGenerator[StreamItem]:
        """Deltas, a Restart where a reply broke off and is asked for again, then one Reply. Raises ModelError."""
        profile = await self.profile()
        progress = _Progress()
        while True:
            url = self._urls[self._current]
            dropped = self._dropped.setdefault(url, set())
            try:
                async with aclosing(self._try(url, request, profile, progress)) as items:
                    async for item in items:
                        progress.given = progress.given or isinstance(item, TextDelta | CallReady)
                        yield item
                        if isinstance(item, Reply):
                            return
            except UnsupportedError as error:
                if error.names <= dropped:
                    raise ModelError(f"{url} refuses the request without {error}, too.") from error
                dropped |= error.names
                _log.info("%s does not take %s; left out from now on", url, error)
            except TryAgainError as error:
                await self._pause(error, progress, url, profile)
            if progress.given:
                progress.given = False
                yield Restart()

    async def close(self) -> None:
        """Close every connection."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.close()

    async def _try(
        self, url: str, request: Request, profile: Profile, progress: _Progress
    ) -> AsyncGenerator[StreamItem]:
        limits, loop = self._limits, asyncio.get_running_loop()
        client = await self._client(url)
        facts = self._facts.get(url, ServerFacts())
        dropped = self._dropped[url]
        place = Place(url, profile.model, self._key, facts.models)
        body = parameters_of(request, profile, without=dropped, llama=facts.make == "llama.cpp")
        reader = ReplyReader(request.tools)
        finish, usage, size = None, Usage(requests=1), 0
        last = loop.time()
        try:
            async with aclosing(pieces(client, body, place, self._patience(facts, progress), dropped=dropped)) as got:
                async for piece in got:
                    last = loop.time()
                    usage = piece.usage or usage
                    finish = piece.finish or finish
                    left = max(limits.characters - size, 0)
                    size += piece.size
                    for delta in _fed(reader, piece if piece.size <= left else piece.cut(left)):
                        yield delta
                    if size > limits.characters:
                        _log.warning("a reply of more than %d characters was cut", limits.characters)
                        finish = "length"
                        break
        except TryAgainError:
            progress.waited += loop.time() - last
            raise
        if finish is None and progress.unfinished < 2:
            progress.unfinished += 1
            raise TryAgainError(f"{url} ended the stream before the reply was complete")
        if finish == "content_filter":
            raise ModelError(f"The content filter of {url} stopped the reply.", hint="Word the task differently.")
        if reader.empty and finish != "length" and not progress.unfinished:
            progress.unfinished += 2  # once: a model may really have nothing to say
            raise TryAgainError(f"{url} sent an empty reply")
        outcome = reader.finish(finish)
        if outcome.rest:
            yield TextDelta(outcome.rest)
        ended: Literal["stop", "calls", "length"]
        ended = "length" if outcome.cut else "calls" if outcome.calls else "stop"
        yield Reply(outcome.text, outcome.calls, _counted(usage, body, size), ended, outcome.dialect)

    def _patience(self, facts: ServerFacts, progress: _Progress) -> Patience:
        limits = self._limits
        left = max(limits.total - progress.waited, 1.0)
        first = min(limits.first or limits.total, left)
        if limits.first is None and facts.make in {"llama.cpp", "ollama", "lmstudio"}:
            first = LOCAL_FIRST
        return Patience(first, limits.idle)

    async def _pause(self, error: TryAgainError, progress: _Progress, url: str, profile: Profile) -> None:
        """Wait before the next try, at the next base URL. Raises ModelError where there is none left."""
        limits = self._limits
        progress.tries += 1
        progress.refused |= {url} if error.refused else set()
        grown = limits.pause * 2 ** (progress.tries - 1) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter
        wait = error.wait if error.wait is not None else min(grown, limits.longest_pause)
        if len(self._urls) > 1:
            self._current = (self._current + 1) % len(self._urls)
            if progress.tries < len(self._urls):
                wait = 0.0
        tries = limits.tries
        if error.refused and all(map(is_loopback, self._urls)):
            tries = min(tries, LOCAL_TRIES)
        if progress.tries >= tries or progress.waited + wait > limits.total:
            place = Place(url, profile.model, self._key)
            if error.refused and progress.refused >= set(self._urls):
                raise dead(replace(place, url=", ".join(self._urls)), error.reason) from error
            asked = f", and asks to wait {wait:.0f} s" if error.wait is not None else ""
            raise gave_up(place, progress.tries, error.reason + asked) from error
        _log.info("try %d failed (%s); again in %.1f s", progress.tries, error.reason, wait)
        progress.waited += wait
        await asyncio.sleep(wait)

    async def _ask(self) -> ServerFacts:
        for url in self._urls:
            if not is_http(url):
                raise no_url(url)
        for number, url in enumerate(self._urls):
            facts = await ask_server(url, self._key, self._model)
            self._facts[url] = facts
            if facts.models or facts.make != "unknown":
                self._current = number
                return facts
        return ServerFacts()

    async def _remember(self, model: str) -> None:
        if self._memory is None:
            return
        for url in self._urls:
            learned = await asyncio.to_thread(self._memory.of, url, model)
            if learned is not None:
                kept = {"tools"} if self._wishes.tool_calls == "native" else set[str]()
                self._dropped.setdefault(url, set()).update(set(learned.without) - kept)

    async def _client(self, url: str) -> openai.AsyncOpenAI:
        if url not in self._clients:
            self._clients[url] = await asyncio.to_thread(_connect, url, self._key)
        return self._clients[url]


def _connect(url: str, key: str) -> openai.AsyncOpenAI:
    """A client for one base URL. The import takes a second, the certificates a moment: not on the event loop."""
    module = importlib.import_module("openai")
    local = is_loopback(url)
    client: openai.AsyncOpenAI = module.AsyncOpenAI(
        base_url=url,
        api_key=key or "none",
        max_retries=0,
        timeout=None,  # the time-outs are ours
        http_client=module.DefaultAsyncHttpxClient(
            verify=not local, follow_redirects=not local, timeout=None, event_hooks={"response": [bound]}
        ),
    )
    _ = client.chat.completions.with_raw_response  # imports its part of the library on first use
    return client


def _fed(reader: ReplyReader, piece: Piece) -> list[StreamItem]:
    deltas: list[StreamItem] = []
    if piece.content:
        deltas += reader.feed(piece.content)
    for call in piece.calls:
        deltas += reader.feed_native(call.index, call.id, call.name, call.arguments)
    return deltas


def _counted(usage: Usage, body: object, size: int) -> Usage:
    """Usage, estimated at four characters a token where the server tells none: limits must still hold."""
    if usage.prompt or usage.completion:
        return usage
    return replace(usage, prompt=len(str(body)) // 4, completion=size // 4)
