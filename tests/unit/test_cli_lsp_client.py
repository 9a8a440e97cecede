"""The demo's language client and its tiny editor, against small servers that are real processes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_server.cli.editor import Editor, Encoding, characters, edited
from kaaj_server.cli.lsp_client import LspClient, ServerGoneError, ServerRefusedError

SERVER = """
import json, sys

def read():
    length = 0
    while (line := sys.stdin.buffer.readline()) not in (b"\\r\\n", b""):
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return json.loads(sys.stdin.buffer.read(length)) if line else None

def say(**message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    sys.stdout.buffer.flush()

while (message := read()) is not None:
    match message.get("method"):
        case None:
            say(method="echo", params=message)
        case "ask":
            say(id=900, method=message["params"]["what"], params=1)
            say(id=message["id"], result="asked")
        case "refuse":
            say(id=message["id"], error={"code": -32602, "message": "prompt: must not be empty"})
        case "die":
            sys.exit(3)
        case "garble":
            sys.stdout.buffer.write(b"this is no LSP\\n\\n"); sys.stdout.buffer.flush()
        case "shutdown":
            say(id=message["id"], result=None)
        case "exit":
            sys.exit(0)
        case method:
            if "id" in message:
                say(id=message["id"], result=[method, message["params"]])
"""


async def start(tmp_path: Path) -> LspClient:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    return await LspClient.start(
        [sys.executable, "-u", str(script)], cwd=tmp_path, environ={}, log=tmp_path / "server.log"
    )


async def test_requests_are_answered_and_the_server_ends_in_order(tmp_path: Path) -> None:
    async with await start(tmp_path) as client:
        assert await client.request("hello", {"a": "ü"}) == ["hello", {"a": "ü"}]
        with pytest.raises(ServerRefusedError, match="prompt: must not be empty"):
            await client.request("refuse", None)
    assert client.process.returncode == 0


async def test_a_request_of_the_servers_is_answered(tmp_path: Path) -> None:
    async with await start(tmp_path) as client:
        heard: list[Any] = []

        async def configuration(params: Any) -> Any:
            return [params]

        client.requests["workspace/configuration"] = configuration
        client.notifications["echo"] = heard.append
        for what in ("workspace/configuration", "unheard/of"):
            assert await client.request("ask", {"what": what}) == "asked"
        while len(heard) < 2:
            await client.request("hello", None)
        assert heard[0]["result"] == [1]
        assert heard[1]["error"]["code"] == -32601


@pytest.mark.parametrize("end", ["die", "garble"])
async def test_a_server_that_ends_or_talks_nonsense_fails_what_waits(tmp_path: Path, end: str) -> None:
    async with await start(tmp_path) as client:
        with pytest.raises(ServerGoneError) as caught:
            await client.request(end, None)
        assert "server.log" in caught.value.hint
        with pytest.raises(ServerGoneError):
            await client.request("hello", None)
    assert client.process.returncode is not None


async def test_a_server_that_cannot_start_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="could not be started"):
        await LspClient.start([str(tmp_path / "none")], cwd=tmp_path, environ={}, log=tmp_path / "log")


async def test_the_editor_edits_saves_and_refuses_old_versions(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"one\r\ntwo\r\n")
    async with await start(tmp_path) as client:
        editor = Editor(client)
        await editor.open(path, "one\r\ntwo\r\nunsaved")
        place = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 3}}
        edit = {"textDocument": {"uri": path.as_uri(), "version": 1}, "edits": [{"range": place, "newText": "2"}]}
        assert await editor.apply({"edit": {"documentChanges": [edit]}}) == {"applied": True}
        again = await editor.apply({"edit": {"documentChanges": [edit]}})
        assert not again["applied"]
        await editor.save_all()
    assert path.read_bytes() == b"one\r\n2\r\nunsaved"


ENCODINGS: dict[Encoding, str] = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}


@given(st.text(alphabet="aé€😀", max_size=12), st.integers(0, 12), st.sampled_from(list(ENCODINGS)))
def test_code_units_and_characters(line: str, count: int, encoding: Encoding) -> None:
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    units = len(line[:count].encode(ENCODINGS[encoding])) // width
    assert characters(line, units, encoding) == len(line[:count])


def test_several_edits_mean_the_text_as_it_was() -> None:
    def at(line: int, character: int) -> dict[str, int]:
        return {"line": line, "character": character}

    edits = [
        {"range": {"start": at(1, 0), "end": at(2, 0)}, "newText": ""},
        {"range": {"start": at(0, 3), "end": at(0, 3)}, "newText": "!"},
        {"range": {"start": at(2, 0), "end": at(9, 0)}, "newText": "end"},
    ]
    assert edited("a😀b\nc\nd", edits, "utf-16") == "a😀!b\nend"
