"""The plain tier: a stock LSP client plans, watches, decides and undoes without a plugin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import EGLOT, NEOVIM_07, NEOVIM_11, FakeEditor, NewEditor, path_of

OLD = "        result = price\n"
NEW = "        result += price\n"
EDIT = ("edit", {"path": "cart.py", "old": OLD, "new": NEW})
TWO = answer_calls(EDIT, ("edit", {"path": "cart.py", "old": "len(prices) + 1", "new": "len(prices)"}))
PLAN = answer_calls(
    ("todo", {"items": [{"title": "Add up", "status": "running"}, {"title": "Count right", "status": "pending"}]})
)
DONE = answer("Prices are added up now.")


def first(titles: Sequence[str]) -> str:
    return titles[0]


async def action_at(editor: FakeEditor, uri: str, line: int, title: str) -> Any:
    """The command of a code action with the cursor on a line, from 0."""
    cursor = {"line": line, "character": 0}
    place = {"start": cursor, "end": cursor}
    asked: Any = {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}}
    found = {row["title"]: row for row in await editor.request("textDocument/codeAction", asked)}
    return found[title]["command"]


def kinds(editor: FakeEditor) -> list[str]:
    return [row["value"]["kind"] for row in editor.progress]


@pytest.mark.parametrize("capabilities", [NEOVIM_11, NEOVIM_07, EGLOT])
async def test_a_stock_client_is_asked_and_gets_the_change(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, capabilities: Any
) -> None:
    endpoint.add(PLAN, TWO, DONE)
    async with new_editor(capabilities=capabilities, answer=first) as editor:
        uri = await editor.open("cart.py")
        await editor.command("kaaj.start", {"prompt": "Mend the cart.", "uri": uri})
        await editor.eventually(lambda: NEW in editor.buffers[uri])
        question = editor.questions[0]
        titles = [action["title"] for action in question["actions"]]
        assert titles[0] == "Apply 2 hunks in 1 file"
        assert titles[1] == "Reject"
        assert len(titles) <= 4
        assert "cart.py" in question["message"]
        assert editor.events == [], "no stream that was not asked for"
        edit = editor.edits[0]["edit"]
        assert "documentChanges" in edit
        assert "changeAnnotations" not in edit


async def test_progress_tells_the_plan(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(PLAN, TWO, DONE)
    async with new_editor(answer=first) as editor:
        uri = await editor.open("cart.py")
        await editor.command("kaaj.start", {"prompt": "Mend the cart.", "uri": uri})
        await editor.eventually(lambda: "end" in kinds(editor))
        assert kinds(editor)[0] == "begin"
        assert len({row["token"] for row in editor.progress}) == 1
        begin = editor.progress[0]["value"]
        assert begin["cancellable"] is True
        assert "Mend the cart." in begin["title"]
        messages = [row["value"].get("message") for row in editor.progress]
        assert "0/2 Add up" in messages
        percentages = [row["value"]["percentage"] for row in editor.progress if "percentage" in row["value"]]
        assert percentages == sorted(percentages)


async def test_no_progress_for_a_client_without_it(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(DONE)
    capabilities: Any = {**NEOVIM_11, "window": {}}
    async with new_editor(capabilities=capabilities) as editor:
        await editor.command("kaaj.start", {"prompt": "Talk."})
        await editor.eventually(lambda: editor.messages)
        assert editor.progress == []
        assert not any("workDoneProgress" in row for row in editor.wire if row.startswith("←"))


async def test_cancel_from_the_progress(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(replace(answer("one two three four", chunk=4), hang_after=2))
    async with new_editor() as editor:
        await editor.command("kaaj.start", {"prompt": "Talk."})
        await editor.eventually(lambda: editor.progress)
        editor.notify("window/workDoneProgress/cancel", {"token": editor.progress[0]["token"]})
        await editor.eventually(lambda: "end" in kinds(editor))
        assert "Cancelled" in editor.progress[-1]["value"]["message"]


async def test_reject_from_the_question(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(TWO, DONE)
    async with new_editor(answer=lambda titles: titles[1]) as editor:
        uri = await editor.open("cart.py")
        before = editor.buffers[uri]
        started = await editor.command("kaaj.start", {"prompt": "Mend the cart.", "uri": uri})
        await editor.eventually(lambda: editor.questions)

        async def state() -> str:
            drawn = await editor.command("kaaj.snapshot", {"session": started["session"]})
            return str(drawn["changes"][-1]["state"])

        while await state() != "rejected":
            await asyncio.sleep(0.02)
        assert editor.buffers[uri] == before


async def test_show_diff_opens_a_real_file_to_decide_in(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(TWO, DONE)
    async with new_editor(answer=lambda _: "Show diff") as editor:
        uri = await editor.open("cart.py")
        await editor.command("kaaj.start", {"prompt": "Mend the cart.", "uri": uri})
        shown = await editor.eventually(lambda: [row for row in editor.shown if row["uri"].endswith("change.diff")])
        assert shown[0]["takeFocus"] is True, "it was asked for"
        diff = path_of(shown[0]["uri"]).read_text()
        assert f"-{OLD}+{NEW}" in diff
        assert "--- a/cart.py\n+++ b/cart.py\n" in diff
        assert editor.workspace not in path_of(shown[0]["uri"]).parents
        assert len(editor.questions) == 1, "a question would stand over what is to be read"
        editor.open_uri(shown[0]["uri"], diff)
        hunks = [line for line, row in enumerate(diff.splitlines()) if row.startswith("@@")]
        reject = await action_at(editor, shown[0]["uri"], hunks[1] + 1, "Kaaj: reject this hunk")
        await editor.request("workspace/executeCommand", reject)
        apply = await action_at(editor, shown[0]["uri"], hunks[0], "Kaaj: apply 1 hunk in 1 file")
        await editor.request("workspace/executeCommand", apply)
        assert NEW in editor.buffers[uri]
        assert "len(prices) + 1" in editor.buffers[uri]
        undo = await action_at(editor, shown[0]["uri"], 0, "Kaaj: undo")
        await editor.request("workspace/executeCommand", undo)
        assert OLD in editor.buffers[uri]


async def test_a_client_that_never_answers_can_still_decide(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(TWO, DONE)
    async with new_editor() as editor:
        uri = await editor.open("cart.py")
        await editor.command("kaaj.start", {"prompt": "Mend the cart.", "uri": uri})
        await editor.eventually(lambda: editor.questions)
        place = {"start": {"line": 3, "character": 0}, "end": {"line": 3, "character": 0}}
        asked: Any = {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}}
        actions = {action["title"]: action for action in await editor.request("textDocument/codeAction", asked)}
        assert {"Kaaj: apply this hunk", "Kaaj: reject this hunk", "Kaaj: reject the change"} <= set(actions)
        command = actions["Kaaj: apply this hunk"]["command"]
        await editor.request("workspace/executeCommand", command)
        assert NEW in editor.buffers[uri]
        assert "len(prices) + 1" in editor.buffers[uri]
        await editor.eventually(lambda: editor.withdrawn, "the question is withdrawn")


async def test_who_takes_a_hunk_out_is_not_asked_about_the_rest(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(TWO, DONE)
    async with new_editor(capabilities=EGLOT) as editor:
        uri = await editor.open("cart.py")
        await editor.command("kaaj.start", {"prompt": "Mend the cart.", "uri": uri})
        await editor.eventually(lambda: editor.questions)
        reject = await action_at(editor, uri, 3, "Kaaj: reject this hunk")
        await editor.request("workspace/executeCommand", reject)
        await editor.eventually(lambda: editor.withdrawn, "the question about both is withdrawn")
        apply = await action_at(editor, uri, 0, "Kaaj: apply the change (1 hunk in 1 file)")
        await editor.request("workspace/executeCommand", apply)
        assert OLD in editor.buffers[uri]
        assert "len(prices) + 1" not in editor.buffers[uri]
        assert len(editor.questions) == 1


async def test_lenses_on_the_file_lead_through_the_whole_way(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(TWO, DONE)
    async with new_editor() as editor:
        uri = await editor.open("cart.py")
        before = editor.buffers[uri]
        await editor.command("kaaj.start", {"prompt": "Mend the cart.", "uri": uri})
        await editor.eventually(lambda: editor.questions)

        async def lenses() -> dict[str, Any]:
            rows = await editor.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
            return {row["command"]["title"]: row for row in rows}

        found = await lenses()
        assert "Kaaj: apply this hunk" in found
        await editor.request("workspace/executeCommand", found["Kaaj: apply 2 hunks in 1 file"]["command"])
        assert NEW in editor.buffers[uri]
        await editor.request("workspace/executeCommand", (await lenses())["Kaaj: undo"]["command"])
        assert editor.buffers[uri] == before
        assert await lenses() == {}


async def test_a_client_that_tells_its_text_after_the_answer_is_answered(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(TWO, DONE)
    async with new_editor(capabilities=EGLOT, obeys="tells when idle") as editor:
        uri = await editor.open("cart.py")
        before = editor.buffers[uri]
        await editor.command("kaaj.start", {"prompt": "Mend the cart.", "uri": uri})
        await editor.eventually(lambda: editor.questions)
        apply = await action_at(editor, uri, 0, "Kaaj: apply the change (2 hunks in 1 file)")
        answered = await editor.request("workspace/executeCommand", apply)
        assert answered["state"] == "applying"
        assert NEW in editor.buffers[uri]

        async def undo() -> Any:
            try:
                return await action_at(editor, uri, 0, "Kaaj: undo")
            except KeyError:
                return None

        while not (command := await undo()):
            await asyncio.sleep(0.02)
        await editor.request("workspace/executeCommand", command)
        assert editor.buffers[uri] == before
        assert editor.messages == []


async def test_the_chat_is_a_document_to_write_in(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer("Hello from the model."), answer("Hello from the model."))
    async with new_editor() as editor:
        await editor.command("kaaj.open", {"document": "chat"})
        await editor.eventually(lambda: editor.shown)
        chat = editor.shown[0]["uri"]
        text = path_of(chat).read_text()
        editor.open_uri(chat, text)
        (send,) = await editor.request("textDocument/codeLens", {"textDocument": {"uri": chat}})
        assert send["command"]["title"] == "Kaaj: send"
        await editor.request("workspace/executeCommand", send["command"])
        assert "no prompt" in editor.messages[-1]["message"]
        assert endpoint.prompts == []

        def answered(times: int) -> Callable[[], bool]:
            return lambda: (
                editor.buffers[chat].count("Hello from the model.") == times
                and "please" not in prompt_of(editor.buffers[chat])
            )

        for times in (1, 2):
            last = editor.buffers[chat].count("\n")
            editor.edit(chat, (last, 0), (last, 0), "Say hello,\nplease.\n")
            await editor.request("workspace/executeCommand", send["command"])
            await editor.eventually(answered(times))
        assert len(endpoint.prompts) == 2, "the same words may be sent twice"
        assert editor.buffers[chat].count("## You\n\nSay hello,\nplease.") == 2


def prompt_of(chat: str) -> str:
    return chat.rpartition("Kaaj: send")[2]


async def test_the_plan_is_a_document_with_a_lens_to_skip(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    gate = asyncio.Event()

    async def later(_: Any) -> Any:
        await gate.wait()
        return answer("Done.")

    endpoint.add(PLAN, later)
    async with new_editor() as editor:
        await editor.command("kaaj.start", {"prompt": "Mend the cart."})
        await editor.eventually(lambda: editor.shown)
        assert editor.shown[0]["takeFocus"] is False
        plan = editor.shown[0]["uri"]
        assert "- [>] Add up\n- [ ] Count right\n" in path_of(plan).read_text()
        lenses = await editor.request("textDocument/codeLens", {"textDocument": {"uri": plan}})
        titles = [(row["range"]["start"]["line"], row["command"]["title"]) for row in lenses]
        assert titles == [(0, "Kaaj: cancel"), (4, "Kaaj: skip"), (5, "Kaaj: skip")]
        result = await editor.request("workspace/executeCommand", lenses[2]["command"])
        assert [item["status"] for item in result["items"]] == ["running", "skipped"]
        gate.set()
        await editor.eventually(lambda: "end" in kinds(editor))


async def test_the_plans_lenses_are_code_actions_too(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(PLAN, replace(answer("one two", chunk=3), hang_after=1))
    async with new_editor() as editor:
        await editor.command("kaaj.start", {"prompt": "Mend the cart."})
        await editor.eventually(lambda: editor.shown)
        plan = editor.shown[0]["uri"]
        editor.open_uri(plan, path_of(plan).read_text())
        skip = await action_at(editor, plan, 5, "Kaaj: skip")
        result = await editor.request("workspace/executeCommand", skip)
        assert [item["status"] for item in result["items"]] == ["running", "skipped"]
        await editor.request("workspace/executeCommand", await action_at(editor, plan, 2, "Kaaj: cancel"))
        await editor.eventually(lambda: "end" in kinds(editor))


async def test_a_chat_that_the_client_only_saves_can_be_sent_from_any_file(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(answer("Hello from the model."))
    async with new_editor(capabilities=EGLOT) as editor:
        uri = await editor.open("cart.py")
        await editor.request("workspace/executeCommand", await action_at(editor, uri, 0, "Kaaj: open the chat"))
        said = await editor.eventually(lambda: editor.messages)
        chat = Path(said[0]["message"].removeprefix("Kaaj: the chat is "))
        chat.write_text(chat.read_text() + "Say hello, please.\n")
        send = await action_at(editor, uri, 0, "Kaaj: send what is in the chat: Say hello, please.")
        await editor.request("workspace/executeCommand", send)
        while "Hello from the model." not in chat.read_text():
            await asyncio.sleep(0.02)
        assert "## You\n\nSay hello, please." in chat.read_text()
        with pytest.raises(KeyError):
            await action_at(editor, uri, 0, "Kaaj: send what is in the chat: Say hello, please.")


async def test_a_failed_task_is_told_in_a_message(new_editor: NewEditor, env: dict[str, str]) -> None:
    env["KAAJ_BASE_URL"] = "http://127.0.0.1:9/v1"
    async with new_editor() as editor:
        await editor.command("kaaj.start", {"prompt": "Go."})
        await editor.eventually(lambda: any(row["type"] == 1 for row in editor.messages), "an error", wait=100)
        assert "127.0.0.1:9" in editor.messages[-1]["message"]


async def test_the_servers_own_files_stay_in_the_state_folder(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    endpoint.add(TWO, DONE)
    before = sorted(path.name for path in workspace.rglob("*"))
    async with new_editor() as editor:
        await editor.command("kaaj.start", {"prompt": "Mend the cart."})
        await editor.eventually(lambda: editor.questions)
        assert sorted(path.name for path in workspace.rglob("*")) == before
