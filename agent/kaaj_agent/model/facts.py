"""What a server tells about itself: its make, its models, and the context window that it really serves.

llama.cpp: `GET /props` (`default_generation_settings.n_ctx`); Ollama: `GET /api/ps` (`context_length` of what is
loaded) and `POST /api/show` (`num_ctx`); LM Studio: `GET /api/v0/models` (`loaded_context_length`); vLLM:
`GET /v1/models` (`max_model_len`). Hosted services put `context_length` or `context_window` into `/v1/models`.
"""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from kaaj_agent.model.bounded import bound
from kaaj_agent.model.dialects.arguments import is_a
from kaaj_agent.ports import Json

if TYPE_CHECKING:
    import httpx2

Make: TypeAlias = Literal["llama.cpp", "ollama", "lmstudio", "vllm", "unknown"]

OLLAMA_DEFAULT_WINDOW = 4_096
"""Tokens that Ollama serves where nothing else is set; it cuts longer prompts without a word."""
ANSWER_MAX = 2 * 1024 * 1024
"""Bytes of one answer that are parsed: on the event loop, since JSON's parser gives way to no other thread. Long lists
of hosted services are well below one megabyte.
"""
_WHOLE = 10.0
"""Seconds for a whole answer."""
_TOO_LONG: Final = object()
_log: Final = logging.getLogger(__name__)
_WINDOW_KEYS = ("max_model_len", "context_length", "context_window", "max_context_length")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`models` are the names that requests may use. `window` is None where the server does not tell it. `too_long`:
    its list of models is over ANSWER_MAX, and was not read.
    """

    make: Make = "unknown"
    models: tuple[str, ...] = ()
    window: int | None = None
    too_long: bool = False


async def ask_server(base_url: str, api_key: str = "", model: str = "", *, within: float = 3.0) -> ServerFacts:
    """Ask a server what it is. Never raises for a server that does not answer: it tells nothing then.

    `within` is seconds for each of the questions. Paths beside `/v1` are only asked
    from private addresses: a hosted service has no use for them.
    """
    httpx = await asyncio.to_thread(importlib.import_module, "httpx2")
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    base = base_url.rstrip("/")
    root = re.sub(r"/v1$", "", base)
    # Reading the certificates takes longer than the event loop may stand still; loopback has no use for them.
    verify = not is_loopback(base_url)
    hooks = {"response": [bound]}
    async with await asyncio.to_thread(
        httpx.AsyncClient, headers=headers, timeout=within, verify=verify, event_hooks=hooks
    ) as client:
        asked = [_ask(client, "GET", f"{base}/models")]
        if is_private(base_url):
            asked += [
                _ask(client, "GET", f"{root}/props"),
                _ask(client, "GET", f"{root}/api/ps"),
                _ask(client, "GET", f"{root}/api/v0/models"),
            ]
        listed, props, loaded, studio, *_ = [*await asyncio.gather(*asked), None, None, None]
        too_long = listed is _TOO_LONG
        entries = _entries(listed, "data")
        names = tuple(str(entry.get("id")) for entry in entries if entry.get("id"))
        entry = next((entry for entry in entries if entry.get("id") == model), entries[0] if len(entries) == 1 else {})
        if isinstance(props, Mapping):
            served: Json = cast("Mapping[str, Json]", props).get("default_generation_settings")
            window = _whole(cast("Mapping[str, Json]", served).get("n_ctx")) if isinstance(served, Mapping) else None
            return ServerFacts("llama.cpp", names, window, too_long)
        if isinstance(loaded, Mapping) and "models" in loaded:
            shown = await _ask(client, "POST", f"{root}/api/show", {"model": model}) if model else None
            return ServerFacts("ollama", names, _ollama_window(loaded, shown, model), too_long)
        if _entries(studio, "data"):
            nothing: Mapping[str, Json] = {}
            found = next((known for known in _entries(studio, "data") if known.get("id") == model), nothing)
            window = _whole(found.get("loaded_context_length")) or _whole(found.get("max_context_length"))
            return ServerFacts("lmstudio", names, window, too_long)
        window = next((size for key in _WINDOW_KEYS if (size := _whole(entry.get(key)))), None)
        return ServerFacts("vllm" if "max_model_len" in entry else "unknown", names, window, too_long)


def _host(url: str) -> str:
    """A URL's host; empty for what is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_http(url: str) -> bool:
    """Whether it is a URL that can be asked at all."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_private(url: str) -> bool:
    """Whether a URL's host is this machine or one of its own network."""
    host = _host(url)
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".local", ".lan", ".internal"))


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine."""
    host = _host(url)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _ask(client: httpx2.AsyncClient, method: str, url: str, body: Json = None) -> Json:
    """The JSON that a URL answers with; None for anything else, _TOO_LONG for what is over ANSWER_MAX."""
    httpx = importlib.import_module("httpx2")  # imported already: `client` is one of its own
    held = bytearray()
    try:
        async with asyncio.timeout(_WHOLE):  # the client's own bounds the wait for each piece alone
            async with client.stream(method, url, json=body) as answer:
                if answer.status_code != HTTPStatus.OK:
                    return None
                async for part in answer.aiter_bytes():
                    held += part
                    if len(held) > ANSWER_MAX:
                        _log.warning("%s answers with more than is read of it (%d MB)", url, ANSWER_MAX // 1_048_576)
                        return _TOO_LONG
        return json.loads(held)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError, TimeoutError):
        return None


def _ollama_window(loaded: Json, shown: Json, model: str) -> int:
    for entry in _entries(loaded, "models"):
        names = {str(entry.get("name")), str(entry.get("model"))}
        window = _whole(entry.get("context_length"))
        if window and ({model, f"{model}:latest"} & names):
            return window
    settings = str(cast("Mapping[str, Json]", shown).get("parameters") or "") if isinstance(shown, Mapping) else ""
    found = re.search(r"^num_ctx\s+(\d+)", settings, re.MULTILINE)
    return int(found[1]) if found else OLLAMA_DEFAULT_WINDOW


def _entries(listed: Json, key: str) -> list[Mapping[str, Json]]:
    if not isinstance(listed, Mapping):
        return []
    entries: Json = cast("Mapping[str, Json]", listed).get(key)
    return [entry for entry in list(entries) if isinstance(entry, Mapping)] if is_a(entries, list) else []


def _whole(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
