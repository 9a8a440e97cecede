"""A door to the endpoint that counts: what is asked of the model, whoever asks.

It listens on 127.0.0.1, wants a token of its own, and passes on what comes; only, where it is told to, it asks a
stream for the usage that the client did not ask for (llama.cpp tells its `timings` anyway). What a reply cost is read
from what the endpoint says in it (llama.cpp's `timings`, else OpenAI's `usage`).
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast
from urllib.parse import urlsplit

_ASKING: Final = ("/chat/completions", "/completions", "/completion", "/infill", "/responses")
_SCANNING: Final = ("/scan", "/lines")
_HEAD_MAX: Final = 64 * 1024
_SETTLE_SECONDS: Final = 5.0
_CHUNK: Final = 65_536
_CHARACTERS_A_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class Count:
    """What was asked of a model. Tokens are the endpoint's own; `prompt_tokens` holds the cached ones too.

    `cut` counts the replies that the client hung up on: of those the tokens are estimated (four characters each).
    """

    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    refused: int = 0
    cut: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.completion_tokens + other.completion_tokens,
            self.refused + other.refused,
            self.cut + other.cut,
        )


@dataclass
class Proxy:
    """Doors to one or more roots, and one count for all of them. `key` is what clients give, `secret` the far one's."""

    key: str
    secret: str
    ask_usage: bool = False
    _count: Count = field(default_factory=Count, init=False)
    _doors: list[asyncio.Server] = field(default_factory=list[asyncio.Server], init=False)
    _held: list[int] = field(default_factory=list[int], init=False)
    _serving: dict[asyncio.Task[Any], asyncio.StreamWriter] = field(
        default_factory=dict["asyncio.Task[Any]", asyncio.StreamWriter], init=False
    )

    async def open(self, root: str, port: int = 0) -> str:
        """A door to `root`, such as `http://127.0.0.1:8080`; the address to give to clients."""
        far = urlsplit(root)
        there = (far.hostname or "127.0.0.1", far.port or 80)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            serving = asyncio.current_task()
            assert serving is not None
            self._serving[serving] = writer
            try:
                with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                    await self._serve(reader, writer, there)
            finally:
                del self._serving[serving]
                await _hang_up(writer)

        door = await asyncio.start_server(serve, "127.0.0.1", port, limit=_HEAD_MAX)
        self._doors.append(door)
        return f"http://127.0.0.1:{door.sockets[0].getsockname()[1]}"

    async def _settle(self) -> None:
        if self._serving:
            await asyncio.wait(tuple(self._serving), timeout=_SETTLE_SECONDS)

    async def take(self) -> Count:
        """The count since it was last taken, once what is under way has ended: its client has."""
        await self._settle()
        count, self._count = self._count, Count()
        return count

    async def close(self) -> None:
        """Shut the doors, and end what still goes through them."""
        for door in self._doors:
            door.close()
        for writer in self._serving.values():
            writer.transport.abort()
        await self._settle()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: tuple[str, int]) -> None:
        """One request a connection."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        verb, path, _ = first.split(" ", 2)
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        given = {name.lower(): value for name, value in headers}
        if not hmac.compare_digest(given.get("authorization", "").encode(), f"Bearer {self.key}".encode()):
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        if given.get("expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _body(reader, given)
        if self.ask_usage and urlsplit(path).path.endswith("/chat/completions"):
            body = asking_usage(body)
        own = (
            "authorization",
            "host",
            "connection",
            "content-length",
            "transfer-encoding",
            "expect",
            "accept-encoding",
        )
        kept = [f"{name}: {value}" for name, value in headers if name.lower() not in own]
        kept += [
            f"Authorization: Bearer {self.secret}", f"Host: {there[0]}:{there[1]}",
            f"Content-Length: {len(body)}", "Connection: close",
        ]  # fmt: skip
        far_reader, far_writer = await asyncio.open_connection(*there)
        try:
            far_writer.write("\r\n".join([f"{verb} {path} HTTP/1.1", *kept, "", ""]).encode("latin-1") + body)
            await far_writer.drain()
            reply = bytearray()
            whole = await _pass_on(far_reader, reader, writer, reply)
        finally:
            await _hang_up(far_writer)
        where = urlsplit(path).path
        if verb == "POST" and where.endswith(_SCANNING):
            self._count += cost_of_tokens(body, bytes(reply), self._held)
        elif verb == "POST" and where.endswith(_ASKING):
            self._count += cost(body, bytes(reply), whole=whole)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return await reader.readexactly(int(headers.get("content-length") or 0))
    body = bytearray()
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return bytes(body)


async def _pass_on(
    source: asyncio.StreamReader, client: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: bytearray
) -> bool:
    """The reply to the client and into `reply`. False where the client hung up first."""

    async def pump() -> None:
        while data := await source.read(_CHUNK):
            reply.extend(data)
            writer.write(data)
            await writer.drain()

    pumping = asyncio.create_task(pump())
    gone = asyncio.create_task(client.read(1))
    try:
        await asyncio.wait({pumping, gone}, return_when=asyncio.FIRST_COMPLETED)
        return pumping.done() and pumping.exception() is None
    finally:
        for task in (pumping, gone):
            task.cancel()
        await asyncio.gather(pumping, gone, return_exceptions=True)


# --- what a reply cost ------------------------------------------------------------------------------------------------


def asking_usage(body: bytes) -> bytes:
    """The request, in which a stream is asked for its usage."""
    question = _object(body)
    if not question.get("stream") or question.get("stream_options"):
        return body
    return json.dumps({**question, "stream_options": {"include_usage": True}}).encode()


def cost(asked: bytes, reply: bytes, *, whole: bool = True) -> Count:
    """What one exchange cost. `reply` is the raw answer, head included; `whole` is False where it was cut off."""
    head, _, rest = reply.partition(b"\r\n\r\n")
    if whole and not re.match(rb"HTTP/1\.[01] 2", head):
        return Count(requests=1, refused=1)
    chunked = re.search(rb"(?im)^transfer-encoding:.*chunked", head) is not None
    events = list(_events(_unchunked(rest) if chunked else rest))
    said = Count(requests=1)
    for event in events:
        tokens = _said(event)
        if tokens is not None:
            said = tokens
    if said.prompt_tokens or whole:
        return replace(said, requests=1)
    words = sum(len(json.dumps(event.get("choices") or event.get("content") or "")) > 2 for event in events)
    return Count(1, len(asked) // _CHARACTERS_A_TOKEN, 0, words, cut=1)


def _said(event: Mapping[str, Any]) -> Count | None:
    """What the endpoint itself says of a reply."""
    timings = event.get("timings")
    if isinstance(timings, dict) and "prompt_n" in timings:
        told = cast("dict[str, Any]", timings)
        cached = max(0, int(told.get("cache_n", 0)))
        return Count(0, cached + max(0, int(told["prompt_n"])), cached, int(told.get("predicted_n", 0)))
    usage = event.get("usage")
    if isinstance(usage, dict) and "prompt_tokens" in usage:
        told = cast("dict[str, Any]", usage)
        details = cast("dict[str, Any]", told.get("prompt_tokens_details") or {})
        cached = int(details.get("cached_tokens") or 0)
        return Count(0, int(told["prompt_tokens"]), cached, int(told.get("completion_tokens", 0)))
    return None


def cost_of_tokens(asked: bytes, reply: bytes, held: list[int]) -> Count:
    """What one exchange with the token-level service cost. `held`, what its engine holds, is brought up to date."""
    head, _, rest = reply.partition(b"\r\n\r\n")
    if reply and not re.match(rb"HTTP/1\.[01] 2", head):
        return Count(requests=1, refused=1)
    question = _object(asked)
    prefixes: list[list[int]] = question.get("prefixes") or [[*question["prefix"], *question["tokens"]]]
    cached = 0
    for prefix in prefixes:
        cached += next(
            (at for at, (a, b) in enumerate(zip(prefix, held, strict=False)) if a != b), min(len(prefix), len(held))
        )
        held[:] = prefix
    written = sum(len(line) for line in cast("list[list[int]]", _object(rest).get("lines") or []))
    return Count(1, sum(map(len, prefixes)), cached, written // _CHARACTERS_A_TOKEN, cut=int(not reply))


def _events(body: bytes) -> Iterator[Mapping[str, Any]]:
    """The objects of an event stream, or of a plain JSON answer."""
    if body.lstrip()[:1] in (b"{", b"["):
        with suppress(ValueError):
            value: object = json.loads(body)
            for one in cast("list[object]", value) if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    yield cast("dict[str, Any]", one)
        return
    for line in body.splitlines():
        if line.startswith(b"data:") and (event := _object(line[5:])):
            yield event


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value: object = json.loads(data)
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _unchunked(data: bytes) -> bytes:
    """A chunked body, as far as it came."""
    body = bytearray()
    while True:
        line, _, rest = data.partition(b"\r\n")
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            return bytes(body)
        if not size:
            return bytes(body)
        body += rest[:size]
        data = rest[size + 2 :]
