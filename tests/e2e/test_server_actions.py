"""Code actions: listed at once, worked out when chosen."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import EGLOT, NEOVIM_11, VSCODE, FakeEditor, NewEditor, RpcError

OLD = "        result = price\n"
NEW = "        result += price\n"
FIX = answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW}))
DONE = answer("Prices are added up now.")
LINE = {"start": {"line": 3, "character": 0}, "end": {"line": 4, "character": 0}}
PROBLEM = {
    "range": {"start": {"line": 3, "character": 8}, "end": {"line": 3, "character": 14}},
    "message": "result is overwritten\nin each round",
    "severity": 2,
    "source": "lint",
    "data": {"keep": "me"},
}


async def offered(editor: FakeEditor, uri: str, place: Any = LINE, **context: Any) -> list[Any]:
    params: Any = {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": [], **context}}
    return list(await editor.request("textDocument/codeAction", params))


async def test_each_problem_gets_its_fix(new_editor: NewEditor) -> None:
    async with new_editor() as editor:
        uri = await editor.open("cart.py")
        actions = await offered(editor, uri, diagnostics=[PROBLEM, "nonsense"], only=["quickfix"])
        assert [action["title"] for action in actions] == ["Fix with Kaaj: result is overwritten"]
        assert actions[0]["kind"] == "quickfix"
        assert actions[0]["diagnostics"] == [PROBLEM]
        assert "edit" not in actions[0]
        assert "command" not in actions[0]


async def test_a_selection_gets_the_rest(new_editor: NewEditor) -> None:
    async with new_editor(capabilities=EGLOT) as editor:
        uri = await editor.open("cart.py")
        editor.edit(uri, (3, 0), (3, 0), "        # TODO add them up\n")
        titles = [action["title"] for action in await offered(editor, uri)]
        assert titles[0] == "Kaaj: do this comment"
        assert "Kaaj: explain" in titles
        assert "Kaaj: write tests" in titles
        nothing = {"start": {"line": 7, "character": 0}, "end": {"line": 7, "character": 0}}
        assert [action["title"] for action in await offered(editor, uri, nothing)] == ["Kaaj: open the chat"]
        editor.edit(uri, (3, 0), (3, 0), "        # kaaj: use sum()\n")
        edit = (await offered(editor, uri))[0]
        assert edit["title"] == "Kaaj: do “use sum()”"
        assert edit["kind"] == "refactor.rewrite"
        (argument,) = edit["command"]["arguments"]
        assert argument["prompt"].startswith("use sum()\n")
        assert (argument["uri"], argument["range"]) == (uri, LINE)


async def test_a_line_without_a_known_problem_can_be_mended_too(new_editor: NewEditor) -> None:
    async with new_editor(capabilities=NEOVIM_11) as editor:
        uri = await editor.open("cart.py")

        async def at(line: int) -> list[Any]:
            cursor = {"line": line, "character": 0}
            found = await offered(editor, uri, {"start": cursor, "end": cursor})
            return [one for one in found if one["title"] == "Kaaj: fix what is wrong here"]

        (action,) = await at(3)
        assert action["data"]["kaaj"]["command"] == "kaaj.fix"
        assert await at(6) == [], "a blank line has nothing wrong"


async def test_a_client_without_literals_gets_commands(new_editor: NewEditor) -> None:
    async with new_editor(capabilities={}) as editor:
        uri = await editor.open("cart.py")
        for action in await offered(editor, uri, diagnostics=[PROBLEM]):
            assert isinstance(action["command"], str)


async def test_what_is_no_file_gets_nothing(new_editor: NewEditor) -> None:
    async with new_editor() as editor:
        editor.open_uri("untitled:Untitled-1", "x = 1\n")
        assert await offered(editor, "untitled:Untitled-1") == []


async def test_without_resolving_the_action_carries_the_command(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=EGLOT, answer=lambda titles: titles[0]) as editor:
        uri = await editor.open("cart.py")
        fix = (await offered(editor, uri, diagnostics=[PROBLEM]))[0]
        assert fix["command"]["command"] == "kaaj.fix"
        await editor.request("workspace/executeCommand", fix["command"])
        await editor.eventually(lambda: NEW in editor.buffers[uri])


async def test_resolving_gives_an_edit_to_confirm(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=VSCODE) as editor:
        uri = await editor.open("cart.py")
        fix = (await offered(editor, uri, diagnostics=[PROBLEM]))[0]
        resolved = await editor.request("codeAction/resolve", fix)
        edit = resolved["edit"]
        assert edit["documentChanges"][0]["textDocument"] == {"uri": uri, "version": 1}
        assert [row["needsConfirmation"] for row in edit["changeAnnotations"].values()] == [True]
        assert editor.edits == []
        assert editor.questions == []
        assert await editor.apply(edit)
        drawn: Any = {}
        while not drawn or drawn["changes"][-1]["state"] != "applied":
            drawn = await editor.command("kaaj.snapshot", {})
        assert "Problems:" in endpoint.prompts[0]["messages"][-1]["content"]


async def test_without_annotations_the_server_asks_first(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=NEOVIM_11, answer=lambda titles: titles[0]) as editor:
        uri = await editor.open("cart.py")
        fix = (await offered(editor, uri, diagnostics=[PROBLEM]))[0]
        resolved = await editor.request("codeAction/resolve", fix)
        assert len(editor.questions) == 1
        assert editor.edits == []
        assert await editor.apply(resolved["edit"])
        assert NEW in editor.buffers[uri]


async def test_a_discarded_edit_stays_proposed_and_blocks_nothing(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=VSCODE) as editor:
        uri = await editor.open("cart.py")
        fix = (await offered(editor, uri, diagnostics=[PROBLEM]))[0]
        await editor.request("codeAction/resolve", fix)
        titles = {action["title"]: action for action in await offered(editor, uri)}
        apply = titles["Kaaj: apply the change (1 hunk in 1 file)"]
        await editor.request("workspace/executeCommand", apply["command"])
        assert NEW in editor.buffers[uri]


async def test_cancelling_the_resolve_cancels_the_task(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(replace(answer("one two three", chunk=3), hang_after=1))
    async with new_editor(capabilities=VSCODE) as editor:
        uri = await editor.open("cart.py")
        fix = (await offered(editor, uri, diagnostics=[PROBLEM]))[0]
        number, future = editor.send_request("codeAction/resolve", fix)
        await editor.eventually(lambda: endpoint.prompts)
        editor.notify("$/cancelRequest", {"id": number})
        with pytest.raises(RpcError) as cancelled:
            await asyncio.wait_for(future, 20)
        assert cancelled.value.code == -32800
        drawn: Any = {"tasks": [{"status": "running"}]}
        while drawn["tasks"][0]["status"] == "running":
            drawn = await editor.command("kaaj.snapshot", {})
        assert drawn["tasks"][0]["status"] == "cancelled"


async def test_nothing_to_change_is_a_sentence_and_no_error(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer("That is right as it is."))
    async with new_editor(capabilities=NEOVIM_11) as editor:
        uri = await editor.open("cart.py")
        fix = (await offered(editor, uri, diagnostics=[PROBLEM]))[0]
        resolved = await editor.request("codeAction/resolve", fix)
        assert resolved["edit"] == {"changes": {}}
        assert [row["message"] for row in editor.messages] == ["That is right as it is."]


@pytest.mark.parametrize("data", [{"kaaj": {"command": "kaaj.undo", "change": "x"}}, {"kaaj": {"uri": 4}}])
async def test_an_action_that_is_not_ours_is_refused(new_editor: NewEditor, data: Any) -> None:
    async with new_editor() as editor:
        with pytest.raises(RpcError) as refused:
            await editor.request("codeAction/resolve", {"title": "x", "data": data})
        assert refused.value.code == -32602
        assert await editor.request("codeAction/resolve", {"title": "other"}) == {"title": "other"}
