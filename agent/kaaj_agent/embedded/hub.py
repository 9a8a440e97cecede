"""The first source of a model: the publisher's own file on the Hugging Face hub, by HTTP ranges."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import httpx2

if TYPE_CHECKING:
    from kaaj_agent.embedded.models import EmbeddedModel
    from kaaj_agent.embedded.partial import Partial, Span

REACH_SECONDS: Final = 3.0
"""Whoever is not answered within this time is sent to the mirror."""

_IDLE_SECONDS: Final = 30.0
_TRIES: Final = 5
_PIECE: Final = 4 * 1024 * 1024
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class UnreachableError(Exception):
    """The hub gave no usable answer; nothing was taken from it."""


class BrokenOffError(Exception):
    """The hub answered, then failed for good; what had come is in the partial file."""


def hub_url(model: EmbeddedModel, environ: Mapping[str, str]) -> str:
    """The file's address; `HF_ENDPOINT` names another hub, as in the hub's own client."""
    base = environ.get("HF_ENDPOINT") or "https://huggingface.co"
    return f"{base.rstrip('/')}/{model.repository}/resolve/main/{model.file}"


async def fetch(url: str, partial: Partial, received: Callable[[int], None]) -> None:
    """Fill the partial file's gaps from `url`; `received` hears the bytes of each piece.

    Raises UnreachableError before the first byte, BrokenOffError after it, and OSError of the disk.
    """
    timeout = httpx2.Timeout(_IDLE_SECONDS, connect=REACH_SECONDS)
    started = False
    failures = 0
    async with httpx2.AsyncClient(follow_redirects=True, timeout=timeout) as client:
        while missing := partial.missing():
            before = partial.held
            try:
                await _one(client, url, missing[0], partial, received)
            except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, UnreachableError) as error:
                started = started or partial.held > before
                if not started:
                    raise UnreachableError(str(error) or type(error).__name__) from error
                failures = 1 if partial.held > before else failures + 1
                if failures >= _TRIES:
                    raise BrokenOffError(str(error) or type(error).__name__) from error
                await asyncio.sleep(0.2 * 2**failures)
            else:
                started = True


async def _one(
    client: httpx2.AsyncClient, url: str, span: Span, partial: Partial, received: Callable[[int], None]
) -> None:
    request = client.build_request(
        "GET", url, headers={"Range": f"bytes={span[0]}-{span[1] - 1}", "Accept-Encoding": "identity"}
    )
    async with asyncio.timeout(REACH_SECONDS):
        response = await client.send(request, stream=True)
    try:
        at = _start(response, partial.size)
        if at > span[0]:
            raise UnreachableError("the answer skips bytes that were asked for")
        waiting = bytearray()
        try:
            async for chunk in response.aiter_raw():
                waiting += chunk
                received(len(chunk))
                if len(waiting) >= _PIECE:
                    at = await _store(partial, at, waiting)
        except httpx2.HTTPError:
            await _store(partial, at, waiting)
            raise
        await _store(partial, at, waiting)
    finally:
        await response.aclose()


async def _store(partial: Partial, at: int, waiting: bytearray) -> int:
    data = bytes(waiting)
    if not data:
        return at
    waiting.clear()
    if at + len(data) > partial.size:
        raise UnreachableError("the answer is longer than the file")
    await asyncio.to_thread(partial.write, at, data)
    await asyncio.to_thread(partial.keep, at, at + len(data))
    return at + len(data)


def _start(response: httpx2.Response, size: int) -> int:
    """Where the body begins in the file. A whole body of the right length will do for a server without ranges."""
    if response.status_code == HTTPStatus.PARTIAL_CONTENT:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if found and int(found[3]) == size:
            return int(found[1])
    elif response.status_code == HTTPStatus.OK and response.headers.get("content-length") == str(size):
        return 0
    raise UnreachableError(f"it answered {response.status_code}, and not with the file")
