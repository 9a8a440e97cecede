"""How bytes come and go: stdio through two threads, TCP through asyncio's streams.

Neither a slow client nor a large message ever holds the event loop up. On stdio a thread reads whole messages and a
thread writes them; the loop only ever queues. One message is `Content-Length: N`, an empty line, and N bytes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

_log: Final = logging.getLogger(__name__)
MESSAGE_MAX: Final = 256 * 1024 * 1024
"""Bytes of one message; a header that names more is taken for garbage."""
_HEADER_MAX: Final = 8192
_CHUNK: Final = 65_536


class BrokenStreamError(Exception):
    """What came is no message of the base protocol; the stream cannot be found back to one."""


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Frames:
    """Cuts a stream of bytes into the bodies of messages. `limit` is the size of one body, in bytes."""

    def __init__(self, limit: int = MESSAGE_MAX) -> None:
        self.limit = limit
        self._held = bytearray()
        self._size: int | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are complete with `data`. Raises BrokenStreamError; nothing can be read after that."""
        self._held += data
        while True:
            if self._size is None:
                end = self._held.find(b"\r\n\r\n")
                if end < 0:
                    if len(self._held) > _HEADER_MAX:
                        raise BrokenStreamError("a header without an end")
                    return
                self._size = self._length(bytes(self._held[:end]))
                del self._held[: end + 4]
            if len(self._held) < self._size:
                return
            body = bytes(self._held[: self._size])
            del self._held[: self._size]
            self._size = None
            yield body

    def _length(self, header: bytes) -> int:
        for line in header.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length" and value.strip().isdigit():
                size = int(value)
                if size > self.limit:
                    raise BrokenStreamError(f"a message of {size} bytes, where {self.limit} are allowed")
                return size
        raise BrokenStreamError("a message without a usable Content-Length")


class StdioReader:
    """Reads a file descriptor in a daemon thread. `receive` gets each message's body on the loop, in order; `ended`
    comes once, at the end of the stream or where it breaks.
    """

    def __init__(
        self,
        descriptor: int,
        loop: asyncio.AbstractEventLoop,
        receive: Callable[[bytes], None],
        ended: Callable[[], None],
    ) -> None:
        self._descriptor = descriptor
        self._loop = loop
        self._receive = receive
        self._ended = ended

    def start(self) -> None:
        threading.Thread(target=self._run, name="kaaj-stdin", daemon=True).start()

    def _run(self) -> None:
        frames = Frames()
        try:
            while data := os.read(self._descriptor, _CHUNK):
                for body in frames.feed(data):
                    self._loop.call_soon_threadsafe(self._receive, body)
        except (BrokenStreamError, OSError) as error:
            _log.warning("the client's stream broke: %s", error)
        except RuntimeError:  # the loop is closed: the server has ended before its client
            return
        try:
            self._loop.call_soon_threadsafe(self._ended)
        except RuntimeError:
            _log.debug("the loop was closed before the client's stream")


class StdioWriter:
    """pygls's writer over a thread: `write` only queues. `close` waits until all is written, at most two seconds."""

    def __init__(self, stream: BinaryIO, broken: Callable[[], None]) -> None:
        self._stream = stream
        self._broken = broken
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="kaaj-stdout", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._queue.put(data)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(2.0)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._stream.write(data)
                if self._queue.empty():
                    self._stream.flush()
            except (OSError, ValueError) as error:
                _log.warning("the client no longer listens: %s", error)
                self._broken()
                return
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            _log.debug("flushing at the end: %s", error)


class StreamWriter:
    """pygls's writer over an asyncio stream, whose own buffer keeps what the client has not taken yet."""

    def __init__(self, stream: asyncio.StreamWriter) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        if not self._stream.is_closing():
            self._stream.write(data)

    def close(self) -> None:
        self._stream.close()
