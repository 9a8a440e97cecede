"""Undo over the wire: of one file, refused where later edits stand, and merged with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import VSCODE, FakeEditor, NewEditor, RpcError, with_events

OLD, NEW = "        result = price\n", "        result += price\n"
FIX = answer_calls(
    ("edit", {"path": "cart.py", "old": OLD, "new": NEW}), ("write", {"path": "new.py", "content": "y = 1\n"})
)


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
        with pytest.raises(RpcError, match="Undo with a merge"):
            await editor.command("kaaj.undo", {"change": change["id"]})
        action = (await titles(editor, uri))["Kaaj: take back, merged with later edits"]
        merged = await editor.command(action["command"]["command"], *action["command"]["arguments"])
        assert (merged["state"], merged["change"] == change["id"]) == ("proposed", False)
        shown = await editor.eventually(lambda: editor.change("proposed"), "the merge")
        assert shown["id"] == merged["change"]
        before = editor.text(uri)
        assert "<<<<<<<" not in before
        await editor.command("kaaj.accept", {"change": shown["id"], "digest": shown["digest"]})
        assert f"<<<<<<< as it is now\n    {NEW}=======\n{OLD}>>>>>>> before the change\n" in editor.text(uri)
        states = {one["id"]: one["state"] for one in (await editor.command("kaaj.snapshot", {}))["changes"]}
        assert states[change["id"]] == "undone"
