"""The person's settings: environment, then `initializationOptions`, then what the client answers or sends later.

Nothing here reads a file of the workspace: endpoint, key, sandbox and automatic approval are the person's own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from kaaj_agent.settings import AgentSettings, McpServer, Prices
from kaaj_protocol import names
from kaaj_protocol import settings as protocol
from kaaj_protocol.settings import Settings, read_settings
from kaaj_server.lsp.json_values import an_object

Json: TypeAlias = Any
_SETTLED_SECONDS: Final = 1.0
_NO_SETTINGS: Final = ("token", "trusted")
"""What else stands in `initializationOptions`: what a TCP client shows, and whether the workspace is trusted."""
_log: Final = logging.getLogger(__name__)


class EditorSettings:
    """The owner of the settings. `configure` gets each new state; `say` tells the person what is wrong with them."""

    def __init__(
        self,
        environ: Mapping[str, str],
        options: Json,
        ask: Callable[[], Awaitable[Json]],
        configure: Callable[[AgentSettings], Awaitable[None]],
        say: Callable[[str, str], None],
    ) -> None:
        self._base = AgentSettings.from_env(environ)
        self._options = _section(options)
        self._restricted = an_object(options).get("trusted") is False
        self._ask = ask
        self._configure = configure
        self._say = say
        self._told = ""
        self._pulls = 0
        self._settled = asyncio.Event()
        self._settled.set()
        self.current = self._merged({})

    async def take(self, section: Json) -> None:
        """What the client says the section is now; it stands over `initializationOptions`, name by name."""
        fresh = self._merged(_section(section))
        if fresh != self.current:
            self.current = fresh
            await self._configure(fresh)

    async def take_late(self, answer: asyncio.Future[Json]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            await self.take(answer.result())

    async def changed(self, params: Json) -> None:
        """`didChangeConfiguration`: the params carry the settings, or are empty and the client wants to be asked."""
        sent = an_object(params).get("settings")
        self._pulls += 1
        self._settled.clear()
        try:
            asked = await self._ask()
            await self.take(asked if asked is not None else sent)
        finally:
            self._pulls -= 1
            if self._pulls == 0:
                self._settled.set()

    async def settled(self) -> None:
        """Wait until changes that the client has announced are here, for a second at most."""
        try:
            await asyncio.wait_for(self._settled.wait(), _SETTLED_SECONDS)
        except TimeoutError:
            _log.warning("the client announced new settings and does not say them")

    def _merged(self, section: Mapping[str, Json]) -> AgentSettings:
        given = {name: value for name, value in section.items() if value is not None}
        read = read_settings({**self._options, **given})
        wrong = [str(fault) for fault in read.faults] + [f"{name}: there is no such setting" for name in read.unknown]
        told = "; ".join(wrong)
        if told and told != self._told:
            self._say("warning", f"Kaaj's settings: {told}. The defaults are used there, the others hold.")
        self._told = told
        return replace(agent_settings(read.settings, self._base), restricted=self._restricted)


def _section(raw: Json) -> dict[str, Json]:
    """The settings out of an object that may be the section itself or hold it."""
    plain = an_object(raw)
    inner = plain.get(names.SECTION)
    found = an_object(inner) if isinstance(inner, dict) else plain
    return {str(name): value for name, value in found.items() if name not in _NO_SETTINGS}


def _prices(prices: protocol.Prices | None) -> Prices | None:
    if prices is None:
        return None
    return Prices(prices.input, prices.input if prices.cached is None else prices.cached, prices.output)


def _mcp(name: str, server: protocol.McpServer) -> McpServer:
    env, headers = tuple(server.env.items()), tuple(server.headers.items())
    return McpServer(name, server.command, tuple(server.args), env, server.url, tuple(server.allow), headers)


def agent_settings(settings: Settings, base: AgentSettings) -> AgentSettings:
    """The editor's settings over the environment's: what is not set there is taken from here."""
    urls = [settings.base_url] if isinstance(settings.base_url, str) else settings.base_url
    given = tuple(url for part in urls for url in part.replace(",", " ").split())
    return replace(
        base,
        base_urls=given or base.base_urls,
        api_key=settings.api_key.get_secret_value() or base.api_key,
        model=settings.model or base.model,
        embedded_model=settings.embedded_model,
        mode=settings.mode,
        check=settings.check,
        check_timeout=settings.check_timeout,
        command_timeout=settings.command_timeout,
        max_steps=settings.max_steps,
        max_tokens=settings.max_tokens,
        max_seconds=settings.max_seconds,
        guided_seconds=settings.guided_seconds,
        guided_item_seconds=settings.guided_item_seconds,
        window=settings.context_window or None,
        sandbox=settings.sandbox,
        network=settings.network,
        loop=settings.loop,
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=settings.top_k,
        repetition_penalty=settings.repetition_penalty,
        tool_calls=settings.tool_calls,
        seed=settings.seed,
        hide_secrets=settings.hide_secrets,
        secret_files=tuple(settings.secret_files),
        prices=_prices(settings.prices),
        mcp=tuple(_mcp(name, server) for name, server in settings.mcp.items()) or base.mcp,
    )
