"""`kaaj demo`, `kaaj doctor` and `kaaj eval` as processes of their own, against a scripted endpoint."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls, answer_error

RIGHT = answer_calls(("edit", {"path": "shop/prices.py", "old": "quantity > BULK", "new": "quantity >= BULK"}))
WRONG = answer_calls(("edit", {"path": "shop/prices.py", "old": "quantity > BULK", "new": "quantity < BULK"}))
PLAN = answer_calls(("todo", {"items": [{"title": "Correct the comparison", "status": "running"}]}))
DONE = answer("The comparison was strict.")


@dataclass
class Ended:
    code: int
    out: str
    err: str


@dataclass
class Kaaj:
    """The command with a home of its own. `home` holds what it keeps."""

    home: Path

    async def start(self, endpoint: ScriptedEndpoint, *arguments: str, **environ: str) -> Process:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KAAJ_", "OPENAI_"))}
        own = {
            "KAAJ_STATE_DIR": str(self.home / "state"),
            "KAAJ_MODEL_DIR": str(self.home / "models"),
            "KAAJ_BASE_URL": endpoint.base_url,
            "KAAJ_MODEL": "scripted",
            "TMPDIR": str(self.home / "tmp"),
        }
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "kaaj_server", *arguments),
            cwd=self.home,
            env={**kept, **own, **environ},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )

    async def run(self, endpoint: ScriptedEndpoint, *arguments: str, **environ: str) -> Ended:
        process = await self.start(endpoint, *arguments, **environ)
        out, err = await process.communicate()
        return Ended(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
def kaaj(tmp_path: Path) -> Kaaj:
    (tmp_path / "tmp").mkdir()
    return Kaaj(tmp_path)


async def test_the_demo_goes_from_red_to_green(kaaj: Kaaj) -> None:
    async with ScriptedEndpoint(PLAN, RIGHT, DONE) as endpoint:
        ended = await kaaj.run(endpoint, "demo")
    assert ended.code == 0, ended
    red, plan, diff, green, end = (
        ended.out.index(words)
        for words in (
            "failed (failures=1)",
            "Correct the comparison",
            "+    if quantity >=",
            "all passed",
            "green after",
        )
    )
    assert red < plan < diff < green < end
    assert "tokens" in ended.out[end:]
    assert "\x1b" not in ended.out
    assert ended.err == ""
    assert list((kaaj.home / "tmp").iterdir()) == []


async def test_the_demo_can_be_kept(kaaj: Kaaj) -> None:
    async with ScriptedEndpoint(RIGHT, DONE) as endpoint:
        ended = await kaaj.run(endpoint, "demo", "--keep", "--seed", "7")
        assert {prompt.get("seed") for prompt in endpoint.prompts} == {7}
    assert ended.code == 0, ended
    (project,) = (kaaj.home / "tmp").glob("kaaj-demo-*/shop")
    text = (project / "shop" / "prices.py").read_text()
    assert "if quantity >= BULK_FROM:" in text
    assert "An unsaved line" in text
    assert str(project) in ended.out


async def test_a_demo_that_does_not_work_out_exits_one(kaaj: Kaaj) -> None:
    async with ScriptedEndpoint(answer("I do not know.")) as endpoint:
        ended = await kaaj.run(endpoint, "demo", "--yes")
    assert ended.code == 1, ended
    assert "The project is as it was." in ended.out


async def test_a_demo_with_a_wrong_fix_exits_one(kaaj: Kaaj) -> None:
    async with ScriptedEndpoint(WRONG, last=DONE) as endpoint:
        ended = await kaaj.run(endpoint, "demo", "--yes")
    assert ended.code == 1, ended
    assert "green after" not in ended.out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_to_the_demo_leaves_nothing_behind(kaaj: Kaaj, number: signal.Signals, code: int) -> None:
    async with ScriptedEndpoint(replace(DONE, hang_after=1)) as endpoint:
        process = await kaaj.start(endpoint, "demo")
        while not endpoint.prompts:
            await asyncio.sleep(0.01)
        process.send_signal(number)
        out, err = await process.communicate()
    assert process.returncode == code
    assert b"Interrupted" in out
    assert b"Traceback" not in err
    assert list((kaaj.home / "tmp").iterdir()) == []


async def test_a_model_that_is_not_known(kaaj: Kaaj) -> None:
    async with ScriptedEndpoint() as endpoint:
        ended = await kaaj.run(endpoint, "demo", "--model", "gpt-99", KAAJ_BASE_URL="")
    assert ended.code == 2
    assert "qwen2.5-coder-1.5b" in ended.err


LOOK = answer_calls(("read", {"path": "README.md"}))


@pytest.mark.parametrize(("reply", "code", "state"), [(LOOK, 0, "good"), (answer("It is sunny."), 1, "bad")])
async def test_doctor_tries_a_tool_call(kaaj: Kaaj, reply: Answer, code: int, state: str) -> None:
    async with ScriptedEndpoint(last=reply) as endpoint:
        ended = await kaaj.run(endpoint, "doctor", "--json")
    assert ended.code == code, ended
    rows: dict[str, dict[str, Any]] = {row["name"]: row for row in json.loads(ended.out)}
    assert rows["tool calls"]["state"] == state
    assert rows["python"]["state"] == "good"
    assert {"git", "ripgrep", "sandbox", "embedded model", "state folder", "context window"} <= rows.keys()
    assert all(row["advice"] for row in rows.values() if row["state"] != "good")


async def test_what_doctor_found_out_is_remembered(kaaj: Kaaj) -> None:
    """A server that takes `tools` and never calls them, and no `top_k`: from then on they stand in the text."""
    written = "<tool_call>\n<function=read>\n<parameter=path>\nREADME.md\n</parameter>\n</function>\n</tool_call>"

    def reply(body: Any) -> Answer:
        if "top_k" in body:
            return answer_error(400, "Unrecognized request argument supplied: top_k")
        return answer("I would read it.") if "tools" in body else answer(written)

    async with ScriptedEndpoint(last=reply) as endpoint:
        environ = {"KAAJ_MODEL": "qwen3-coder"}
        ended = await kaaj.run(endpoint, "doctor", "--json", **environ)
        rows: dict[str, dict[str, Any]] = {row["name"]: row for row in json.loads(ended.out)}
        assert "written as xml in the text" in rows["tool calls"]["found"], ended
        assert "takes no top_k" in rows["tool calls"]["found"]
        asked = len(endpoint.prompts)
        await kaaj.run(endpoint, "doctor", **environ)
        later = endpoint.prompts[asked:]
        assert later
        assert not any("tools" in body or "top_k" in body for body in later)
        other = len(endpoint.prompts)
        await kaaj.run(endpoint, "doctor", **{**environ, "KAAJ_MODEL": "qwen3-coder-plus"})
        assert "tools" in endpoint.prompts[other], "another model is another matter"


async def test_doctor_with_an_endpoint_that_refuses(kaaj: Kaaj) -> None:
    async with ScriptedEndpoint(last=answer_error(401, "bad key")) as endpoint:
        ended = await kaaj.run(endpoint, "doctor")
    assert ended.code == 1
    assert "Not ready yet: see model." in ended.out


def eval_task(folder: Path, check: str = "grep -q right a.txt") -> Path:
    (folder / "workspace").mkdir(parents=True)
    (folder / "workspace" / "a.txt").write_text("wrong\n")
    (folder / "task.toml").write_text(f'prompt = "make it right"\ncheck = "{check}"\ntimeout = 60\n')
    return folder


EDIT = answer_calls(("edit", {"path": "a.txt", "old": "wrong", "new": "right"}))


async def test_eval_runs_each_task_once_and_goes_on_where_it_stopped(kaaj: Kaaj) -> None:
    tasks = kaaj.home / "tasks"
    first = eval_task(tasks / "first")
    out = kaaj.home / "results.jsonl"
    async with ScriptedEndpoint(EDIT, DONE) as endpoint:
        ended = await kaaj.run(endpoint, "eval", str(tasks), "--out", str(out))
        assert ended.code == 0, ended
        row = json.loads(out.read_text())
        assert (row["task"], row["solved"], row["status"], row["requests"], row["edits"]) == (
            "first",
            True,
            "done",
            2,
            1,
        )
        assert (first / "workspace" / "a.txt").read_text() == "wrong\n"

        eval_task(tasks / "second")
        out.write_text(out.read_text() + '{"task": "torn')
        endpoint.add(answer("I give up."))
        ended = await kaaj.run(endpoint, "eval", str(tasks), "--out", str(out))
        assert ended.code == 0, ended
        assert len(endpoint.prompts) == 3
    *_, last = out.read_text().splitlines()
    assert json.loads(last)["task"] == "second"
    assert json.loads(last)["solved"] is False
    assert "1 of 2" in ended.out
    assert list((kaaj.home / "tmp").iterdir()) == []


async def test_eval_repeats_with_seeds_side_by_side(kaaj: Kaaj) -> None:
    eval_task(kaaj.home / "tasks" / "one")
    out = kaaj.home / "results.jsonl"
    async with ScriptedEndpoint(last=answer("I give up.")) as endpoint:
        ended = await kaaj.run(
            endpoint, "eval", str(kaaj.home / "tasks"), "--out", str(out), "--seeds", "2", "--jobs", "2"
        )
        assert sorted(prompt["seed"] for prompt in endpoint.prompts) == [1, 2]
    assert ended.code == 0, ended
    assert sorted(json.loads(line)["seed"] for line in out.read_text().splitlines()) == [1, 2]


async def test_eval_notes_an_error_and_goes_on(kaaj: Kaaj) -> None:
    eval_task(kaaj.home / "tasks" / "one")
    eval_task(kaaj.home / "tasks" / "two")
    out = kaaj.home / "results.jsonl"
    async with ScriptedEndpoint(last=answer_error(401, "bad key")) as endpoint:
        ended = await kaaj.run(endpoint, "eval", str(kaaj.home / "tasks"), "--out", str(out))
    assert ended.code == 1, ended
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["status"] for row in rows] == ["failed", "failed"]
    assert all("KAAJ_API_KEY" in row["error"] for row in rows)


async def test_eval_sets_up_and_keeps_the_check_to_itself(kaaj: Kaaj) -> None:
    folder = eval_task(kaaj.home / "tasks" / "secret", 'sh \\"$KAAJ_TASK/hidden/check.sh\\"')
    (folder / "hidden").mkdir()
    (folder / "hidden" / "check.sh").write_text("grep -q right a.txt && grep -q laid b.txt")
    with (folder / "task.toml").open("a") as file:
        file.write("setup = 'echo laid > b.txt'\nagent_check = 'test -z \"$KAAJ_TASK\" && test -s b.txt'\n")
    out = kaaj.home / "results.jsonl"
    async with ScriptedEndpoint(EDIT, DONE) as endpoint:
        ended = await kaaj.run(endpoint, "eval", str(folder), "--out", str(out))
        assert all("hidden" not in json.dumps(prompt) for prompt in endpoint.prompts)
    assert ended.code == 0, ended
    assert json.loads(out.read_text())["solved"] is True


async def test_eval_of_what_is_to_be_left_alone_and_of_what_cannot_run(kaaj: Kaaj) -> None:
    left, touched, lame = (eval_task(kaaj.home / "tasks" / name, "true") for name in ("left", "touched", "without"))
    for folder, line in ((left, "untouched = true"), (touched, "untouched = true"), (lame, 'needs = ["no-such-tool"]')):
        with (folder / "task.toml").open("a") as file:
            file.write(line + "\n")
    out = kaaj.home / "results.jsonl"
    async with ScriptedEndpoint(answer("It is right already."), EDIT, DONE) as endpoint:
        ended = await kaaj.run(endpoint, "eval", str(kaaj.home / "tasks"), "--out", str(out))
        assert len(endpoint.prompts) == 3
    assert ended.code == 1, ended
    rows = {row["task"]: row for row in map(json.loads, out.read_text().splitlines())}
    assert [rows[name]["solved"] for name in ("left", "touched", "without")] == [True, False, False]
    assert rows["without"]["error"] == "not on the PATH: no-such-tool"


async def test_ctrl_c_in_eval_keeps_what_is_done_and_ends_the_children(kaaj: Kaaj) -> None:
    eval_task(kaaj.home / "tasks" / "one")
    eval_task(kaaj.home / "tasks" / "two")
    out = kaaj.home / "results.jsonl"
    async with ScriptedEndpoint(answer("I give up."), last=replace(DONE, hang_after=1)) as endpoint:
        process = await kaaj.start(endpoint, "eval", str(kaaj.home / "tasks"), "--out", str(out))
        while len(endpoint.prompts) < 2:
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        while not endpoint.left:
            await asyncio.sleep(0.01)
    assert process.returncode == 130
    assert b"Interrupted. 1 result in" in err
    assert [json.loads(line)["task"] for line in out.read_text().splitlines()] == ["one"]
    assert list((kaaj.home / "tmp").iterdir()) == []
