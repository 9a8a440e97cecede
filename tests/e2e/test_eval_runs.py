"""`kaaj eval` as a process of its own, against a scripted endpoint: results, timelines, the report, going on."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.cli.eval_ray import pack, unpack

EDIT = answer_calls(("edit", {"path": "a.py", "old": "x * 3", "new": "x * 2"}))
DONE = answer("It doubles now.")
TASK = """\
prompt = "double() must double"
check = "python3 -c 'from a import double; assert double(2) == 4'"
timeout = 60
"""


def scripted(body: Any) -> Any:
    """Edits first, and is done once the edit was answered, however many runs there are at a time."""
    return DONE if any(message["role"] == "tool" for message in body["messages"]) else EDIT


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "tasks" / "double"
    (folder / "workspace").mkdir(parents=True)
    (folder / "task.toml").write_text(TASK)
    (folder / "workspace" / "a.py").write_text("def double(x):\n    return x * 3\n")
    return folder


async def evaluate(env: dict[str, str], *words: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kaaj_server", "eval", *words, env=env, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    return process.returncode, (out + err).decode()


async def test_results_timelines_and_the_report_and_only_the_rest_is_run(
    tmp_path: Path, task: Path, env: dict[str, str]
) -> None:
    out = tmp_path / "out" / "r.jsonl"
    async with ScriptedEndpoint(last=scripted) as endpoint:
        env["KAAJ_BASE_URL"] = endpoint.base_url
        first = await evaluate(env, str(task), "--out", str(out), "--seeds", "2", "--jobs", "2")
        assert first[0] == 0, first[1]
        asked = len(endpoint.prompts)
        second = await evaluate(env, str(task), "--out", str(out), "--seeds", "3")
        assert second[0] == 0, second[1]
        assert len(endpoint.prompts) == asked // 2 * 3
    assert "2 of 3 runs stand in" in second[1]
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted((row["seed"], row["solved"]) for row in rows) == [(1, True), (2, True), (3, True)]
    kinds = {step["kind"] for line in _timelines(out) for step in line["steps"]}
    assert kinds >= {"request", "tool", "check", "end"}
    report = out.with_suffix(".html").read_text("utf-8")
    assert "3 of 3 runs solved" in report
    assert report.count("<rect class=") >= 9
    assert str(out.with_suffix(".html")) in second[1]


def _timelines(out: Path) -> list[Any]:
    return [json.loads(line) for line in out.with_name("r.timelines.jsonl").read_text().splitlines()]


async def test_results_and_report_are_two_files(tmp_path: Path, task: Path, env: dict[str, str]) -> None:
    code, said = await evaluate(env, str(task), "--out", str(tmp_path / "r.html"))
    assert code == 2
    assert "cannot be one file" in said


def test_a_task_travels_whole(tmp_path: Path, task: Path) -> None:
    (task / "workspace" / "run.sh").write_text("#!/bin/sh\n")
    (task / "workspace" / "run.sh").chmod(0o755)
    (task / "workspace" / "link").symlink_to("a.py")
    (task / "hidden").mkdir()
    unpack(pack(task), tmp_path / "there")
    arrived = tmp_path / "there"
    assert (arrived / "task.toml").read_text() == TASK
    assert (arrived / "hidden").is_dir()
    assert (arrived / "workspace" / "run.sh").stat().st_mode & 0o111
    assert (arrived / "workspace" / "link").readlink() == Path("a.py")
