"""Messages come out of a stream of bytes whole, whatever pieces it comes in."""

from __future__ import annotations

import asyncio
import os
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_server.lsp import connection
from kaaj_server.lsp.transport import (
    TOO_LARGE,
    UNSENT_MAX,
    WAITING_MAX,
    BrokenStreamError,
    Frames,
    StdioReader,
    StdioWriter,
    frame,
)

bodies = st.lists(st.binary(max_size=40), max_size=5)


@given(bodies, st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_any_cutting_gives_the_same_messages(sent: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(map(frame, sent))
    frames = Frames()
    got: list[bytes] = []
    at = turn = 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        got.extend(frames.feed(stream[at : at + size]))
        at, turn = at + size, turn + 1
    assert got == sent


def test_other_headers_and_cases_do_not_matter() -> None:
    head = b"content-type: application/vscode-jsonrpc; charset=utf-8\r\nCONTENT-LENGTH:  2\r\n\r\n"
    assert list(Frames().feed(head + b"{}")) == [b"{}"]


@pytest.mark.parametrize(
    "stream",
    [
        b"\r\n\r\n",
        b"Content-Length: x\r\n\r\n",
        b"Content-Length: -2\r\n\r\n",
        b"Content-Type: none\r\n\r\n",
        b"Content-Length: 101\r\n\r\n",
        b"x" * 10_000,
        b"X: " + b"x" * 10_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    ],
)
def test_what_is_no_message_breaks_the_stream(stream: bytes) -> None:
    with pytest.raises(BrokenStreamError):
        list(Frames(limit=100).feed(stream))


@given(st.integers(101, 5_000), st.integers(1, 700))
def test_a_message_over_the_limit_is_read_past_and_never_held(size: int, step: int) -> None:
    frames = Frames(limit=100, skips=True)
    stream = frame(b"{}") + frame(b"x" * size) + frame(b"[]")
    got: list[bytes] = []
    for at in range(0, len(stream), step):
        got.extend(frames.feed(stream[at : at + step]))
        assert len(frames._held) <= 100 + step + len(b"Content-Length: 5000\r\n\r\n")
    assert got == [b"{}", TOO_LARGE, b"[]"]


def test_a_length_beyond_reason_is_garbage_also_where_much_is_read_past() -> None:
    with pytest.raises(BrokenStreamError):
        list(Frames(limit=100, skips=True).feed(b"Content-Length: %d\r\n\r\n" % 2**50))


async def test_reading_waits_while_the_client_fetches_nothing() -> None:
    """And goes on when it does; no message is lost."""
    reading, writing = os.pipe()
    got: list[bytes] = []
    ended = asyncio.Event()
    busy = threading.Event()
    busy.set()
    StdioReader(reading, asyncio.get_running_loop(), got.append, ended.set, busy.is_set).start()
    os.write(writing, frame(b"{}") * 10)
    os.close(writing)
    await asyncio.sleep(0.2)
    assert got == []
    busy.clear()
    await asyncio.wait_for(ended.wait(), 20)
    assert got == [b"{}"] * 10
    os.close(reading)


async def test_over_tcp_reading_waits_as_well() -> None:
    taken = 0
    fetched = asyncio.Event()

    class Protocol:
        is_started = True

        def receive(self, _body: bytes) -> None:
            nonlocal taken
            taken += 1

    class Writer:
        async def drain(self) -> None:
            await fetched.wait()

    server: Any = SimpleNamespace(protocol=Protocol())
    writer: Any = Writer()
    reader = asyncio.StreamReader()
    reader.feed_data(frame(b"x" * 40_000) * 20)
    reader.feed_eof()
    reading = asyncio.create_task(connection._read(reader, writer, Frames(), server, lambda: None))
    done, _ = await asyncio.wait({reading}, timeout=0.2)
    assert not done
    assert taken < 3, "what one look at the stream brought, and no more"
    fetched.set()
    await reading
    assert taken == 20


async def test_not_much_is_read_ahead_of_what_is_taken() -> None:
    handed: list[tuple[Any, bytes]] = []

    class Loop:
        def is_closed(self) -> bool:
            return False

        def call_soon_threadsafe(self, take: Any, body: bytes) -> None:
            handed.append((take, body))

    loop: Any = Loop()
    got: list[bytes] = []
    reader = StdioReader(0, loop, got.append, lambda: None)
    body = b"x" * (WAITING_MAX // 2)

    def read() -> None:
        for _ in range(5):
            reader._hand_on(body)

    reading = threading.Thread(target=read)
    reading.start()
    reading.join(0.3)
    assert len(handed) == 2, "the others wait"
    while len(got) < 5:
        while handed:
            take, what = handed.pop(0)
            take(what)
        await asyncio.sleep(0.01)
    reading.join()


async def test_what_a_client_never_fetches_is_bounded() -> None:
    reading, writing = os.pipe()
    broken = threading.Event()
    with os.fdopen(writing, "wb") as stream:
        writer = StdioWriter(stream, broken.set)
        try:
            piece = b"x" * 8_388_608
            writer.write(piece)
            assert not writer.busy
            writer.write(piece)
            writer.write(piece)
            assert writer.busy, "nothing more is read then"
            for _ in range(UNSENT_MAX // len(piece) - 2):
                writer.write(piece)
            assert broken.is_set()
        finally:
            os.close(reading)
            await asyncio.to_thread(writer.close)
