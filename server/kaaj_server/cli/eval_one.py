"""One run of an evaluation: a copy of the task, `kaaj run` in it, and the check's word. Here, or on another machine."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from kaaj_server.cli.eval_task import EvalTask, Result
from kaaj_server.cli.eval_timeline import Recorder, Step
from kaaj_server.cli.shell_command import run_shell

_CHECK_SECONDS: Final = 300.0
_GRACE_SECONDS: Final = 5.0
_ERROR_CHARACTERS: Final = 2_000
_LINE_MAX: Final = 64 * 1024 * 1024
"""Bytes of one line of a child's output: a change carries whole files."""


@dataclass(frozen=True, slots=True)
class Way:
    """How each run is done. `state` is Kaaj's state folder for all of them.

    With `leashed`, a child ends when its starter dies, however that dies (where the system has a way to say so).
    """

    environ: Mapping[str, str]
    state: Path
    model: str = ""
    base_url: str = ""
    blind: bool = False
    leashed: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run leaves."""

    result: Result
    steps: tuple[Step, ...] = ()


async def run_one(task: EvalTask, seed: int | None, way: Way) -> Outcome:
    """The whole run. What goes wrong with it is told in the result."""
    began = time.monotonic()
    folder = await asyncio.to_thread(_new_folder)
    workspace = folder / "workspace"
    recorder = Recorder()
    try:
        error = await _lay_out(task, workspace, way)
        result: Mapping[str, Any] = {}
        if error is None:
            began = time.monotonic()
            result, error = await _child(task, seed, workspace, way, recorder.feed)
        took = time.monotonic() - began
        recorder.close(took)
        solved = error is None and await _passes(task, workspace, way.environ)
        if task.untouched:
            solved = solved and result.get("status") in ("done", "stopped") and not result.get("applied")
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    usage: Mapping[str, Any] = result.get("usage") or {}
    change: Mapping[str, Any] = result.get("change") or {}
    line = Result(
        task=task.name,
        solved=solved,
        status=str(result.get("status", "failed")),
        seconds=round(took, 3),
        requests=int(usage.get("requests", 0)),
        prompt_tokens=int(usage.get("prompt_tokens", 0)),
        cached_tokens=int(usage.get("cached_tokens", 0)),
        completion_tokens=int(usage.get("completion_tokens", 0)),
        edits=int(change.get("hunks", 0)) if result.get("applied") else 0,
        seed=seed,
        error=error,
    )
    return Outcome(line, tuple(recorder.steps))


async def _lay_out(task: EvalTask, workspace: Path, way: Way) -> str | None:
    """The workspace as the agent finds it, or why there is none."""
    path = way.environ.get("PATH")
    if missing := [program for program in task.needs if shutil.which(program, path=path) is None]:
        return f"not on the PATH: {', '.join(missing)}"
    await asyncio.to_thread(shutil.copytree, task.workspace, workspace, symlinks=True)
    if not task.setup:
        return None
    code, output = await run_shell(task.setup, workspace, task.environ(way.environ), _CHECK_SECONDS)
    return None if code == 0 else f"its setup failed: {output}"[:_ERROR_CHARACTERS]


def command(task: EvalTask, seed: int | None, workspace: Path, way: Way) -> list[str]:
    """The child's command line; the prompt goes to its standard input."""
    leash = shutil.which("setpriv") if way.leashed else None
    argv = [leash, "--pdeathsig", "KILL", "--"] if leash else []
    argv += [sys.executable, "-m", "kaaj_server", "run", "--json", "--yes"]
    argv += ["--mode", task.mode, "--dir", str(workspace)]
    if task.agent_check and not way.blind:
        argv += ["--check", task.agent_check]
    for name, value in (("--model", way.model), ("--base-url", way.base_url)):
        if value:
            argv += [name, value]
    if seed is not None:
        argv += ["--seed", str(seed)]
    return [*argv, "-"]


async def _child(
    task: EvalTask, seed: int | None, workspace: Path, way: Way, see: Callable[[Mapping[str, Any]], None]
) -> tuple[Mapping[str, Any], str | None]:
    """The last line of a `kaaj run`, and what went wrong, if it could not do its work at all."""
    errors = workspace.parent / "stderr"
    # A folder of its own for both: what the person taught their Kaaj is not what is measured.
    own = str(way.state)
    environ = {**way.environ, "KAAJ_STATE_DIR": own, "KAAJ_CONFIG_DIR": own}
    last: Mapping[str, Any] = {}
    error: str | None = None
    with await asyncio.to_thread(errors.open, "wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *command(task, seed, workspace, way),
            stdin=PIPE,
            stdout=PIPE,
            stderr=stderr,
            env=environ,
            start_new_session=True,
            limit=_LINE_MAX,
        )
    try:
        async with asyncio.timeout(task.timeout):
            last = await _last_line(process, task.prompt, see)
    except TimeoutError:
        return {"status": "timeout"}, None
    finally:
        await _end(process)
    if last.get("type") != "result":
        said = (await asyncio.to_thread(errors.read_text, "utf-8", "replace")).strip()
        error = (said or f"`kaaj run` ended with {process.returncode}")[-_ERROR_CHARACTERS:]
    elif last.get("status") == "failed":
        error = str(last.get("summary", ""))[-_ERROR_CHARACTERS:]
    return last, error


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="kaaj-eval-")).resolve()


async def _last_line(process: Process, prompt: str, see: Callable[[Mapping[str, Any]], None]) -> Mapping[str, Any]:
    """Give the prompt, show every line to `see`, and return the last one (empty where it is no JSON object)."""
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None  # noqa: S101 - both were asked for as pipes
    assert stdout is not None  # noqa: S101
    with suppress(ConnectionError):
        stdin.write(prompt.encode("utf-8"))
        await stdin.drain()
        stdin.close()
    last: Mapping[str, Any] = {}
    while line := await stdout.readline():
        last = _row(line)
        see(last)
    await process.wait()
    return last


def _row(line: bytes) -> Mapping[str, Any]:
    try:
        row: object = json.loads(line)
    except ValueError:
        return {}
    return cast("dict[str, Any]", row) if isinstance(row, dict) else {}


async def _end(process: Process) -> None:
    """End a child that still runs, first politely, then with all that it started."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError, TimeoutError):
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(_GRACE_SECONDS):
            await process.wait()
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _passes(task: EvalTask, workspace: Path, environ: Mapping[str, str]) -> bool:
    """Whether the check exits 0 in the workspace as it is now."""
    code, _ = await run_shell(task.check, workspace, task.environ(environ), _CHECK_SECONDS)
    return code == 0
