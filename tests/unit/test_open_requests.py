"""Requests that are open: one of each id, and not without end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kaaj_server.lsp.language_server import KaajServer
from kaaj_server.lsp.protocol import OPEN_MAX
from kaaj_server.lsp.transport import Frames


class Client:
    """What a server that has been initialized says, and which requests it takes on."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[Any] = []
        self.taken: list[Any] = []
        self.protocol: Any = KaajServer({}, folder).protocol
        self.protocol.set_writer(self)
        self.protocol._started = True
        monkeypatch.setattr(self.protocol, "handle_message", self.taken.append)

    def write(self, data: bytes) -> None:
        self.said += [json.loads(body) for body in Frames().feed(data)]

    def close(self) -> None:
        pass

    def leave_open(self, *numbers: int) -> None:
        self.protocol._request_futures.update(
            {number: asyncio.get_running_loop().create_future() for number in numbers}
        )

    def ask(self, method: str, number: int) -> None:
        row = {"jsonrpc": "2.0", "id": number, "method": method, "params": {}}
        self.protocol.receive(json.dumps(row).encode())


async def test_an_id_is_refused_while_its_request_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(tmp_path, monkeypatch)
    client.leave_open(7)
    client.ask("workspace/executeCommand", 7)
    assert client.taken == []
    assert "still open" in client.said[0]["error"]["message"]
    client.ask("workspace/executeCommand", 8)
    assert len(client.taken) == 1


async def test_only_so_many_requests_are_open_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(tmp_path, monkeypatch)
    client.leave_open(*range(OPEN_MAX))
    client.ask("workspace/executeCommand", OPEN_MAX)
    assert client.taken == []
    assert "open already" in client.said[0]["error"]["message"]
    client.ask("shutdown", OPEN_MAX)
    assert len(client.taken) == 1, "a client can leave all the same"
