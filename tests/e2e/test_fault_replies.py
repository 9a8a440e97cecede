"""Endpoints that lie of their window or say too much at once: the task ends in a sentence, and the server lives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls, answer_error
from kaaj_server.testing import VSCODE, NewEditor, with_events

STREAM = with_events(VSCODE)
OLD, NEW = "        result = price\n", "        result += price\n"
FIX = answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW}))
DONE = answer("Done.")
TOO_LONG = answer_error(400, "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens.")


@pytest.mark.parametrize("window", [1, 16, 300, 10**12, 2**63])
async def test_a_window_that_is_a_lie(new_editor: NewEditor, env: dict[str, str], workspace: Path, window: int) -> None:
    """Too small to work in: told, not looped over. Larger than anything: believed, and held to nothing by it."""
    models: list[Any] = [{"id": "scripted", "max_model_len": window}]
    async with ScriptedEndpoint(FIX, models=models, last=DONE) as lying:
        env["KAAJ_BASE_URL"] = lying.base_url
        async with new_editor(capabilities=STREAM) as editor:
            await editor.command("kaaj.start", {"prompt": "total() must add up."})
            await editor.eventually(lambda: editor.change("proposed") or editor.event("task_finished"), wait=60)
            ended = editor.event("task_finished")
            if ended is not None:
                assert ended["status"] in ("failed", "stopped")
                assert "Kaaj failed inside" not in ended["summary"]
            assert len(lying.prompts) < 20
            assert not any("Traceback" in row for row in editor.stderr)
    assert OLD in (workspace / "cart.py").read_text()


async def test_a_window_that_is_smaller_than_told(new_editor: NewEditor, env: dict[str, str], workspace: Path) -> None:
    (workspace / "long.txt").write_text("word " * 6000)
    models: list[Any] = [{"id": "scripted", "max_model_len": 1_000_000}]
    said = (answer_calls(("read", {"path": "long.txt"})), TOO_LONG, FIX)
    async with ScriptedEndpoint(*said, models=models, last=DONE) as lying:
        env["KAAJ_BASE_URL"] = lying.base_url
        async with new_editor(capabilities=STREAM) as editor:
            await editor.command("kaaj.start", {"prompt": "total() must add up."})
            await editor.eventually(lambda: editor.change("proposed"), "a proposal", 60)
            assert not any("Traceback" in row for row in editor.stderr)


async def test_ten_megabytes_in_one_delta(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path
) -> None:
    endpoint.add(answer("x" * 10_000_000), FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        await editor.command("kaaj.start", {"prompt": "total() must add up."})
        assert (await editor.command("kaaj.snapshot", {}))["tasks"]
        await editor.eventually(lambda: editor.change("proposed") or editor.event("task_finished"), wait=60)
        told = sum(len(event["text"]) for event in editor.events if event["type"] == "text")
        assert told <= 500_000
        assert not any("Traceback" in row for row in editor.stderr)
    logs = (Path(env["KAAJ_STATE_DIR"]) / "sessions").glob("*.jsonl")
    assert sum(log.stat().st_size for log in logs) < 5_000_000
    assert OLD in (workspace / "cart.py").read_text()
