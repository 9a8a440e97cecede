"""An endpoint that is broken on the wire itself: bytes as no server should send them, from a real socket."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kaaj_agent.failures import ModelError
from kaaj_agent.model import bounded
from kaaj_agent.model.endpoint import Endpoint, Limits
from kaaj_agent.model.facts import ask_server
from kaaj_agent.ports import Message, Reply, Request, StreamItem, TextDelta

ASK = Request((Message("system", "You code."), Message("user", "Read a.py")))
QUICK = Limits(pause=0.001, first=1.0, idle=1.0)
Line = asyncio.StreamWriter
Says = Callable[[Line], Awaitable[None]]


@asynccontextmanager
async def server(*turns: Says) -> AsyncGenerator[tuple[str, list[str]]]:
    """A server whose completions are `turns`, each of which writes what it will; its base URL and what it was asked."""
    left, asked, clients = list(turns), list[str](), set[asyncio.Task[None]]()

    async def accept(reader: asyncio.StreamReader, writer: Line) -> None:
        task = asyncio.current_task()
        if task is not None:
            clients.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            asked.append(head.split(" ")[1])
            if head.startswith("POST"):
                await left.pop(0)(writer)
            else:
                writer.write(b"HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has gone, or the test is over
        finally:
            writer.close()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", asked
    finally:
        listening.close()
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def ask(url: str, limits: Limits = QUICK) -> tuple[Reply, list[StreamItem]]:
    model = Endpoint([url], model="m", limits=limits)
    try:
        items = [item async for item in model.stream(ASK)]
    finally:
        await model.close()
    last = items[-1]
    assert isinstance(last, Reply)
    return last, items


# --- what a server writes ---------------------------------------------------------------------------------------------


def head(kind: str = "text/event-stream", *more: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", f"content-type: {kind}", *more, "", ""]).encode()


def event(text: str | bytes, finish: str | None = None) -> bytes:
    shown = text if isinstance(text, bytes) else json.dumps(text, ensure_ascii=False).encode()[1:-1]
    ended = f'"{finish}"'.encode() if finish else b"null"
    return b'data: {"choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":%b}]}\n\n' % (shown, ended)


END = event("", "stop") + b"data: [DONE]\n\n"


def sends(*parts: bytes, pause: float = 0.0) -> Says:
    """The parts, each in a segment of its own, until the connection is closed."""

    async def say(writer: Line) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return say


def good(text: str = "Hello again") -> Says:
    return sends(head(), event(text) + END)


async def half_closes(writer: Line) -> None:
    """Says that it will write no more, in the middle of a reply, and keeps the connection."""
    writer.write(head("text/event-stream", "transfer-encoding: chunked") + b"ffff\r\n" + event("Hello"))
    await writer.drain()
    writer.write_eof()
    await asyncio.sleep(30)


async def half_closes_at_once(writer: Line) -> None:
    writer.write_eof()
    await asyncio.sleep(30)


async def keeps_open(writer: Line) -> None:
    """Everything came, and the end of the connection does not."""
    writer.write(head() + event("Hello again", "stop"))
    await writer.drain()
    await asyncio.sleep(30)


async def resets(writer: Line) -> None:
    raw: Any = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.write(head() + event("Hello"))
    await writer.drain()
    writer.transport.abort()


async def floods(writer: Line) -> None:
    """One line without an end."""
    writer.write(head() + b'data: {"choices":[{"delta":{"content":"')
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def floods_a_page(writer: Line) -> None:
    writer.write(head("application/json"))
    while True:
        writer.write(b" " * 65_536)
        await writer.drain()


async def floods_headers(writer: Line) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-more: " + b"y" * 8000 + b"\r\n")
        await writer.drain()


# --- UTF-8 ------------------------------------------------------------------------------------------------------------

SAID = "naïve – 😀 日本"


async def test_characters_cut_anywhere_between_two_segments_come_whole() -> None:
    whole = event(SAID) + END
    first = whole.index("ï".encode())
    cuts = range(first, whole.index("本".encode()) + 3)
    turns = [sends(head() + whole[:cut], whole[cut:], pause=0.01) for cut in cuts]
    async with server(*turns) as (url, asked):
        for _ in cuts:
            reply, _ = await ask(url)
            assert reply.text == SAID
        assert asked.count("/v1/chat/completions") == len(turns), "nothing was asked for again"


@pytest.mark.parametrize("bad", [b"\xf0\x9f\x98", b"\x80", b"\xc3(", b"\xed\xa0\x80", b"\xff"])
async def test_bytes_that_are_no_utf8_are_asked_for_again(bad: bytes) -> None:
    """Whether they come at once or in two segments."""
    broken = event(b"caf" + bad + b"!") + END
    at = broken.index(bad) + 1
    async with server(sends(head(), broken), sends(head() + broken[:at], broken[at:], pause=0.01), good()) as (url, _):
        reply, items = await ask(url)
    assert reply.text == "Hello again"
    assert sum(isinstance(item, Reply) for item in items) == 1


# --- sockets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [half_closes, half_closes_at_once, resets])
async def test_a_socket_that_closes_in_the_middle_is_asked_again(fault: Says) -> None:
    async with server(fault, good()) as (url, _):
        reply, _ = await ask(url)
    assert reply.text == "Hello again"


async def test_a_connection_that_stays_open_after_the_end_is_left() -> None:
    async with server(keeps_open) as (url, asked):
        model = Endpoint([url], model="m", limits=QUICK)
        items = [item async for item in model.stream(ASK)]
        await model.close()
    assert isinstance(items[-1], Reply)
    assert items[-1].text == "Hello again"
    assert asked.count("/v1/chat/completions") == 1


async def test_a_slow_server_is_waited_for_as_long_as_something_comes() -> None:
    parts = [head(), *[event(word) for word in ("one ", "two ", "three")], END]
    async with server(sends(*parts, pause=0.3)) as (url, _):
        reply, _ = await ask(url, Limits(pause=0.001, first=2.0, idle=2.0))
    assert reply.text == "one two three"


# --- too much, and other lies -----------------------------------------------------------------------------------------


async def test_ten_megabytes_in_one_delta_are_cut_and_not_executed() -> None:
    async with server(sends(head(), event("x" * 10_000_000) + END)) as (url, asked):
        reply, items = await ask(url)
        assert asked.count("/v1/chat/completions") == 1
    assert reply.finish == "length"
    assert len(reply.text) <= Limits().characters
    assert sum(len(item.text) for item in items if isinstance(item, TextDelta)) <= Limits().characters


async def test_ten_megabytes_in_one_call_are_cut_and_not_executed() -> None:
    call = {
        "index": 0,
        "id": "a",
        "function": {"name": "write", "arguments": '{"path":"a","content":"' + "x" * 10_000_000},
    }
    chunk = json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]}).encode()
    async with server(sends(head(), b"data: " + chunk + b"\n\n" + END)) as (url, _):
        reply, _ = await ask(url)
    assert reply.finish == "length"
    assert all(call.error and not call.arguments for call in reply.calls)


@pytest.mark.parametrize("fault", [floods, floods_a_page, floods_headers])
async def test_a_flood_is_bounded(fault: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "LINE_MAX", 1_000_000)
    monkeypatch.setattr(bounded, "BODY_MAX", 4_000_000)
    async with server(fault, good()) as (url, _):
        reply, _ = await ask(url, Limits(pause=0.001, first=20.0, idle=20.0))
    assert reply.text == "Hello again"


WRONG: dict[str, Sequence[bytes]] = {
    "a length that is too long": (head("text/event-stream", "content-length: 100000"), event("Hello")),
    "a length that is too long, of JSON": (head("application/json", "content-length: 100000"), b'{"choices": ['),
    "a length that is too short": (head("text/event-stream", "content-length: 40"), event("Hello") + END),
    "an odd length": (head("text/event-stream", "content-length: much"), event("Hello") + END),
    "a chunk without an end": (head("text/event-stream", "transfer-encoding: chunked"), b"10\r\ndata: {"),
    "a chunk of an odd size": (head("text/event-stream", "transfer-encoding: chunked"), b"zz\r\n" + event("Hello")),
    "not gzip": (head("text/event-stream", "content-encoding: gzip"), event("Hello") + END),
    "no HTTP": (b"220 smtp.example.org ESMTP\r\n",),
    "nothing": (b"",),
    "a switch of protocols": (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",),
}


@pytest.mark.parametrize("kind", WRONG)
async def test_a_broken_transport_is_asked_again(kind: str) -> None:
    async with server(sends(*WRONG[kind]), good()) as (url, _):
        reply, _ = await ask(url)
    assert reply.text == "Hello again"


@pytest.mark.parametrize("kind", WRONG)
async def test_a_transport_that_stays_broken_ends_in_a_sentence(kind: str) -> None:
    async with server(*[sends(*WRONG[kind])] * 9) as (url, asked):
        if kind == "a length that is too short":  # which cannot be told from a server that never says that it is done
            reply, _ = await ask(url)
            assert (reply.text, reply.finish) == ("", "length")
        else:
            with pytest.raises(ModelError) as failed:
                await ask(url)
            assert url in str(failed.value)
        assert asked.count("/v1/chat/completions") <= QUICK.tries


async def test_a_redirect_is_not_followed_and_told() -> None:
    away = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    async with server(*[sends(away)] * 9) as (url, asked):
        with pytest.raises(ModelError, match="302"):
            await ask(url)
        assert "/elsewhere" not in asked


# --- what a server says of itself -------------------------------------------------------------------------------------


@asynccontextmanager
async def answering(*parts: bytes, pause: float = 0.0) -> AsyncGenerator[str]:
    """A server that answers every question so."""

    async def accept(reader: asyncio.StreamReader, writer: Line) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it has heard enough
        finally:
            writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"


async def facts(*parts: bytes, pause: float = 0.0) -> object:
    """What is believed of such a server."""
    async with answering(*parts, pause=pause) as url:
        return await ask_server(url, within=0.5)


@pytest.mark.parametrize(
    "body",
    [b"[" * 200_000, b"\xff\xfe", b"<html>", b"", b'{"data": 5}', b'{"data": [5, {"id": null}]}', b"NaN", b"1e999"],
)
async def test_nonsense_about_the_models_counts_as_nothing(body: bytes) -> None:
    found: Any = await facts(head("application/json"), body)
    assert found.models == ()
    assert found.window is None


async def test_a_list_of_models_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaaj_agent.model.facts._WHOLE", 0.5)
    found: Any = await facts(head("application/json"), *[b" "] * 600, pause=0.05)
    assert found.models == ()


async def test_a_list_of_models_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else runs while it is parsed. A model that is named works without it; else the person is told."""
    monkeypatch.setattr("kaaj_agent.model.facts.ANSWER_MAX", 1_000_000)
    long = json.dumps({"data": [{"id": f"m{number}", "x": "y" * 1_000} for number in range(2_000)]}).encode()
    found: Any = await facts(head("application/json"), long)
    assert (found.models, found.too_long) == ((), True)
    async with answering(head("application/json"), long) as url:
        nameless = Endpoint([url], limits=QUICK)
        with pytest.raises(ModelError, match="lists more models than is read") as told:
            await nameless.profile()
        assert "KAAJ_MODEL" in str(told.value)
        named = Endpoint([url], model="m", limits=QUICK)
        assert (await named.profile()).model == "m"
        await nameless.close()
        await named.close()


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "503 Busy"])
async def test_an_answer_that_is_no_stream_is_bounded(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "WHOLE_MAX", 1_000_000)
    page = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n\r\n".encode() + b"[" + b"{},\n" * 500_000
    async with server(sends(page), good()) as (url, _):
        reply, _ = await ask(url)
    assert reply.text == "Hello again"


@pytest.mark.parametrize("window", [-1, 0, "many", 1.5, None, True, [1]])
async def test_a_window_that_makes_no_sense_counts_as_not_told(window: object) -> None:
    body = json.dumps({"data": [{"id": "m", "max_model_len": window}]}).encode()
    found: Any = await facts(head("application/json"), body)
    assert found.window is None
