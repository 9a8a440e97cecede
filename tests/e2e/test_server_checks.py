"""The check that was found is asked for once; a file that changes outside of the editor is known at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import NEOVIM_11, VSCODE, NewEditor, with_events

STREAM = with_events(VSCODE)
DONE = answer("Done.")
OLD, NEW = "        result = price\n", "        result += price\n"
FIX = answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW}))


@pytest.mark.parametrize("choice", [0, 1])
async def test_the_check_is_asked_for_once_and_remembered(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path, choice: int
) -> None:
    (workspace / "Makefile").write_text("test:\n\tgrep -q '+= price' cart.py\n")
    endpoint.add(*[FIX, DONE] * 3)

    def answers(titles: Sequence[str]) -> str | None:
        return None if titles[0].startswith("Apply") else titles[choice]

    for start in range(2):
        async with new_editor(capabilities=NEOVIM_11, settings={"check": ""}, answer=answers) as editor:
            for _ in range(2 - start):
                started = await editor.command("kaaj.start", {"prompt": "Mend it."})

                def asked(task: int = len(editor.questions)) -> Any:
                    rows = [row for row in editor.questions[task:] if row["actions"][0]["title"].startswith("Apply")]
                    return rows[0] if rows else None

                question = await editor.eventually(asked, "the proposal")
                assert ("check passed: make test" in question["message"]) == (choice == 0)
                await editor.command("kaaj.cancel", {"task": started["task"]})
            checks = [row for row in editor.questions if "Check changes in shop with" in row["message"]]
            assert len(checks) == (1 if start == 0 else 0)
    kept = json.loads((workspace.parent / "state" / "checks.json").read_text())
    assert kept == {str(workspace): "make test" if choice == 0 else "none"}
    assert sorted(path.name for path in workspace.iterdir()) == ["Makefile", "cart.py", "notes.txt"]


async def test_a_file_that_changes_outside_of_the_editor_is_known_at_once(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        await editor.command("kaaj.start", {"prompt": "Mend it."})
        await editor.eventually(lambda: editor.change("proposed"))
        cart = workspace / "cart.py"
        cart.write_text(cart.read_text().replace("result = price", "result = mine"))
        told = await editor.eventually(lambda: editor.event("notice", level="warning"), "the notice")
        assert "cart.py changed where the proposed change edits it" in told["message"]
        cart.write_text(cart.read_text().replace("result = mine", "result = price"))
        await editor.eventually(lambda: editor.event("notice", level="info"), "it fits again")
