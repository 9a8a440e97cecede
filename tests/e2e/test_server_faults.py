"""Faults that a client's own pace brings out: slow edits, typing meanwhile, odd texts, a second server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from kaaj_agent.testing import ScriptedEndpoint, answer
from kaaj_server.lsp.plain.chat import MARK
from kaaj_server.testing import NEOVIM_07, VSCODE, FakeEditor, NewEditor, path_of, with_events


async def chat_of(editor: FakeEditor) -> str:
    """Open the chat; its URI."""
    await editor.command("kaaj.open", {"document": "chat"})

    def told() -> str:
        if editor.shown:
            return str(editor.shown[-1]["uri"])
        return next((Path(row["message"].rpartition(" ")[2]).as_uri() for row in editor.messages), "")

    uri = str(await editor.eventually(told))
    editor.open_uri(uri, path_of(uri).read_text())
    return uri


def of(editor: FakeEditor, uri: str) -> list[Any]:
    """The edits of one text that the editor was asked for."""
    asked = [row["edit"] for row in editor.edits]
    plain = [edit for edit in asked if uri in edit.get("changes", {})]
    return plain + [
        edit for edit in asked if any(row["textDocument"]["uri"] == uri for row in edit.get("documentChanges", ()))
    ]


async def test_a_slow_client_is_never_asked_twice_for_the_same_edit(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    """Without versions a second edit, made for the text before the first one, would garble the chat."""
    gate = asyncio.Event()

    async def later(_: Any) -> Any:
        await gate.wait()
        return answer("Hello from the model.")

    endpoint.add(later)
    async with new_editor(capabilities=NEOVIM_07, obeys="never answers") as editor:
        chat = await chat_of(editor)
        await editor.command("kaaj.start", {"prompt": "Say hello."})
        await editor.eventually(lambda: of(editor, chat), "an edit of the chat")
        gate.set()
        await asyncio.sleep(1.0)  # three rounds of the papers
        assert len(of(editor, chat)) == 1


async def test_slow_edits_leave_the_chat_whole(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer("Hello from the model.", chunk=1))
    async with new_editor(capabilities=NEOVIM_07, obeys="answers late") as editor:
        chat = await chat_of(editor)
        await editor.command("kaaj.start", {"prompt": "Say hello."})
        await editor.eventually(lambda: "Hello from the model." in editor.buffers[chat])
        assert editor.buffers[chat].count(MARK) == 1
        assert editor.buffers[chat].count("## You") == 1


async def test_typing_in_the_chat_is_never_taken_away(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer("word " * 100, chunk=1))
    async with new_editor() as editor:
        chat = await chat_of(editor)
        await editor.command("kaaj.start", {"prompt": "Talk."})
        typed = ""
        while editor.buffers[chat].count("word ") < 100 and len(typed) < 200:
            line = editor.buffers[chat].count("\n")
            last = editor.buffers[chat].rpartition("\n")[2]
            editor.edit(chat, (line, len(last)), (line, len(last)), "q")
            typed += "q"
            await asyncio.sleep(0.005)
            assert editor.buffers[chat].count("q" * len(typed)) == 1, "every key that was typed stands there, in order"
        await editor.eventually(lambda: editor.buffers[chat].count("word ") >= 99, "the chat is brought up to date")
        assert typed in editor.buffers[chat].rpartition(MARK)[2]


async def test_two_servers_do_not_write_over_each_others_papers(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(answer("For the first."))
    async with new_editor() as one, new_editor() as two:
        chat = await chat_of(one)
        other = await chat_of(two)
        assert chat != other
        await one.command("kaaj.start", {"prompt": "Talk."})
        await one.eventually(lambda: "For the first." in one.buffers[chat])
        assert "For the first." not in path_of(other).read_text()


async def test_a_message_that_is_too_deep_is_answered(new_editor: NewEditor) -> None:
    async with new_editor(capabilities=with_events(VSCODE)) as editor:
        body = b"[" * 200_000
        editor.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        await editor.eventually(lambda: any('"code":-32700' in row for row in editor.wire), "a parse error")
        assert await editor.command("kaaj.snapshot", {}) is not None
