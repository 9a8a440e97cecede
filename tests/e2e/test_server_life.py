"""The life of a server: initialize, shutdown, exit, and everything a client can get wrong on the way."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_protocol import names
from kaaj_server.lsp.transport import frame
from kaaj_server.testing import EGLOT, NEOVIM_07, NEOVIM_11, VSCODE, FakeEditor, NewEditor, RpcError, with_events


@pytest.mark.parametrize(
    ("capabilities", "encoding"), [(VSCODE, "utf-16"), (NEOVIM_11, "utf-8"), (NEOVIM_07, "utf-16"), (EGLOT, "utf-16")]
)
async def test_initialize_tells_what_the_server_does(new_editor: NewEditor, capabilities: Any, encoding: str) -> None:
    async with new_editor(capabilities=capabilities) as editor:
        told = editor.initialized["capabilities"]
        assert told["positionEncoding"] == encoding
        assert told["textDocumentSync"]["openClose"] is True
        assert told["textDocumentSync"]["change"] == 2
        assert told["codeActionProvider"]["resolveProvider"] is True
        assert told["experimental"] == {"kaaj": {"version": 1}}
        assert "codeLensProvider" in told
        commands = ["start", "cancel", "accept", "reject", "undo", "todo", "snapshot", "fix"]
        assert told["executeCommandProvider"]["commands"][:8] == [f"kaaj.{name}" for name in commands]
        assert await editor.shut_down() == 0


async def test_a_client_with_the_stream_sees_the_protocols_commands_alone(new_editor: NewEditor) -> None:
    async with new_editor(capabilities=with_events(VSCODE)) as editor:
        assert editor.initialized["capabilities"]["executeCommandProvider"]["commands"] == list(names.COMMANDS)


async def test_another_version_of_the_stream_is_answered_with_a_sentence(new_editor: NewEditor) -> None:
    async with new_editor(capabilities=with_events(VSCODE, version=7)) as editor:
        await editor.eventually(lambda: editor.messages)
        assert "version 7" in editor.messages[0]["message"]
        assert "version 1" in editor.messages[0]["message"]


async def test_exit_without_shutdown_is_an_error(new_editor: NewEditor) -> None:
    async with new_editor() as editor:
        editor.notify("exit", None)
        assert await asyncio.wait_for(editor.process.wait(), 20) == 1


async def test_the_server_ends_with_its_input(new_editor: NewEditor) -> None:
    async with new_editor() as editor:
        assert editor.process.stdin is not None
        editor.process.stdin.close()
        assert await asyncio.wait_for(editor.process.wait(), 20) == 1


async def test_the_server_ends_with_its_parent(new_editor: NewEditor) -> None:
    parent = await asyncio.create_subprocess_exec("sleep", "60")
    editor = new_editor()
    await editor.launch()
    await editor.request("initialize", {"processId": parent.pid, "capabilities": {}})
    parent.kill()
    await parent.wait()
    assert await asyncio.wait_for(editor.process.wait(), 20) == 1
    await editor.kill()


async def test_requests_out_of_their_time_are_refused(new_editor: NewEditor) -> None:
    editor = new_editor()
    await editor.launch()
    with pytest.raises(RpcError) as early:
        await editor.command("kaaj.snapshot", {})
    assert early.value.code == -32002
    await editor.initialize()
    with pytest.raises(RpcError) as twice:
        await editor.request("initialize", {"capabilities": {}})
    assert twice.value.code == -32600
    await editor.request("shutdown", None)
    with pytest.raises(RpcError) as late:
        await editor.command("kaaj.snapshot", {})
    assert late.value.code == -32600
    editor.notify("exit", None)
    assert await asyncio.wait_for(editor.process.wait(), 20) == 0
    await editor.kill()


@pytest.mark.parametrize("params", [None, [], {}, {"capabilities": 3}])
async def test_an_initialize_without_capabilities_is_refused_by_name(new_editor: NewEditor, params: Any) -> None:
    editor = new_editor()
    await editor.launch()
    with pytest.raises(RpcError) as refused:
        await editor.request("initialize", params)
    assert refused.value.code == -32602
    assert refused.value.data == {"field": "capabilities"}
    await editor.initialize()
    await editor.kill()


async def test_nonsense_on_the_wire_is_answered_and_survived(new_editor: NewEditor) -> None:
    async with new_editor() as editor:
        for body in (b"{nonsense", b"[]", b'{"jsonrpc":"2.0","id":99,"method":5}', b'{"jsonrpc":"2.0","id":"x"}'):
            editor.send_bytes(frame(body))
        for method in ("textDocument/didChange", "textDocument/didOpen", "textDocument/didClose", "no/such"):
            editor.notify(method, {"textDocument": 3})
            editor.notify(method, None)
        with pytest.raises(RpcError) as unknown:
            await editor.request("no/such", {})
        assert unknown.value.code == -32601
        assert (await editor.command("kaaj.snapshot", {}))["version"] == 1
        errors = [json.loads(row[2:]) for row in editor.wire if row.startswith("←") and '"id":null' in row]
        assert [error["error"]["code"] for error in errors] == [-32700, -32600]


async def test_a_broken_stream_ends_the_server(new_editor: NewEditor) -> None:
    async with new_editor() as editor:
        editor.send_bytes(b"Content-Length: none\r\n\r\n")
        assert await asyncio.wait_for(editor.process.wait(), 20) == 1


async def test_wrong_settings_are_told_and_the_others_hold(new_editor: NewEditor) -> None:
    settings = {"mode": "bold", "check": "none", "baseURL": "x"}
    async with new_editor(settings=settings) as editor:
        await editor.eventually(lambda: editor.messages)
        message = editor.messages[0]["message"]
        assert "mode" in message
        assert "baseURL: there is no such setting" in message


async def test_a_client_that_never_answers_its_configuration_holds_nothing_up(new_editor: NewEditor) -> None:
    async with new_editor(answers_configuration=False) as editor:
        assert (await editor.command("kaaj.snapshot", {}))["sessions"] == []


async def test_new_settings_hold_for_the_next_task(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer("One."), answer("Two."))
    async with new_editor(capabilities=with_events(VSCODE), settings={"check": "none", "model": "first"}) as editor:
        await editor.eventually(lambda: any("client/registerCapability" in row for row in editor.wire))
        for model in ("first", "second"):
            editor.settings = {"check": "none", "model": model}
            editor.notify("workspace/didChangeConfiguration", {"settings": None})
            started = await editor.command("kaaj.start", {"prompt": "Go."})
            await finished(editor, started["task"])
        assert [prompt["model"] for prompt in endpoint.prompts] == ["first", "second"]


async def finished(editor: FakeEditor, task: str) -> None:
    await editor.eventually(lambda: editor.event("task_finished", task=task))


async def test_folders_come_and_go(new_editor: NewEditor, endpoint: ScriptedEndpoint, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "far.py").write_text("far = True\n")
    endpoint.add(answer_calls(("read", {"path": "other/far.py"})), answer("Read."))
    async with new_editor(capabilities=with_events(VSCODE)) as editor:
        row = {"uri": other.as_uri(), "name": "other"}
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [row], "removed": []}})
        started = await editor.command("kaaj.start", {"prompt": "Go."})
        await finished(editor, started["task"])
        assert "far = True" in endpoint.prompts[1]["messages"][-1]["content"]
        gone = [{"uri": editor.workspace.as_uri(), "name": "shop"}, row]
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": gone}})
        with pytest.raises(RpcError, match="No workspace folder"):
            await editor.command("kaaj.start", {"prompt": "Go."})
