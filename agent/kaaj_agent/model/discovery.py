"""Finds a model server on this machine: Ollama, LM Studio, llama.cpp, vLLM on their usual ports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from kaaj_agent.model.facts import ask_server
from kaaj_agent.model.profiles import prefer

PORTS = (11434, 1234, 8080, 8000)
"""Ollama, LM Studio, llama.cpp, vLLM; the first that has a model wins, a coder model before others."""


@dataclass(frozen=True, slots=True)
class Found:
    """A server on loopback that answered, and the model to use there."""

    base_url: str
    model: str
    models: tuple[str, ...]


async def discover(ports: Sequence[int] = PORTS, *, within: float = 0.4) -> Found | None:
    """The local server to use, or None. Looks at all ports at once; `within` is seconds for each to answer."""
    open_ports = [
        port for port, is_open in zip(ports, await asyncio.gather(*map(_open, ports)), strict=True) if is_open
    ]
    if not open_ports:
        return None
    found = [one for one in await asyncio.gather(*(_look(port, within) for port in open_ports)) if one is not None]
    if not found:
        return None
    best = prefer([server.model for server in found])
    return next((server for server in found if server.model == best), found[0])


async def _open(port: int) -> bool:
    """Whether something listens: known at once on loopback, and without importing an HTTP client."""
    try:
        async with asyncio.timeout(0.2):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _look(port: int, within: float) -> Found | None:
    base_url = f"http://127.0.0.1:{port}/v1"
    facts = await ask_server(base_url, within=within)
    model = prefer(facts.models)
    return Found(base_url, model, facts.models) if model else None
