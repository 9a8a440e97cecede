"""`serve_stdio` and `serve_tcp`: run the language server until its client is gone.

Both return the exit code: 0 where the client asked for `shutdown` before it left, else 1, as the specification says.
This module is light; pygls and lsprotocol are imported when one of the two is called.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kaaj_server.lsp.language_server import KaajServer

LOOPBACK: Final = "127.0.0.1"
_END_SECONDS: Final = 10.0


def serve_stdio(environ: Mapping[str, str], state_dir: Path) -> int:
    """Speak LSP on this process's standard input and output, which belong to the protocol alone from here on:
    prints, and what child processes or libraries write to descriptor 1, go to stderr.
    """
    given, taken = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    _prepare_to_start()
    return _end(asyncio.run(_stdio(given, taken, environ, state_dir)))


async def _stdio(given: int, taken: int, environ: Mapping[str, str], state_dir: Path) -> int:
    from kaaj_server.lsp.language_server import KaajServer  # noqa: PLC0415 - see above
    from kaaj_server.lsp.transport import StdioReader, StdioWriter  # noqa: PLC0415

    loop = asyncio.get_running_loop()
    server = KaajServer(environ, state_dir)

    def broken() -> None:
        loop.call_soon_threadsafe(server.finish, 1)

    writer = StdioWriter(os.fdopen(taken, "wb"), broken)
    server.protocol.set_writer(writer)
    StdioReader(given, loop, server.protocol.receive, lambda: server.finish(1), lambda: writer.busy).start()
    await _until_done(server)
    await asyncio.to_thread(writer.close)
    return server.exit_code


def serve_tcp(port: int, token: str, environ: Mapping[str, str], state_dir: Path) -> int:
    """Listen on 127.0.0.1 for one client. It shows `token` in `initializationOptions.token`; a client with another
    one, or none within 15 seconds, is answered an error, its connection is closed, and the next one may try. The
    first line on stderr names the port (for `port` 0: the one that was free). Raises ValueError for an empty token.
    """
    if not token:
        raise ValueError("a TCP server needs a token")
    _prepare_to_start()
    return _end(asyncio.run(_tcp(port, token, environ, state_dir)))


async def _tcp(port: int, token: str, environ: Mapping[str, str], state_dir: Path) -> int:
    served: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    admitted: list[KaajServer] = []

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from kaaj_server.lsp.connection import converse  # noqa: PLC0415 - see above

        code = await converse(reader, writer, token, environ, state_dir, admitted)
        if code is None:
            gc.enable()  # a stranger made cycles too, and however many come, none of them may stay
        elif not served.done():
            served.set_result(code)

    listener = await asyncio.start_server(connection, LOOPBACK, port)
    sys.stderr.write(f"kaaj: listening on {LOOPBACK}:{listener.sockets[0].getsockname()[1]}\n")
    sys.stderr.flush()
    async with listener:
        return await served


async def _until_done(server: KaajServer) -> None:
    await server.ended.wait()
    await server.close()


def _prepare_to_start() -> None:
    """Imports make many objects that stay: collecting garbage meanwhile only takes time (15 to 60 ms). `KaajServer`
    turns it on again once all is imported.
    """
    gc.disable()


def _end(code: int) -> int:
    """A thread that hangs in foreign code must not keep the process: it is ended after ten seconds."""
    watchdog = threading.Timer(_END_SECONDS, os._exit, (code,))
    watchdog.daemon = True
    watchdog.start()
    return code
