"""Messages come out of a stream of bytes whole, whatever pieces it comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_server.lsp.transport import BrokenStreamError, Frames, frame

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
    ],
)
def test_what_is_no_message_breaks_the_stream(stream: bytes) -> None:
    with pytest.raises(BrokenStreamError):
        list(Frames(limit=100).feed(stream))
