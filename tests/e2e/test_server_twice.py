"""Two servers on one folder, as two windows of an editor start them: each works, and neither spoils the other's log."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import VSCODE, FakeEditor, NewEditor, RpcError, with_events

STREAM = with_events(VSCODE)
OLD = "        result = price\n"
NEW = "        result += price\n"
FIX = answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW}))
DONE = answer("Done.")


def play(body: Any) -> Answer:
    """The edit, and the end after its result, whichever window asks first."""
    return DONE if body["messages"][-1]["role"] == "tool" else FIX


async def sessions(editor: FakeEditor) -> set[str]:
    drawn = await editor.command("kaaj.snapshot", {})
    return {session["id"] for session in drawn["sessions"]}


def logs(tmp_path: Path) -> dict[str, list[Any]]:
    """The records of each log; a line that is no JSON fails."""
    files = (tmp_path / "state" / "sessions").glob("*.jsonl")
    return {path.stem: [json.loads(line) for line in path.read_text().splitlines()] for path in files}


async def test_two_windows_work_side_by_side_and_the_next_one_sees_it_all(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, tmp_path: Path
) -> None:
    endpoint.add(DONE)
    async with new_editor(capabilities=STREAM) as editor:
        await editor.command("kaaj.start", {"prompt": "The first of all."})
        await editor.eventually(lambda: editor.event("task_finished"))
    endpoint.add(*[play] * 4)
    async with new_editor(capabilities=STREAM) as one, new_editor(capabilities=STREAM) as two:
        earlier = await sessions(one)
        assert len(earlier) == 1
        assert await sessions(two) == set(), "what another window has open is its own"
        mine, yours = await asyncio.gather(
            one.command("kaaj.start", {"prompt": "One."}), two.command("kaaj.start", {"prompt": "Two."})
        )
        changes = [await e.eventually(partial(e.change, "proposed")) for e in (one, two)]
        assert await sessions(one) == {mine["session"], *earlier}
        assert await sessions(two) == {yours["session"]}
        for editor, change in zip((one, two), changes, strict=True):
            uri = await editor.open("cart.py")
            result = await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
            assert result["state"] == "applied"
            assert NEW in editor.buffers[uri]
        with pytest.raises(RpcError):
            await two.command("kaaj.forget", {"session": mine["session"]})
    async with new_editor(capabilities=STREAM) as editor:
        assert await sessions(editor) == {mine["session"], yours["session"], *earlier}
    for records in logs(tmp_path).values():
        seqs = [record["event"]["seq"] for record in records if "event" in record]
        assert seqs == list(range(1, len(seqs) + 1))


async def test_what_one_window_forgets_the_next_does_not_bring_back(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, tmp_path: Path
) -> None:
    endpoint.add(DONE)
    async with new_editor(capabilities=STREAM) as one:
        started = await one.command("kaaj.start", {"prompt": "One."})
        await one.eventually(lambda: one.event("task_finished"))
        async with new_editor(capabilities=STREAM) as two:
            assert await sessions(two) == set()
            await one.command("kaaj.forget", {"session": started["session"]})
            assert await sessions(one) == await sessions(two) == set()
    assert logs(tmp_path) == {}
