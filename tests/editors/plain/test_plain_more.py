"""More of what a person does with a stock LSP client: edit a selection in words of their own; go on after the server
died."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from rig.code_server import is_language_server
from rig.plain_editor import RealEditor
from rig.polling import until
from rig.script import SUM, edit


def servers(workspace: Path) -> list[psutil.Process]:
    """The running servers that were started in the workspace."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if is_language_server(process) and process.cwd() == str(workspace):
                found.append(process)
        except psutil.Error:
            continue
    return found


async def test_a_selection_is_edited_by_what_stands_in_the_chat(editor: RealEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(edit(SUM), answer("Added up."))
    cart = editor.workspace / "cart.py"
    before = cart.read_text()
    await editor.open(cart)
    titles = await editor.actions(cart, 3, 4)
    assert any(title.startswith("Kaaj: edit…") for title in titles)
    await editor.choose(next(title for title in titles if title.startswith("Kaaj: edit…")))
    chat = await editor.open_chat()
    await editor.write_chat(chat, "Add the prices up.\n")
    if editor.name == "emacs":
        await editor.tell("save", str(chat))
    await editor.act("Kaaj: edit: Add the prices up.", cart, 3, 4)
    assert "Added up." in await editor.prompt()
    told = "\n".join(str(one["content"]) for one in endpoint.prompts[0]["messages"])
    assert "Add the prices up." in told
    assert "lines 3-4" in told
    await editor.choose("Apply 1 hunk in 1 file")
    await editor.shows(cart, before.replace(SUM["old"], SUM["new"]))


async def test_the_server_dies_and_the_editor_goes_on(either_neovim: RealEditor, endpoint: ScriptedEndpoint) -> None:
    """In the middle of a task. The editor answers; the file opened anew has a server again, and is worked on."""
    endpoint.add(replace(answer("one two", chunk=3), hang_after=1))
    editor = either_neovim
    cart = editor.workspace / "cart.py"
    before = cart.read_text()
    await editor.open(cart)
    await editor.act("Kaaj: fix what is wrong here", cart, 4)
    await editor.progressed("begin")
    await until("the model is asked", lambda: len(endpoint.prompts) == 1)
    [server] = servers(editor.workspace)
    server.kill()

    async def gone() -> bool:
        return not await editor.tell("attached", str(cart))

    await editor.until("the editor knows", gone)
    assert await editor.text(cart) == before
    endpoint.add(answer_calls(("edit", SUM)), answer("Added up."))
    await editor.open(cart)
    assert servers(editor.workspace) != [server]
    await editor.act("Kaaj: fix what is wrong here", cart, 4)
    await editor.choose("Apply 1 hunk in 1 file")
    await editor.shows(cart, before.replace(SUM["old"], SUM["new"]))
