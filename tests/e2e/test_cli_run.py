"""`kaaj run` as a process of its own, against a scripted endpoint: exit codes, files, lines, signals."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls, answer_error
from kaaj_protocol.events import ChangeEvent, parse_event

BEFORE = "def double(x):\n    return x * 3\n"
AFTER = "def double(x):\n    return x * 2\n"
CHECK = "python3 -c 'from a import double; assert double(2) == 4'"
EDIT = answer_calls(("edit", {"path": "a.py", "old": "x * 3", "new": "x * 2"}))
WRONG = answer_calls(("edit", {"path": "a.py", "old": "x * 3", "new": "x * 5"}))
DONE = answer("It doubles now.")


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Project:
    """A folder with one file, an endpoint, and the command."""

    root: Path
    state: Path
    endpoint: ScriptedEndpoint
    environ: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def text(self) -> str:
        return (self.root / "a.py").read_text()

    def variables(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KAAJ_", "OPENAI_"))}
        own = {
            "KAAJ_STATE_DIR": str(self.state),
            "KAAJ_BASE_URL": self.endpoint.base_url,
            "KAAJ_MODEL": "scripted",
            "KAAJ_API_KEY": "sk-secret-of-the-test",
        }
        return {**kept, **own, **self.environ}

    async def start(self, *arguments: str, stdin: int = DEVNULL, stdout: int = PIPE, stderr: int = PIPE) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "kaaj_server", *arguments),
            cwd=self.root,
            env=self.variables(),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        )

    async def run(self, *arguments: str, given: str | None = None) -> Ended:
        process = await self.start(*arguments, stdin=DEVNULL if given is None else PIPE)
        out, err = await process.communicate(None if given is None else given.encode())
        return Ended(process.returncode or 0, out.decode(), err.decode())

    def script(self, *answers: Answer) -> None:
        self.endpoint.add(*answers)


@pytest.fixture
async def project(tmp_path: Path) -> AsyncIterator[Project]:
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.py").write_text(BEFORE)
    async with ScriptedEndpoint() as endpoint:
        yield Project(root, tmp_path / "state", endpoint)


def with_check(*arguments: str) -> Sequence[str]:
    return ("run", "make double double", "--check", CHECK, *arguments)


async def test_a_checked_change_is_written_after_yes(project: Project) -> None:
    project.script(EDIT, DONE)
    ended = await project.run(*with_check("--yes"))
    assert ended.code == 0, ended
    assert project.text == AFTER
    assert "+    return x * 2" in ended.out
    assert "Applied." in ended.out
    assert "\x1b" not in ended.out


async def test_without_a_terminal_ask_prints_the_diff_and_writes_nothing(project: Project) -> None:
    project.script(EDIT, DONE)
    ended = await project.run(*with_check())
    assert ended.code == 1
    assert project.text == BEFORE
    assert "+    return x * 2" in ended.out
    assert "--yes" in ended.out


@pytest.mark.parametrize("how", [("--yes",), ("--mode", "auto")])
async def test_a_change_whose_check_fails_is_not_written(project: Project, how: tuple[str, ...]) -> None:
    project.script(WRONG, *([DONE] * 12))
    ended = await project.run(*with_check(*how))
    assert ended.code == 1, ended
    assert project.text == BEFORE
    assert "as they were" in ended.out


async def test_auto_writes_by_itself(project: Project) -> None:
    project.script(EDIT, DONE)
    ended = await project.run(*with_check("--mode", "auto"))
    assert ended.code == 0, ended
    assert project.text == AFTER


def found_check(project: Project) -> Path:
    """A test that the project brings along, with no sandbox to run it in, and what shows that it was run."""
    no_sandbox = project.state.parent / "bin" / "bwrap"
    no_sandbox.parent.mkdir()
    no_sandbox.write_text("#!/bin/sh\necho 'bwrap: No permissions' >&2\nexit 1\n")
    no_sandbox.chmod(0o755)
    project.environ["PATH"] = os.pathsep.join([str(no_sandbox.parent), os.environ["PATH"]])
    sprung = project.root / "sprung"
    (project.root / "pytest.ini").write_text("[pytest]\n")
    (project.root / "test_a.py").write_text(
        f"import pathlib\npathlib.Path({str(sprung)!r}).touch()\ndef test_it(): pass\n"
    )
    return sprung


async def test_auto_without_a_sandbox_does_not_agree_to_a_check_by_itself(project: Project) -> None:
    sprung = found_check(project)
    project.script(EDIT, *[DONE] * 12)
    ended = await project.run("run", "make double double", "--mode", "auto")
    assert ended.code == 1, ended
    assert '--check "…"' in " ".join(ended.out.split())
    assert "pytest" in ended.out
    assert not sprung.exists()
    assert project.text == BEFORE


async def test_yes_agrees_to_a_check_without_a_sandbox(project: Project) -> None:
    sprung = found_check(project)
    project.script(EDIT, *[DONE] * 12)
    ended = await project.run("run", "make double double", "--mode", "auto", "--yes")
    assert ended.code == 0, ended
    assert sprung.exists()
    assert project.text == AFTER


async def test_plan_writes_nothing(project: Project) -> None:
    items = [{"title": "Change the factor", "status": "pending"}]
    project.script(answer_calls(("todo", {"items": items})), answer("That is the plan."))
    ended = await project.run("run", "--mode", "plan", "make double double")
    assert ended.code == 0, ended
    assert "Change the factor" in ended.out
    assert project.text == BEFORE


async def test_the_prompt_may_come_from_standard_input(project: Project) -> None:
    project.script(answer("Nothing to do."))
    ended = await project.run("run", "-", given="is it all right?\n")
    assert ended.code == 0, ended
    assert "is it all right?" in str(project.endpoint.prompts[0]["messages"])


async def test_json_lines_are_the_event_stream_and_a_result(project: Project) -> None:
    project.script(EDIT, DONE)
    ended = await project.run(*with_check("--yes", "--json"))
    assert ended.code == 0, ended
    *rows, result = ended.rows
    events = [parse_event(row) for row in rows]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    states = [event.change.state for event in events if isinstance(event, ChangeEvent)]
    assert states[-2:] == ["proposed", "applied"]
    assert (result["type"], result["status"], result["exit"], result["applied"]) == ("result", "done", 0, True)
    assert result["usage"]["requests"] == 2
    assert result["session"] == rows[0]["session"]


async def test_json_without_yes_proposes_and_stops(project: Project) -> None:
    project.script(EDIT, DONE)
    ended = await project.run(*with_check("--json"))
    assert ended.code == 1
    assert project.text == BEFORE
    assert (ended.rows[-1]["status"], ended.rows[-1]["applied"]) == ("stopped", False)


async def test_a_session_goes_on(project: Project) -> None:
    project.script(answer("I see."))
    first = await project.run("run", "--json", "look at a.py")
    project.script(answer("Still there."))
    second = await project.run("run", "--json", "--session", first.rows[-1]["session"], "and now?")
    assert second.code == 0, second
    assert second.rows[-1]["session"] == first.rows[-1]["session"]
    assert "look at a.py" in str(project.endpoint.prompts[-1]["messages"])
    unknown = await project.run("run", "--session", "no-such-session", "and now?")
    assert unknown.code == 2
    assert "no-such-session" in unknown.err


async def test_an_endpoint_that_refuses(project: Project) -> None:
    project.endpoint.add(answer_error(401, "bad key"))
    ended = await project.run(*with_check("--yes"))
    assert ended.code == 1
    assert project.text == BEFORE
    assert "Traceback" not in ended.err
    assert "sk-secret" not in ended.out + ended.err


async def test_a_failure_is_the_last_line_of_json(project: Project) -> None:
    project.script(answer_error(404, "no such model"))
    ended = await project.run("run", "anything", "--json")
    assert ended.code == 1
    assert ended.rows[-1]["status"] == "failed"
    assert ended.rows[-1]["summary"]
    assert ended.rows[-1]["exit"] == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_ends_it_with_the_files_as_they_were(
    project: Project, number: signal.Signals, code: int
) -> None:
    project.script(EDIT, replace(answer("It doubles"), hang_after=1))
    process = await project.start(*with_check("--mode", "auto"))
    while len(project.endpoint.prompts) < 2:
        await asyncio.sleep(0.01)
    process.send_signal(number)
    out, err = await process.communicate()
    assert process.returncode == code, (out, err)
    assert project.text == BEFORE
    assert b"as they were" in out
    assert b"Traceback" not in err


async def test_a_reader_that_leaves_ends_it(project: Project) -> None:
    project.script(EDIT, replace(answer("It doubles now, " * 20, chunk=4), pause=0.05))
    reader, writer = os.pipe()
    process = await project.start(*with_check("--mode", "auto", "--json"), stdout=writer)
    os.close(writer)
    await asyncio.to_thread(os.read, reader, 1)
    os.close(reader)
    _, err = await process.communicate()
    assert process.returncode == 1
    assert err == b""
    assert project.text == BEFORE


class Terminal:
    """A pseudo-terminal of 80 by 24, with someone at it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.seen = ""

    async def until(self, words: str) -> None:
        while words not in self.seen:
            await asyncio.sleep(0.01)
            self.read()

    def read(self) -> None:
        try:
            self.seen += os.read(self.master, 65_536).decode("utf-8", "replace")
        except (BlockingIOError, OSError):
            return

    def type(self, line: str) -> None:
        os.write(self.master, line.encode() + b"\n")

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.mark.parametrize(("answered", "code", "text"), [("y", 0, AFTER), ("n", 1, BEFORE)])
async def test_on_a_terminal_it_asks(project: Project, answered: str, code: int, text: str) -> None:
    project.script(EDIT, DONE)
    project.environ.update({"TERM": "xterm-256color", "COLUMNS": "80"})
    terminal = Terminal()
    try:
        slave = terminal.slave
        process = await project.start(*with_check(), stdin=slave, stdout=slave, stderr=slave)
        await terminal.until("Apply it?")
        assert project.text == BEFORE
        assert "\x1b[32m" in terminal.seen
        terminal.type(answered)
        await process.wait()
        terminal.read()
        assert process.returncode == code, terminal.seen
        assert project.text == text
    finally:
        terminal.close()


async def test_no_color_is_honoured(project: Project) -> None:
    project.script(EDIT, DONE)
    project.environ.update({"TERM": "xterm-256color", "NO_COLOR": "1"})
    terminal = Terminal()
    try:
        process = await project.start(*with_check("--yes"), stdin=DEVNULL, stdout=terminal.slave)
        await terminal.until("Applied.")
        await process.wait()
        assert "\x1b[32m" not in terminal.seen
    finally:
        terminal.close()
