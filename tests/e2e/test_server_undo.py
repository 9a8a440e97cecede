"""Undo over the wire: of one file, refused where later edits stand, and merged with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import EGLOT, NEOVIM_07, NEOVIM_11, VSCODE, FakeEditor, NewEditor, RpcError, with_events

OLD, NEW = "        result = price\n", "        result += price\n"
FIX = answer_calls(
    ("edit", {"path": "cart.py", "old": OLD, "new": NEW}), ("write", {"path": "new.py", "content": "y = 1\n"})
)

ALONE = answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW}))


async def titles(editor: FakeEditor, uri: str) -> dict[str, Any]:
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    asked: dict[str, Any] = {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}}
    return {action["title"]: action for action in await editor.request("textDocument/codeAction", asked)}


async def test_undo_of_one_file_and_a_merge(new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path) -> None:
    endpoint.add(FIX, answer("Done."))
    async with new_editor(capabilities=with_events(VSCODE)) as editor:
        uri = await editor.open("cart.py")
        await editor.command("kaaj.start", {"prompt": "total() must add up."})
        change = await editor.eventually(lambda: editor.change("proposed"), "a proposal")
        await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
        assert "Kaaj: take back in this file only" in await titles(editor, uri)

        undone = await editor.command("kaaj.undo", {"change": change["id"], "uri": editor.uri("new.py")})
        assert undone["state"] == "undone"
        assert not (workspace / "new.py").exists()
        assert NEW in editor.text(uri)

        line = editor.text(uri).splitlines().index(NEW.rstrip("\n"))
        editor.edit(uri, (line, 0), (line, 0), "    ")  # the very line that was changed
        with pytest.raises(RpcError, match="Undo with a merge") as refused:
            await editor.command("kaaj.undo", {"change": change["id"]})
        assert refused.value.data == {"stale": ["cart.py"]}
        action = (await titles(editor, uri))["Kaaj: take back, merged with later edits"]
        merged = await editor.command(action["command"]["command"], *action["command"]["arguments"])
        assert (merged["state"], merged["change"] == change["id"]) == ("proposed", False)
        shown = await editor.eventually(lambda: editor.change("proposed"), "the merge")
        assert shown["id"] == merged["change"]
        assert shown["summary"].startswith("Undo, 1 conflict: ")
        assert "between marks" in merged["message"]
        before = editor.text(uri)
        assert "<<<<<<<" not in before
        await editor.command("kaaj.accept", {"change": shown["id"], "digest": shown["digest"]})
        assert f"<<<<<<< as it is now\n    {NEW}=======\n{OLD}>>>>>>> before the change\n" in editor.text(uri)
        states = {one["id"]: one["state"] for one in (await editor.command("kaaj.snapshot", {}))["changes"]}
        assert states[change["id"]] == "undone"


async def offered(editor: FakeEditor, uri: str, title: str) -> Any:
    """The command of a code action, once it is there."""
    while title not in (found := await titles(editor, uri)):
        await asyncio.sleep(0.02)
    return found[title]["command"]


def chosen(*wanted: str) -> Callable[[Sequence[str]], str]:
    """Picks what begins so, wherever it is offered, and else the last choice."""
    return lambda titles: next((one for one in titles if one.startswith(wanted)), titles[-1])


@pytest.mark.parametrize("capabilities", [NEOVIM_11, NEOVIM_07, EGLOT])
async def test_a_stock_client_is_offered_the_merge(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, capabilities: Any
) -> None:
    endpoint.add(ALONE, answer("Done."))
    async with new_editor(capabilities=capabilities, answer=chosen("Apply", "Propose")) as editor:
        uri = await editor.open("cart.py")
        await editor.command("kaaj.start", {"prompt": "total() must add up.", "uri": uri})
        await editor.eventually(lambda: NEW in editor.text(uri))
        undo = await offered(editor, uri, "Kaaj: undo")
        line = editor.text(uri).splitlines().index(NEW.rstrip("\n"))
        editor.edit(uri, (line, 0), (line, 0), "    ")
        said = await editor.request("workspace/executeCommand", undo)
        assert said["state"] == "applied"
        await editor.eventually(lambda: "<<<<<<<" in editor.text(uri))
        merge, way_back = editor.questions[-2:]
        assert "cart.py" in merge["message"]
        assert [action["title"] for action in merge["actions"]] == ["Propose a merge", "Leave it"]
        assert "Undo, 1 conflict: " in way_back["message"]
        assert f"<<<<<<< as it is now\n    {NEW}=======\n{OLD}>>>>>>> before the change\n" in editor.text(uri)


async def test_what_is_left_stays(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(ALONE, answer("Done."))
    async with new_editor(answer=chosen("Apply", "Leave")) as editor:
        uri = await editor.open("cart.py")
        await editor.command("kaaj.start", {"prompt": "total() must add up.", "uri": uri})
        await editor.eventually(lambda: NEW in editor.text(uri))
        undo = await offered(editor, uri, "Kaaj: undo")
        line = editor.text(uri).splitlines().index(NEW.rstrip("\n"))
        editor.edit(uri, (line, 0), (line, 0), "    ")
        before = editor.text(uri)
        await editor.request("workspace/executeCommand", undo)
        await editor.eventually(lambda: "Leave it" in str(editor.questions[-1]))
        await offered(editor, uri, "Kaaj: take back, merged with later edits")
        assert editor.text(uri) == before
