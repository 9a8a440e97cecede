"""Requests that are open: one of each id, not without end, and each with its answer."""

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
        server: Any = KaajServer({}, folder)
        self.protocol: Any = server.protocol
        self.protocol.set_writer(self)
        self.protocol._started = True
        monkeypatch.setattr(self.protocol, "handle_message", self.taken.append)

    def write(self, data: bytes) -> None:
        self.said += [json.loads(body) for body in Frames().feed(data)]

    def close(self) -> None:
        pass

    def leave_open(self, count: int) -> None:
        """Requests with the ids from 1 on."""
        for number in range(1, count + 1):
            self.protocol._request_futures[number] = asyncio.get_running_loop().create_future()

    def ask(self, method: str, number: int) -> None:
        row: dict[str, Any] = {"jsonrpc": "2.0", "id": number, "method": method, "params": {}}
        self.protocol.receive(json.dumps(row).encode())


async def test_an_id_is_refused_while_its_request_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(tmp_path, monkeypatch)
    client.leave_open(1)
    client.ask("workspace/executeCommand", 1)
    assert client.taken == []
    assert "still open" in client.said[0]["error"]["message"]
    client.ask("workspace/executeCommand", 2)
    assert len(client.taken) == 1


async def test_only_so_many_requests_are_open_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(tmp_path, monkeypatch)
    client.leave_open(OPEN_MAX)
    client.ask("workspace/executeCommand", OPEN_MAX + 1)
    assert client.taken == []
    assert "open already" in client.said[0]["error"]["message"]
    client.ask("shutdown", OPEN_MAX + 1)
    assert len(client.taken) == 1, "a client can leave all the same"


async def test_a_request_is_answered_whatever_goes_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(tmp_path, monkeypatch)

    def fail(_request: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(client.protocol, "handle_message", fail)
    client.ask("workspace/executeCommand", 1)
    assert [(one["id"], one["error"]["code"]) for one in client.said] == [(1, -32603)]
