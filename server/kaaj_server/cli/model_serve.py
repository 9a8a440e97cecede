"""`kaaj model serve`: the machine's one embedded server, kept up, and on a port of the person's choice."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from rich.text import Text

from kaaj_agent.embedded.lease import acquire
from kaaj_agent.embedded.models import EmbeddedModel
from kaaj_agent.failures import KaajError
from kaaj_server.cli.context import DONE, Context

_CHUNK: Final = 65_536
_HOST: Final = "127.0.0.1"


async def serve_model(context: Context, model: EmbeddedModel, port: int) -> None:
    """Hold the server until cancelled. Every Kaaj on the machine shares it: a port is only a second door to it.

    Raises ModelError where it does not start, KaajError where the port is taken.
    """
    console = context.console()
    console.print(Text(f"Starting {model.name} ...", style="dim"))
    async with await acquire(model, environ=context.environ, state=context.state_dir) as lease:
        address = urlsplit(lease.native_url)
        inner = (address.hostname or _HOST, address.port or 80)

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _forward(reader, writer, *inner)

        url = lease.base_url
        door: asyncio.Server | None = None
        if port:
            try:
                door = await asyncio.start_server(forward, _HOST, port)
            except OSError as error:
                raise KaajError(
                    f"Port {port} cannot be used: {error.strerror}.", hint="Take another one, or leave --port out."
                ) from error
            url = f"http://{_HOST}:{port}/v1"
        console.print(Text.assemble((model.name, "bold"), f"  {lease.context:,} tokens of context"))
        console.print(Text(f"export KAAJ_BASE_URL={url}", style="cyan"))
        console.print(Text(f"export KAAJ_API_KEY={lease.api_key}", style="cyan"))
        console.print(Text("Ctrl-C ends it, once no other Kaaj uses it.", style="dim"))
        try:
            await asyncio.Event().wait()
        finally:
            if door is not None:
                door.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
    """Bytes both ways, until one side has no more."""
    try:
        far_reader, far_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.close()
        return
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(reader, far_writer))
            both.create_task(_pump(far_reader, writer))
    except* ConnectionError:
        pass
    finally:
        writer.close()
        far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def serve_until_interrupted(context: Context, model: EmbeddedModel, port: int) -> int:
    """Serve until Ctrl-C, which is the way this is meant to end: 0."""
    try:
        asyncio.run(serve_model(context, model, port))
    except KeyboardInterrupt:
        context.stderr.write("\n")
    return DONE
