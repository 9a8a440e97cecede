"""The real server killed while its client makes the edit: the next one says what became of it, and can take it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import VSCODE, FakeEditor, with_events

STREAM = with_events(VSCODE)
OLD, NEW = "        result = price\n", "        result += price\n"
FIX = answer_calls(
    ("edit", {"path": "cart.py", "old": OLD, "new": NEW}), ("write", {"path": "new.py", "content": "y = 1\n"})
)


class Dies(FakeEditor):
    """An editor whose server dies once it has asked for an edit, of which only what names `arrives` comes to be."""

    arrives: str = ""
    done: bool = False

    async def _obey(self, edit: Any) -> bool | None:
        self.process.kill()
        await self.process.wait()
        rows = [row for row in edit["documentChanges"] if self.arrives and self.arrives in json.dumps(row)]
        await self.apply({"documentChanges": rows})
        self.done = True
        return None

    def _send(self, message: dict[str, Any]) -> None:
        if self.process.returncode is None:
            super()._send(message)


@pytest.mark.parametrize(
    ("arrives", "state", "said"),
    [
        ("", "proposed", "nothing of it was"),
        ("cart.py", "applied", "With the new text: cart.py. Without it: new.py"),
        ("uri", "applied", "all of it is in your files"),
    ],
)
async def test_killed_while_the_client_makes_the_edit(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path, arrives: str, state: str, said: str
) -> None:
    endpoint.add(FIX, answer("Done."))
    before = (workspace / "cart.py").read_text()
    editor = Dies(workspace, STREAM, env, {"check": "none"})
    editor.arrives = arrives
    async with editor:
        uri = await editor.open("cart.py")
        await editor.command("kaaj.start", {"prompt": "total() must add up."})
        change = await editor.eventually(lambda: editor.change("proposed"), "a proposal")
        accept = {"change": change["id"], "digest": change["digest"]}
        editor.send_request("workspace/executeCommand", {"command": "kaaj.accept", "arguments": [accept]})
        await editor.eventually(lambda: editor.done, "its end")
    async with FakeEditor(workspace, STREAM, env, {"check": "none"}) as again:
        for name, text in editor.buffers.items():  # not saved: the disk has the old text
            again.open_uri(name, text)
        shown = await again.command("kaaj.snapshot", {})
        states = {one["id"]: one["state"] for one in shown["changes"]}
        assert states[change["id"]] == state
        assert said in json.dumps(shown)
        if state == "applied":
            await again.command("kaaj.undo", {"change": change["id"]})
            assert again.text(uri) == before
            assert not (workspace / "new.py").exists()
