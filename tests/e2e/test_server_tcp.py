"""TCP: loopback, one client, and only with the token."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from kaaj_server.lsp import language_server
from kaaj_server.lsp.server import serve_tcp
from kaaj_server.lsp.transport import Frames, frame

TOKEN = "a-token-of-the-test"


class Server:
    """A server that listens."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


@pytest.fixture
async def server(env: dict[str, str]) -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kaaj_server", "serve", "--tcp", "0"),
        env=env | {"KAAJ_TCP_TOKEN": TOKEN},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    line = (await asyncio.wait_for(process.stderr.readline(), 20)).decode()
    found = re.search(r"127\.0\.0\.1:(\d+)", line)
    assert found is not None, line
    yield Server(process, int(found[1]))
    if process.returncode is None:
        process.kill()
    await process.communicate()


def initialize(options: Any) -> bytes:
    params: Any = {"processId": None, "capabilities": {}, "initializationOptions": options}
    return frame(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode())


async def answers(reader: asyncio.StreamReader) -> list[Mapping[str, Any]]:
    """The first answer, or nothing where the connection ends."""
    frames = Frames()
    while data := await asyncio.wait_for(reader.read(65_536), 20):
        bodies = [json.loads(body) for body in frames.feed(data)]
        if bodies:
            return bodies
    return []


@pytest.mark.parametrize("options", [None, {}, {"token": "wrong"}, {"token": None}, "text", {"kaaj": {"token": TOKEN}}])
async def test_a_wrong_token_closes_the_connection_and_the_next_may_try(server: Server, options: Any) -> None:
    reader, writer = await server.connect()
    writer.write(initialize(options))
    first = await answers(reader)
    assert "token" in first[0]["error"]["message"]
    assert await asyncio.wait_for(reader.read(), 20) == b""
    writer.close()
    reader, writer = await server.connect()
    writer.write(initialize({"token": TOKEN}))
    assert "capabilities" in (await answers(reader))[0]["result"]
    writer.write(frame(b'{"jsonrpc":"2.0","id":2,"method":"shutdown"}'))
    assert (await answers(reader))[0]["result"] is None
    writer.write(frame(b'{"jsonrpc":"2.0","method":"exit"}'))
    assert await asyncio.wait_for(server.process.wait(), 20) == 0
    writer.close()


async def test_a_stranger_cannot_send_much_nor_ask_anything(server: Server) -> None:
    reader, writer = await server.connect()
    writer.write(frame(b'{"jsonrpc":"2.0","id":1,"method":"workspace/executeCommand","params":{}}'))
    assert (await answers(reader))[0]["error"]["code"] == -32002
    writer.write(frame(b" " * 2_000_000))
    said = b""
    with suppress(ConnectionError):  # what it has not read, its end resets
        said = await asyncio.wait_for(reader.read(), 20)
    assert said == b"", "it is hung up on before it has sent that much; a message that was read would be answered"
    writer.close()
    assert server.process.returncode is None


async def test_a_second_client_is_turned_away(server: Server) -> None:
    reader, writer = await server.connect()
    writer.write(initialize({"token": TOKEN}))
    await answers(reader)
    other, unwanted = await server.connect()
    unwanted.write(initialize({"token": TOKEN}))
    assert "another client" in (await answers(other))[0]["error"]["message"]
    assert await asyncio.wait_for(other.read(), 20) == b""
    unwanted.close()
    writer.close()
    assert await asyncio.wait_for(server.process.wait(), 20) == 1


async def test_of_two_that_come_at_once_one_is_served(server: Server) -> None:
    (first, one), (second, two) = await server.connect(), await server.connect()
    one.write(initialize({"token": TOKEN}))
    assert "capabilities" in (await answers(first))[0]["result"]
    two.write(initialize({"token": TOKEN}))
    assert "another client" in (await answers(second))[0]["error"]["message"]
    assert await asyncio.wait_for(second.read(), 20) == b""
    two.close()
    one.write(frame(b'{"jsonrpc":"2.0","id":2,"method":"shutdown"}'))
    assert (await answers(first))[0]["result"] is None
    one.close()


async def test_no_other_machine_reaches_the_port(server: Server) -> None:
    """The kernel's own list of sockets that listen: 127.0.0.1, and nothing else on that port."""
    rows: list[str] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if Path(table).exists():
            rows += [line.split()[1] for line in Path(table).read_text().splitlines()[1:] if line.split()[3] == "0A"]
    assert [row for row in rows if row.endswith(f":{server.port:04X}")] == [f"0100007F:{server.port:04X}"]


async def test_no_token_no_listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="token"):
        serve_tcp(0, "", {}, tmp_path)
    compared: list[tuple[bytes, bytes]] = []

    def recorded(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", recorded)
    kaaj = language_server.KaajServer({}, tmp_path, TOKEN)
    shown: list[Any] = [TOKEN, "wrong", None, 5, "\ud800"]
    assert [bool(kaaj.admit({"initializationOptions": {"token": one}})) for one in shown] == [False, *[True] * 4]
    assert len(compared) == len(shown)  # every one in constant time, and never by ==
