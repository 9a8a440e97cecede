"""How bytes come and go: stdio through two threads, TCP through asyncio's streams.

Neither a slow client nor a large message ever holds the event loop up. On stdio a thread reads whole messages and a
thread writes them; the loop only ever queues. One message is `Content-Length: N`, an empty line, and N bytes.

Nothing queues without bound: nothing more is read while much is read and not yet taken (`WAITING_MAX`) or answered
and not yet fetched (`PAUSE_AT`), and a client that fetches nothing at all is given up (`UNSENT_MAX`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

_log: Final = logging.getLogger(__name__)
MESSAGE_MAX: Final = 64 * 1024 * 1024
"""Bytes of one message; what is larger is read past, and answered with an error."""
_SKIP_MAX: Final = 2**40
"""A header that names more bytes is taken for garbage."""
_HEADER_MAX: Final = 8192
WAITING_MAX: Final = 16 * 1024 * 1024
"""Bytes that are read ahead of what the loop has taken; one message may be larger."""
PAUSE_AT: Final = 16 * 1024 * 1024
"""Bytes for the client to fetch above which nothing more is read from it."""
UNSENT_MAX: Final = 256 * 1024 * 1024
"""Bytes for the client to fetch above which it counts as gone."""
_MESSAGE_COST: Final = 1024
"""Bytes that a message takes while it waits, whatever is in it."""
_LOOK_SECONDS: Final = 0.05
_DIGITS_MAX: Final = 20
_CHUNK: Final = 65_536


class BrokenStreamError(Exception):
    """What came is no message of the base protocol; the stream cannot be found back to one."""


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


TOO_LARGE: Final = b"a message over the limit"
"""Comes in place of a body that was read past."""


class Frames:
    """Cuts a stream of bytes into the bodies of messages. `limit` is the size of one body, in bytes: a larger one
    breaks the stream, or, with `skips`, is never held and comes as `TOO_LARGE`.
    """

    def __init__(self, limit: int = MESSAGE_MAX, *, skips: bool = False) -> None:
        self.limit = limit
        self.skips = skips
        self._held = bytearray()
        self._size: int | None = None
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are complete with `data`. Raises BrokenStreamError; nothing can be read after that."""
        self._held += data
        while True:
            if self._skip:
                past = min(self._skip, len(self._held))
                del self._held[:past]
                self._skip -= past
                if self._skip:
                    return
                yield TOO_LARGE
            if self._size is None:
                end = self._held.find(b"\r\n\r\n", 0, _HEADER_MAX + 4)
                if end < 0:
                    if len(self._held) > _HEADER_MAX:
                        raise BrokenStreamError("a header without an end")
                    return
                size = self._length(bytes(self._held[:end]))
                del self._held[: end + 4]
                if size > self.limit:
                    self._skip = size
                    continue
                self._size = size
            if len(self._held) < self._size:
                return
            body = bytes(self._held[: self._size])
            del self._held[: self._size]
            self._size = None
            yield body

    def _length(self, header: bytes) -> int:
        named: set[int] = set()
        for line in header.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                digits = value.strip()
                if not digits.isdigit() or len(digits) > _DIGITS_MAX:  # Python refuses to read thousands of digits
                    raise BrokenStreamError("a Content-Length that is no usable number")
                named.add(int(digits))
        if len(named) != 1:
            raise BrokenStreamError("a message without a usable Content-Length")
        size = named.pop()
        if size > (_SKIP_MAX if self.skips else self.limit):
            raise BrokenStreamError(f"a message of {size} bytes, where {self.limit} are allowed")
        return size


class StdioReader:
    """Reads a file descriptor in a daemon thread. `receive` gets each message's body on the loop, in order; `ended`
    comes once, at the end of the stream or where it breaks. Nothing is read while `busy` says so.
    """

    def __init__(
        self,
        descriptor: int,
        loop: asyncio.AbstractEventLoop,
        receive: Callable[[bytes], None],
        ended: Callable[[], None],
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._descriptor = descriptor
        self._loop = loop
        self._receive = receive
        self._ended = ended
        self._busy = busy
        self._waiting = 0
        self._room = threading.Condition()

    def start(self) -> None:
        threading.Thread(target=self._run, name="kaaj-stdin", daemon=True).start()

    def _run(self) -> None:
        frames = Frames(skips=True)
        try:
            while data := os.read(self._descriptor, _CHUNK):
                for body in frames.feed(data):
                    self._hand_on(body)
        except (BrokenStreamError, OSError) as error:
            _log.warning("the client's stream broke: %s", error)
        except RuntimeError:  # the loop is closed: the server has ended before its client
            return
        try:
            self._loop.call_soon_threadsafe(self._ended)
        except RuntimeError:
            _log.debug("the loop was closed before the client's stream")

    def _hand_on(self, body: bytes) -> None:
        """In the thread: give one message to the loop, once there is room for it."""
        while self._busy() and not self._loop.is_closed():
            time.sleep(_LOOK_SECONDS)
        with self._room:
            while self._waiting >= WAITING_MAX and not self._loop.is_closed():
                self._room.wait(1.0)
            self._waiting += len(body) + _MESSAGE_COST
        self._loop.call_soon_threadsafe(self._take, body)

    def _take(self, body: bytes) -> None:
        try:
            self._receive(body)
        finally:
            with self._room:
                self._waiting -= len(body) + _MESSAGE_COST
                self._room.notify()


class StdioWriter:
    """pygls's writer over a thread: `write` only queues. `close` waits until all is written, at most two seconds."""

    def __init__(self, stream: BinaryIO, broken: Callable[[], None]) -> None:
        self._stream = stream
        self._broken = broken
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._unsent = 0
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="kaaj-stdout", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether so much waits for the client that nothing more should be read from it."""
        return self._unsent > PAUSE_AT and not self._given_up

    def write(self, data: bytes) -> None:
        if self._given_up:
            return
        with self._lock:
            self._unsent += len(data)
        if self._unsent > UNSENT_MAX:
            _log.warning("the client does not fetch what is sent to it; ending")
            self._give_up()
            return
        self._queue.put(data)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(2.0)

    def _give_up(self) -> None:
        self._given_up = True
        self._broken()

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._stream.write(data)
                if self._queue.empty():
                    self._stream.flush()
            except (OSError, ValueError) as error:
                _log.warning("the client no longer listens: %s", error)
                self._give_up()
                return
            with self._lock:
                self._unsent -= len(data)
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            _log.debug("flushing at the end: %s", error)


class StreamWriter:
    """pygls's writer over an asyncio stream, whose own buffer keeps what the client has not taken yet."""

    def __init__(self, stream: asyncio.StreamWriter) -> None:
        self._stream = stream
        stream.transport.set_write_buffer_limits(high=PAUSE_AT)

    def write(self, data: bytes) -> None:
        if self._stream.is_closing():
            return
        if self._stream.transport.get_write_buffer_size() > UNSENT_MAX:
            _log.warning("the client does not fetch what is sent to it; closing the connection")
            self._stream.transport.abort()
            return
        self._stream.write(data)

    def close(self) -> None:
        self._stream.close()
