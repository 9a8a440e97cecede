"""One client over TCP: its token first, then the same server as on stdio."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from kaaj_server.lsp.language_server import KaajServer
from kaaj_server.lsp.transport import MESSAGE_MAX, BrokenStreamError, Frames, StreamWriter

_log: Final = logging.getLogger(__name__)
_TOKEN_SECONDS: Final = 15.0
_STRANGER_MAX: Final = 1024 * 1024
"""Bytes of a message that are read from a client that has not shown its token."""
_CHUNK: Final = 65_536


async def converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    token: str,
    environ: Mapping[str, str],
    state_dir: Path,
    admitted: list[KaajServer],
) -> int | None:
    """Serve one client until it is gone. Returns the exit code, or None for a client that was never admitted."""
    server = KaajServer(environ, state_dir, token)
    server.others = admitted
    server.protocol.set_writer(StreamWriter(writer))
    frames = Frames(_STRANGER_MAX)
    shown = asyncio.Event()

    def admit() -> None:
        admitted.append(server)
        frames.limit, frames.skips = MESSAGE_MAX, True
        shown.set()

    reading = asyncio.create_task(_read(reader, writer, frames, server, admit))
    ended = asyncio.create_task(server.ended.wait())
    token_shown = asyncio.create_task(shown.wait())
    try:
        first = asyncio.FIRST_COMPLETED
        await asyncio.wait({reading, ended, token_shown}, timeout=_TOKEN_SECONDS, return_when=first)
        if server in admitted:
            await asyncio.wait({reading, ended}, return_when=first)
    finally:
        for task in (reading, ended, token_shown):
            task.cancel()
        await asyncio.gather(reading, ended, token_shown, return_exceptions=True)
        await server.close()
        writer.close()
    return server.exit_code if server in admitted else None


async def _read(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    frames: Frames,
    server: KaajServer,
    admit: Callable[[], None],
) -> None:
    admitted = False
    try:
        while data := await reader.read(_CHUNK):
            for body in frames.feed(data):
                server.protocol.receive(body)
                if server.protocol.is_started and not admitted:
                    admitted = True
                    admit()
            await writer.drain()  # nothing more is read from a client that does not fetch what it is sent
    except (BrokenStreamError, ConnectionError) as error:
        _log.warning("the client's stream broke: %s", error)
