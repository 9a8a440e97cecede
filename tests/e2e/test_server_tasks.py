"""A task from a client's request to the applied, undone or refused change, over stdio against a scripted endpoint."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls, answer_error
from kaaj_server.testing import VSCODE, FakeEditor, NewEditor, RpcError, with_events

STREAM = with_events(VSCODE)

OLD = "        result = price\n"
NEW = "        result += price\n"
FIX = answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW}))
TWO = answer_calls(
    ("edit", {"path": "cart.py", "old": OLD, "new": NEW}),
    ("edit", {"path": "cart.py", "old": "len(prices) + 1", "new": "len(prices)"}),
)
PLAN = answer_calls(("todo", {"items": [{"title": "Add the prices up", "status": "running"}]}))
DONE = answer("Prices are added up now.")


async def proposed(editor: FakeEditor, uri: str | None = None, **argument: Any) -> Any:
    """The change that a task proposes."""
    where = {"uri": uri} if uri else {}
    await editor.command("kaaj.start", {"prompt": "total() must add up.", **where, **argument})
    return await editor.eventually(lambda: editor.change("proposed"), "a proposal")


def decision(change: Any, *hunks: str) -> Any:
    return {"change": change["id"], "digest": change["digest"]} | ({"hunks": list(hunks)} if hunks else {})


async def test_the_main_way(new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path) -> None:
    endpoint.add(PLAN, FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        before = editor.buffers[uri]
        change = await proposed(editor, uri)
        assert [file["uri"] for file in change["files"]] == [uri]
        hunk = change["files"][0]["hunks"][0]
        assert (hunk["old"], hunk["new"]) == (OLD, NEW)
        assert hunk["range"] == {"start": {"line": 3, "character": 0}, "end": {"line": 4, "character": 0}}
        assert editor.buffers[uri] == before, "nothing moves before the decision"

        result = await editor.command("kaaj.accept", decision(change))
        assert result["state"] == "applied"
        assert "1 hunk in 1 file" in result["message"]
        assert editor.buffers[uri] == before.replace(OLD, NEW)
        assert (workspace / "cart.py").read_text() == before, "the server writes no file of the user's"
        assert editor.edits[0]["edit"]["documentChanges"][0]["textDocument"] == {"uri": uri, "version": 1}
        finished = await editor.eventually(lambda: editor.event("task_finished"))
        assert finished["status"] == "done"
        todo = editor.event("todo")
        assert todo is not None
        assert [(item["title"], item["status"]) for item in todo["items"]] == [("Add the prices up", "done")]
        assert todo["items"][0]["evidence"]["hunks"] == [hunk["id"]]
        seqs = [event["seq"] for event in editor.events]
        assert seqs == list(range(1, len(seqs) + 1))

        undone = await editor.command("kaaj.undo", {"change": change["id"]})
        assert undone["state"] == "undone"
        assert editor.buffers[uri] == before


async def test_the_model_sees_the_unsaved_buffer(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer_calls(("read", {"path": "cart.py"})), DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        editor.edit(uri, (0, 0), (0, 0), "# typed, not saved\n")
        await editor.command("kaaj.start", {"prompt": "Look.", "uri": uri})
        await editor.eventually(lambda: editor.event("task_finished"))
        assert "# typed, not saved" in endpoint.prompts[1]["messages"][-1]["content"]


async def test_one_hunk_of_two(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(TWO, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        change = await proposed(editor, uri)
        second = change["files"][0]["hunks"][1]
        result = await editor.command("kaaj.accept", decision(change, second["id"]))
        assert result["state"] == "applied"
        assert OLD in editor.buffers[uri]
        assert "len(prices) + 1" not in editor.buffers[uri]


async def test_rejecting_a_hunk_leaves_the_other_under_a_new_digest(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(TWO, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        change = await proposed(editor, uri)
        first, second = change["files"][0]["hunks"]
        result = await editor.command("kaaj.reject", decision(change, first["id"]) | {"reason": "not this"})
        assert result["state"] == "proposed"
        with pytest.raises(RpcError) as old:
            await editor.command("kaaj.accept", decision(change))
        assert old.value.code == -32803
        rest = await editor.eventually(lambda: editor.change("proposed"))
        assert rest["digest"] != change["digest"]
        assert [hunk["new"] for hunk in rest["files"][0]["hunks"]] == [second["new"]]
        assert (await editor.command("kaaj.reject", decision(rest)))["state"] == "rejected"
        assert OLD in editor.buffers[uri]
        assert editor.edits == []


async def test_typing_beside_a_proposal_moves_it(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        change = await proposed(editor, uri)
        editor.edit(uri, (0, 0), (0, 0), "# mine\n# and mine\n")
        typed = editor.buffers[uri]
        assert (await editor.command("kaaj.accept", decision(change)))["state"] == "applied"
        assert editor.buffers[uri] == typed.replace(OLD, NEW)


async def test_typing_into_a_proposal_makes_it_stale(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        change = await proposed(editor, uri)
        editor.edit(uri, (3, 8), (3, 14), "mine")
        typed = editor.buffers[uri]
        with pytest.raises(RpcError) as stale:
            await editor.command("kaaj.accept", decision(change))
        assert stale.value.code == -32803
        assert "cart.py" in stale.value.message
        assert editor.buffers[uri] == typed
        assert editor.edits == []
        await editor.eventually(lambda: editor.change("stale"))


async def test_undo_refuses_to_overwrite_later_typing(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        change = await proposed(editor, uri)
        await editor.command("kaaj.accept", decision(change))
        editor.edit(uri, (3, 8), (3, 14), "mine")
        typed = editor.buffers[uri]
        with pytest.raises(RpcError) as refused:
            await editor.command("kaaj.undo", {"change": change["id"]})
        assert refused.value.code == -32803
        assert editor.buffers[uri] == typed


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_bytes_that_no_edit_touches_stay(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path, end: str
) -> None:
    text = "# naïve 😀\x0c\ntotal = 1\n\ttail\u2028x\n# no newline at the end"
    text = text.replace("\n", end)
    (workspace / "odd.py").write_bytes(text.encode())
    endpoint.add(answer_calls(("edit", {"path": "odd.py", "old": "total = 1", "new": "total = 2"})), DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("odd.py")
        change = await proposed(editor, uri)
        await editor.command("kaaj.accept", decision(change))
        assert editor.buffers[uri] == text.replace("total = 1", "total = 2")


async def test_a_new_file_a_deleted_one_and_undo(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    endpoint.add(answer_calls(("write", {"path": "new/café.py", "content": "x = 1\n"})), DONE)
    async with new_editor(capabilities=STREAM) as editor:
        change = await proposed(editor)
        assert change["files"][0]["kind"] == "create"
        assert (await editor.command("kaaj.accept", decision(change)))["state"] == "applied"
        uri = editor.uri("new/café.py")
        assert editor.buffers[uri] == "x = 1\n"
        assert (await editor.command("kaaj.undo", {"change": change["id"]}))["state"] == "undone"
        assert not (workspace / "new/café.py").exists()


async def test_a_file_that_is_not_open(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        change = await proposed(editor)
        assert (await editor.command("kaaj.accept", decision(change)))["state"] == "applied"
        assert NEW in editor.buffers[editor.uri("cart.py")]


@pytest.mark.parametrize(("obeys", "word"), [("refuses", "refused"), ("lies", "says that it applied")])
async def test_an_editor_that_does_not_do_the_edit(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, obeys: Any, word: str
) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM, obeys=obeys) as editor:
        uri = await editor.open("cart.py")
        change = await proposed(editor, uri)
        with pytest.raises(RpcError) as failed:
            await editor.command("kaaj.accept", decision(change))
        assert failed.value.code == -32803
        assert word in failed.value.message
        editor.obeys = "answers late"
        assert (await editor.command("kaaj.accept", decision(change)))["state"] == "applied"
        assert NEW in editor.buffers[uri]


async def test_cancelling_while_the_model_speaks(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(replace(answer("one two three four", chunk=4), hang_after=2))
    async with new_editor(capabilities=STREAM) as editor:
        started = await editor.command("kaaj.start", {"prompt": "Talk."})
        await editor.eventually(lambda: editor.event("text"))
        result = await editor.command("kaaj.cancel", {"task": started["task"]})
        assert result == {"task": started["task"], "cancelled": True}
        assert (await editor.eventually(lambda: editor.event("task_finished")))["status"] == "cancelled"
        again = await editor.command("kaaj.cancel", {"task": started["task"]})
        assert again["cancelled"] is False


async def test_a_cut_stream_is_retried_and_nothing_half_is_done(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(replace(FIX, cut_after=2), FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        change = await proposed(editor, uri)
        assert len(change["files"][0]["hunks"]) == 1
        tools = [event for event in editor.events if event["type"] == "tool_started"]
        assert len(tools) == 1


async def test_no_model_is_the_tasks_end_and_not_a_hang(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(*[answer_error(401, "bad key")] * 3)
    async with new_editor(capabilities=STREAM) as editor:
        await editor.command("kaaj.start", {"prompt": "Go."})
        finished = await editor.eventually(lambda: editor.event("task_finished"))
        assert finished["status"] == "failed"
        assert "sk-very-secret" not in "".join(editor.wire + editor.stderr)


async def test_plan_mode_writes_the_list_and_changes_nothing(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(PLAN, answer("That is the plan."))
    async with new_editor(capabilities=STREAM) as editor:
        await editor.command("kaaj.start", {"prompt": "Plan it.", "mode": "plan"})
        finished = await editor.eventually(lambda: editor.event("task_finished"))
        assert finished["status"] == "done"
        assert editor.event("todo") is not None
        assert editor.event("change") is None


async def test_auto_mode_applies_by_itself(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM, settings={"check": "none", "mode": "auto"}) as editor:
        uri = await editor.open("cart.py")
        await editor.command("kaaj.start", {"prompt": "Fix it.", "uri": uri})
        await editor.eventually(lambda: editor.change("applied"))
        assert NEW in editor.buffers[uri]
        assert editor.questions == []


async def test_the_person_edits_the_list_while_it_runs(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    gate = asyncio.Event()

    async def later(_: Any) -> Any:
        await gate.wait()
        return answer("Done as you wished.")

    endpoint.add(PLAN, later)
    async with new_editor(capabilities=STREAM) as editor:
        started = await editor.command("kaaj.start", {"prompt": "Plan and work."})
        todo = await editor.eventually(lambda: editor.event("todo"))
        item = todo["items"][0]
        wish = [{"title": "First this"}, {"id": item["id"], "title": item["title"], "status": "skipped"}]
        result = await editor.command("kaaj.todo", {"task": started["task"], "items": wish})
        assert [(row["title"], row["status"], row["by"]) for row in result["items"]] == [
            ("First this", "pending", "user"),
            (item["title"], "skipped", "model"),
        ]
        gate.set()
        await editor.eventually(lambda: editor.event("task_finished"))


async def test_two_sessions_side_by_side(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    def by_prompt(body: Any) -> Any:
        talk = str(body["messages"])
        if body["messages"][-1]["role"] == "tool":
            return answer("Done.")
        name = "one.py" if "make one" in talk else "two.py"
        return answer_calls(("write", {"path": name, "content": f"# {name}\n"}))

    endpoint.add(*[by_prompt] * 4)
    async with new_editor(capabilities=STREAM) as editor:
        one, two = await asyncio.gather(
            editor.command("kaaj.start", {"prompt": "make one"}), editor.command("kaaj.start", {"prompt": "make two"})
        )
        assert one["session"] != two["session"]

        def ready() -> Any:
            rows = [e for e in editor.events if e["type"] == "change" and e["change"]["state"] == "proposed"]
            return rows if len(rows) == 2 else None

        for event in await editor.eventually(ready, "two proposals"):
            await editor.command("kaaj.accept", decision(event["change"]))
        assert editor.buffers[editor.uri("one.py")] == "# one.py\n"
        assert editor.buffers[editor.uri("two.py")] == "# two.py\n"
        for session in (one["session"], two["session"]):
            seqs = [event["seq"] for event in editor.events if event["session"] == session]
            assert seqs == list(range(1, len(seqs) + 1))


async def test_a_proposal_outlives_a_killed_server(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(FIX, DONE)
    first = new_editor(capabilities=STREAM)
    await first.launch()
    await first.initialize()
    change = await proposed(first, await first.open("cart.py"))
    await first.kill()
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        drawn = await editor.command("kaaj.snapshot", {})
        assert [row["state"] for row in drawn["changes"]] == ["proposed"]
        assert drawn["changes"][0]["digest"] == change["digest"]
        assert drawn["transcript"][0]["text"] == "total() must add up."
        assert (await editor.command("kaaj.accept", decision(change)))["state"] == "applied"
        assert NEW in editor.buffers[uri]


async def test_a_session_goes_on(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer("First answer."), answer("Second answer."))
    async with new_editor(capabilities=STREAM) as editor:
        first = await editor.command("kaaj.start", {"prompt": "First."})
        await editor.eventually(lambda: editor.event("task_finished", task=first["task"]))
        second = await editor.command("kaaj.start", {"prompt": "Second.", "session": first["session"]})
        assert second["session"] == first["session"]
        await editor.eventually(lambda: editor.event("task_finished", task=second["task"]))
        one, two = (prompt["messages"] for prompt in endpoint.prompts)
        assert two[: len(one)] == one, "the prompt only grows"
        drawn = await editor.command("kaaj.snapshot", {"session": first["session"]})
        texts = [(row["kind"], row["text"]) for row in drawn["transcript"] if row["kind"] in ("user", "model")]
        assert texts == [
            ("user", "First."),
            ("model", "First answer."),
            ("user", "Second."),
            ("model", "Second answer."),
        ]
        assert drawn["seq"] == editor.events[-1]["seq"]


async def test_fix_takes_the_problems_along(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        place = {"start": {"line": 3, "character": 8}, "end": {"line": 3, "character": 14}}
        problem = {"range": place, "message": "result is overwritten", "severity": 2, "source": "lint", "tags": [1]}
        await editor.command("kaaj.fix", {"uri": uri, "range": place, "diagnostics": [problem]})
        await editor.eventually(lambda: editor.change("proposed"))
        asked = endpoint.prompts[0]["messages"][-1]["content"]
        assert "cart.py:4:9: warning: result is overwritten [lint]" in asked


async def test_a_file_changed_outside_of_the_editor_is_known_at_once(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        await proposed(editor)
        (workspace / "cart.py").write_text("def total(prices):\n    return 0\n")
        notice = await editor.eventually(lambda: editor.event("notice"), "a notice")
        assert "cart.py changed where the proposed change edits it" in notice["message"]
