"""The answer to `initialize` waits for nothing that depends on how large the workspace is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kaaj_server.testing import VSCODE, FakeEditor, with_events

WATCHED = """
import os, runpy, sys
to, root = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND), sys.argv[2]
def note(event, given):
    if event in ("open", "os.listdir", "os.scandir", "glob.glob") and given and str(given[0]).startswith(root):
        os.write(to, f"{event} {given[0]}\\n".encode())
sys.addaudithook(note)
os.listdir(root)  # that it is noted
sys.argv = ["kaaj", "serve", "--stdio"]
runpy.run_module("kaaj_server", run_name="__main__", alter_sys=True)
"""


async def test_no_file_and_no_folder_of_the_workspace_is_opened_for_it(tmp_path: Path) -> None:
    root, state, seen = tmp_path / "w", tmp_path / "state", tmp_path / "seen.txt"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg" / "a.py").write_text("a = 1\n")
    (root / ".gitignore").write_text("*.log\n")
    state.mkdir()
    env = {
        "PATH": os.environ["PATH"], "HOME": str(state), "KAAJ_STATE_DIR": str(state), "KAAJ_MODEL": "none",
        "PYTHONSAFEPATH": "1",  # as the installed command: nothing is imported from the folder it is started in
    }  # fmt: skip
    command = (sys.executable, "-c", WATCHED, str(seen), str(root))
    editor = FakeEditor(root, with_events(VSCODE), env, {"check": "none"}, command_line=command)
    await editor.launch()
    try:
        await editor.request("initialize", editor_params(root))
        assert seen.read_text() == f"os.listdir {root}\n"
        editor.notify("initialized", {})
        editor.notify("textDocument/didOpen", opened(root / "pkg" / "a.py"))
        await editor.command("kaaj.snapshot", {}, wait=60)
    finally:
        await editor.kill()


def editor_params(root: Path) -> dict[str, object]:
    folders = [{"uri": root.as_uri(), "name": root.name}]
    return {
        "processId": None, "rootUri": root.as_uri(), "workspaceFolders": folders, "capabilities": with_events(VSCODE),
    }  # fmt: skip


def opened(path: Path) -> dict[str, object]:
    return {"textDocument": {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": path.read_text()}}
