"""What a model or a repository says where a person decides: nothing is hidden there, and no terminal obeys it."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import NEOVIM_11, VSCODE, NewEditor, RpcError, path_of, with_events

STREAM = with_events(VSCODE)
HIDDEN = 'if access != "user\u202e \u2066// admin\u2069 \u2066":\n'
ESCAPES = "\x1b[2J\x1b]52;c;cm0gLXJm\x07\x9b1A\u202e all is well"
WRITE = ("write", {"path": "new.py", "content": f"first = 1\n# {HIDDEN}"})
CLEAR = ("write", {"path": "calm.py", "content": "calm = 1\n"})


async def proposed(editor: Any) -> Any:
    await editor.command("kaaj.start", {"prompt": "Add it."})
    return await editor.eventually(lambda: editor.change("proposed"), "a proposal")


async def test_a_hunk_that_hides_something_says_so_on_the_wire(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    tasks = ("write", {"path": ".vscode/tasks.json", "content": "{}\n"})
    endpoint.add(answer_calls(WRITE, CLEAR, tasks), answer("Done."))
    async with new_editor(capabilities=STREAM) as editor:
        files = {Path(path_of(file["uri"])).name: file for file in (await proposed(editor))["files"]}
        hidden = files["new.py"]["hunks"][0]
        assert "U+202E RIGHT-TO-LEFT OVERRIDE in line 2" in hidden["warning"]
        assert "\u202e" in hidden["new"], "the text itself is exact"
        assert "warning" not in files["calm.py"]
        assert "warning" not in files["calm.py"]["hunks"][0]
        assert "act on this file by themselves" in files["tasks.json"]["warning"]
        notices = [event["message"] for event in editor.events if event["type"] == "notice"]
        assert any("new.py" in text and "Look closely" in text for text in notices)


async def test_the_diff_document_says_it_above_the_diff(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer_calls(WRITE), answer("Done."))

    def choose(titles: Any) -> str | None:
        return "Show diff" if "Show diff" in titles else None

    async with new_editor(capabilities=NEOVIM_11, answer=choose) as editor:
        await editor.command("kaaj.start", {"prompt": "Add it."})
        shown = await editor.eventually(lambda: [one for one in editor.shown if "diff" in one["uri"]], "the diff")
        text = await asyncio.to_thread(Path(path_of(shown[-1]["uri"])).read_text, "utf-8")
        head = text.partition("--- ")[0]
        assert "# ! new.py: Look closely" in head
        assert "U+202E" in head


async def test_a_folder_that_became_a_link_takes_no_change(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "sub").mkdir()
    (tmp_path / "outside").mkdir()
    endpoint.add(answer_calls(("write", {"path": "sub/new.py", "content": "x = 1\n"})), answer("Done."))
    async with new_editor(capabilities=STREAM) as editor:
        change = await proposed(editor)
        (workspace / "sub").rmdir()
        (workspace / "sub").symlink_to(tmp_path / "outside")
        with pytest.raises(RpcError, match="link|changed"):
            await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
        assert editor.edits == []
        assert list((tmp_path / "outside").iterdir()) == []


async def test_a_terminal_obeys_nobody_but_kaaj(
    workspace: Path, env: dict[str, str], endpoint: ScriptedEndpoint
) -> None:
    """Model, to-do list, file names, commands and the diff itself are full of escapes; none gets through."""
    (workspace / "\x1b[31mname\u202e.py").write_text("needle\n")
    todo = ("todo", {"items": [{"title": f"Item {ESCAPES}", "status": "running"}]})
    edit = ("write", {"path": "new.py", "content": f"x = '{ESCAPES}'\rhidden\n"})
    endpoint.add(
        answer_calls(todo, text=f"Words {ESCAPES}"),
        answer_calls(("search", {"pattern": f"needle{ESCAPES}"}), ("list", {})),
        answer_calls(edit),
        answer(f"Summary {ESCAPES}"),
    )
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kaaj_server", "run", f"Do it {ESCAPES}", "--yes", "--check", "true",
        cwd=workspace, env=env | {"TERM": "xterm-256color"}, stdin=slave, stdout=slave, stderr=slave,
    )  # fmt: skip
    os.close(slave)
    seen = b""

    def read() -> bytes:
        try:
            return os.read(master, 65_536)
        except OSError:  # the other end is closed
            return b""

    while piece := await asyncio.to_thread(read):
        seen += piece
    await process.wait()
    os.close(master)
    text = seen.decode("utf-8", "replace")
    assert "Look closely" in text
    assert "<U+202E>" in text
    assert not set(text) & {"\u202e", "\x9b", "\x07"}
    assert "\x1b]52" not in text
    assert "\x1b[2J" not in text
