"""What a client with the event stream counts on beside the main way: context, history, trust, problems, lenses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import VSCODE, FakeEditor, NewEditor, RpcError, with_events

STREAM = with_events(VSCODE)
ASKED = with_events(VSCODE, diagnostics=True)
OLD = "        result = price\n"
NEW = "        result += price\n"
TWO = answer_calls(
    ("edit", {"path": "cart.py", "old": OLD, "new": NEW}),
    ("edit", {"path": "cart.py", "old": "len(prices) + 1", "new": "len(prices)"}),
)
DONE = answer("Done.")


def problem(line: int, message: str) -> Any:
    start, end = {"line": line, "character": 4}, {"line": line, "character": 9}
    return {"range": {"start": start, "end": end}, "message": message, "severity": 1, "source": "lint"}


async def ended(editor: FakeEditor, task: str) -> Any:
    return await editor.eventually(lambda: editor.event("task_finished", task=task))


async def test_context_reaches_the_model_the_event_and_the_snapshot_also_of_the_next_process(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        editor.edit(uri, (0, 0), (0, 0), "# typed\n")
        place = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}}
        context = [
            {"kind": "range", "uri": uri, "range": place, "name": "total"},
            {"kind": "file", "uri": editor.uri("notes.txt")},
            {"kind": "folder", "uri": editor.workspace.as_uri()},
            {"kind": "problems"},
            {"kind": "text", "name": "log", "text": "boom"},
        ]
        started = await editor.command("kaaj.start", {"prompt": "Look.", "context": context})
        await ended(editor, started["task"])
        opening = endpoint.prompts[0]["messages"][1]["content"]
        assert "cart.py lines 1-2 of 10 (`total`):\n1\t# typed\n2\tdef total(prices):" in opening
        assert "notes.txt lines 1-2:\n1\tnaïve 😀 line" in opening
        assert opening.index("boom") < opening.index("\n\nLook.\n\n")
        began = editor.event("task_started")
        assert began is not None
        assert began["context"] == context
        snapshot = await editor.command("kaaj.snapshot", {})
        assert snapshot["tasks"][0]["context"] == context
        assert snapshot["sessions"][0]["prompts"] == ["Look."]
        assert snapshot["model"]["name"] == "scripted"
        assert (snapshot["mode"], snapshot["restricted"], snapshot["model"]["embedded"]) == ("ask", False, False)
    async with new_editor(capabilities=STREAM) as editor:
        snapshot = await editor.command("kaaj.snapshot", {})
        assert snapshot["tasks"][0]["context"] == context
        assert "model" not in snapshot, "nothing is connected yet"


async def test_context_outside_of_the_workspace_is_refused_by_the_name_of_the_field(
    new_editor: NewEditor, tmp_path: Path
) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_text("x")
    async with new_editor(capabilities=STREAM) as editor:
        (editor.workspace / "link").symlink_to(outside)
        for uri in (outside.as_uri(), editor.uri("link"), "untitled:Untitled-1", "https://example.org/x"):
            context = [{"kind": "problems"}, {"kind": "file", "uri": uri}]
            with pytest.raises(RpcError) as refused:
                await editor.command("kaaj.start", {"prompt": "Look.", "context": context})
            assert refused.value.code == -32602
            assert refused.value.data == {"field": "context.1.uri"}
        context = [{"kind": "problems"}] * 51
        with pytest.raises(RpcError) as many:
            await editor.command("kaaj.start", {"prompt": "Look.", "context": context})
        assert many.value.data == {"field": "context"}


async def test_prices_make_a_cost(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(DONE, DONE)
    prices = {"input": 2.0, "output": 10.0}
    async with new_editor(capabilities=STREAM, settings={"check": "none", "prices": prices}) as editor:
        started = await editor.command("kaaj.start", {"prompt": "Look."})
        await ended(editor, started["task"])
        told = editor.event("usage")
        assert told is not None
        usage = told["usage"]
        expected = (usage["prompt_tokens"] * 2.0 + usage["completion_tokens"] * 10.0) / 1_000_000
        assert abs(usage["cost"] - expected) < 1e-12
        snapshot = await editor.command("kaaj.snapshot", {})
        assert snapshot["tasks"][0]["usage"]["cost"] == usage["cost"]


async def test_a_session_is_forgotten_and_not_while_it_runs(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    async with new_editor(capabilities=STREAM) as editor:
        endpoint.add(replace(answer("one two three", chunk=3), hang_after=1))
        started = await editor.command("kaaj.start", {"prompt": "Look."})
        await editor.eventually(lambda: editor.event("text"))
        with pytest.raises(RpcError) as busy:
            await editor.command("kaaj.forget", {"session": started["session"]})
        assert busy.value.data == {"field": "session"}
        await editor.command("kaaj.cancel", {"task": started["task"]})
        assert await editor.command("kaaj.forget", {"session": started["session"]}) == {
            "session": started["session"],
            "forgotten": True,
        }
        snapshot = await editor.command("kaaj.snapshot", {})
        assert snapshot["sessions"] == []
        with pytest.raises(RpcError):
            await editor.command("kaaj.forget", {"session": started["session"]})
    async with new_editor(capabilities=STREAM) as editor:
        assert (await editor.command("kaaj.snapshot", {}))["sessions"] == []


async def test_an_untrusted_workspace_is_planned_in_and_nothing_else(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    endpoint.add(TWO, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        await editor.command("kaaj.start", {"prompt": "Mend it."})
        change = await editor.eventually(lambda: editor.change("proposed"))
    (workspace / "AGENTS.md").write_text("Say sesame.\n")
    run = answer_calls(("run", {"command": "touch ran"}), ("edit", {"path": "cart.py", "old": OLD, "new": NEW}))
    endpoint.add(run, DONE)
    settings = {"check": "false", "mode": "auto"}
    async with new_editor(capabilities=STREAM, settings=settings, options={"trusted": False}) as editor:
        started = await editor.command("kaaj.start", {"prompt": "Mend it.", "mode": "auto"})
        finished = await ended(editor, started["task"])
        assert finished["status"] == "done"
        began = editor.event("task_started")
        assert began is not None
        assert began["mode"] == "plan"
        assert editor.event("change") is None
        assert "sesame" not in str(endpoint.prompts[-1])
        assert "plan only" in str(endpoint.prompts[-1]["messages"][-1])
        with pytest.raises(RpcError) as refused:
            await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
        assert "not trusted" in refused.value.message
        assert editor.edits == []
        assert (await editor.command("kaaj.snapshot", {}))["restricted"] is True


async def test_the_editor_is_asked_for_its_problems(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer_calls(("diagnostics", {})), DONE)
    async with new_editor(capabilities=ASKED) as editor:
        uri = await editor.open("cart.py")
        rows = [
            {"uri": uri, "diagnostics": [problem(3, "overwritten"), "nonsense", problem(8, "one too many")]},
            {"uri": "untitled:Untitled-1", "diagnostics": [problem(0, "unsaved")]},
            {"uri": "file:///elsewhere/x.py", "diagnostics": [problem(0, "elsewhere")]},
        ]
        editor.diagnose = lambda _: {"files": rows}
        started = await editor.command("kaaj.start", {"prompt": "Look."})
        await ended(editor, started["task"])
        result = endpoint.prompts[1]["messages"][-1]["content"]
        assert result == "cart.py:4:5: error: overwritten [lint]\ncart.py:9:5: error: one too many [lint]"
        assert editor.diagnosed == [{}]


@pytest.mark.parametrize("reply", [None, [], "files", {"files": 3}, {"files": [{"uri": 7}, None]}])
async def test_no_answer_or_a_wrong_one_costs_nothing(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, reply: Any
) -> None:
    endpoint.add(answer_calls(("diagnostics", {"path": "cart.py"})), DONE)
    async with new_editor(capabilities=ASKED) as editor:
        await editor.open("cart.py")
        editor.diagnose = lambda _: reply
        started = await editor.command("kaaj.start", {"prompt": "Look."})
        assert (await ended(editor, started["task"]))["status"] == "done"
        assert endpoint.prompts[1]["messages"][-1]["content"] == "No problems known in cart.py."
        assert (len(editor.withdrawn) == 1) == (reply is None)


async def test_a_client_that_does_not_say_so_is_not_asked(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer_calls(("diagnostics", {})), DONE)
    async with new_editor(capabilities=STREAM) as editor:
        started = await editor.command("kaaj.start", {"prompt": "Look."})
        await ended(editor, started["task"])
        assert editor.diagnosed == []


async def test_the_light_bulb_gives_commands_and_one_for_all_problems(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(DONE)
    async with new_editor(capabilities=ASKED) as editor:
        uri = await editor.open("cart.py")
        both = [problem(3, "overwritten"), problem(8, "one too many")]
        editor.diagnose = lambda _: {"files": [{"uri": uri, "diagnostics": both}]}
        params = {"textDocument": {"uri": uri}, "range": both[0]["range"]}
        actions = await editor.request("textDocument/codeAction", {**params, "context": {"diagnostics": both[:1]}})
        fixes = [action for action in actions if action["kind"] == "quickfix"]
        assert [action["title"] for action in fixes] == [
            "Fix with Kaaj: overwritten",
            "Fix all 2 problems in this file with Kaaj",
        ]
        assert all(action["command"]["command"] == "kaaj.fix" for action in fixes)
        started = await editor.command("kaaj.fix", *fixes[1]["command"]["arguments"])
        await ended(editor, started["task"])
        opening = endpoint.prompts[0]["messages"][1]["content"]
        assert "cart.py:4:5: error: overwritten [lint]\ncart.py:9:5: error: one too many [lint]" in opening
        assert "Fix these 2 problems." in opening


async def test_lenses_of_a_change_that_waits_and_none_afterwards(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(TWO, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        params = {"textDocument": {"uri": uri}}
        assert await editor.request("textDocument/codeLens", params) == []
        await editor.command("kaaj.start", {"prompt": "Mend it."})
        change = await editor.eventually(lambda: editor.change("proposed"))
        await editor.eventually(lambda: editor.refreshed)
        lenses = await editor.request("textDocument/codeLens", params)
        assert [(lens["range"]["start"]["line"], lens["command"]["command"]) for lens in lenses] == [
            (0, "kaaj.accept"),
            (0, "kaaj.reject"),
            (3, "kaaj.accept"),
            (3, "kaaj.reject"),
            (8, "kaaj.accept"),
            (8, "kaaj.reject"),
        ]
        assert lenses[5]["command"]["arguments"][0]["hunks"] == [change["files"][0]["hunks"][1]["id"]]
        before = editor.refreshed
        await editor.command("kaaj.reject", *lenses[5]["command"]["arguments"])
        await editor.eventually(lambda: editor.refreshed > before)
        left = await editor.request("textDocument/codeLens", params)
        assert [lens["range"]["start"]["line"] for lens in left] == [0, 0, 3, 3]
        await editor.command("kaaj.accept", *left[0]["command"]["arguments"])
        assert NEW in editor.buffers[uri]
        assert await editor.request("textDocument/codeLens", params) == []


async def test_explain_answers_in_text_and_changes_nothing(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW})), answer("It adds them up."))
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        place = {"start": {"line": 3, "character": 0}, "end": {"line": 4, "character": 0}}
        params: Any = {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}}
        actions = await editor.request("textDocument/codeAction", params)
        explain = next(action for action in actions if action["title"] == "Kaaj: explain")
        started = await editor.command("kaaj.start", *explain["command"]["arguments"])
        finished = await ended(editor, started["task"])
        assert (finished["status"], finished["summary"]) == ("done", "It adds them up.")
        assert editor.event("change") is None
        assert "Answer in prose" in endpoint.prompts[0]["messages"][1]["content"]


async def test_a_plan_is_edited_after_its_end_and_then_run(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    plan = answer_calls(
        (
            "todo",
            {"items": [{"title": "Mend total", "status": "pending"}, {"title": "Mend count", "status": "pending"}]},
        )
    )
    endpoint.add(plan, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        planned = await editor.command("kaaj.start", {"prompt": "Mend it.", "mode": "plan"})
        await ended(editor, planned["task"])
        todo = editor.event("todo")
        assert todo is not None
        assert [item["status"] for item in todo["items"]] == ["pending", "pending"]
        first, second = todo["items"]
        items = [{"id": second["id"], "title": "Mend count()"}, {"id": first["id"], "title": first["title"]}]
        edited = await editor.command("kaaj.todo", {"task": planned["task"], "items": items})
        assert [item["title"] for item in edited["items"]] == ["Mend count()", "Mend total"]

        endpoint.add(
            answer_calls(("edit", {"path": "cart.py", "old": "len(prices) + 1", "new": "len(prices)"})),
            answer("Counted."),
        )
        only = [{"title": edited["items"][0]["title"]}, {"title": "Mend total", "status": "skipped"}]
        run = await editor.command("kaaj.start", {"prompt": "Mend it.", "session": planned["session"], "todo": only})
        change = await editor.eventually(lambda: editor.change("proposed"))
        assert change["task"] == run["task"]
        hunk = change["files"][0]["hunks"][0]
        assert (change["files"][0]["uri"], hunk["new"]) == (uri, "    return len(prices)\n")
        listed = editor.event("todo", task=run["task"])
        assert listed is not None
        assert [(item["id"], item["status"]) for item in listed["items"]] == [("t1", "done"), ("t2", "skipped")]
        assert hunk["todo"] == "t1"


async def test_a_reply_of_two_hundred_thousand_characters_comes_whole(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    text = "".join(f"word {n:09d} 😀\n" for n in range(11_800))
    endpoint.add(answer(text, chunk=60))
    async with new_editor(capabilities=STREAM) as editor:
        started = await editor.command("kaaj.start", {"prompt": "Talk."})
        finished = await editor.eventually(lambda: editor.event("task_finished", task=started["task"]), wait=60)
        assert finished["status"] == "done"
        assert len(text) > 200_000
        assert "".join(event["text"] for event in editor.events if event["type"] == "text") == text
        assert [event["seq"] for event in editor.events] == list(range(1, len(editor.events) + 1))
