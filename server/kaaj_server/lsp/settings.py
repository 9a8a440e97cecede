"""The person's settings: environment, then `initializationOptions`, then what the client answers or sends later.

Nothing here reads a file of the workspace: endpoint, key, sandbox and automatic approval are the person's own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias, cast

from kaaj_agent.settings import AgentSettings
from kaaj_protocol import names
from kaaj_protocol.settings import Settings, read_settings

Json: TypeAlias = Any
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
        self._ask = ask
        self._configure = configure
        self._say = say
        self._told = ""
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
        sent = cast("Json", params).get("settings") if isinstance(params, Mapping) else None
        asked = await self._ask()
        await self.take(asked if asked is not None else sent)

    def _merged(self, section: Mapping[str, Json]) -> AgentSettings:
        given = {name: value for name, value in section.items() if value is not None}
        read = read_settings({**self._options, **given})
        wrong = [str(fault) for fault in read.faults] + [f"{name}: there is no such setting" for name in read.unknown]
        told = "; ".join(wrong)
        if told and told != self._told:
            self._say("warning", f"Kaaj's settings: {told}. The defaults are used there, the others hold.")
        self._told = told
        return agent_settings(read.settings, self._base)


def _section(raw: Json) -> dict[str, Json]:
    """The settings out of an object that may be the section itself or hold it; the TCP token is not one of them."""
    if not isinstance(raw, Mapping):
        return {}
    plain = cast("Mapping[str, Json]", raw)
    inner = plain.get(names.SECTION)
    found = cast("Mapping[str, Json]", inner) if isinstance(inner, Mapping) else plain
    return {str(name): value for name, value in found.items() if name != "token"}


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
        window=settings.context_window or None,
        sandbox=settings.sandbox,
        loop=settings.loop,
        temperature=settings.temperature,
        seed=settings.seed,
        hide_secrets=settings.hide_secrets,
    )
