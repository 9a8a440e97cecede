"""One agent on one task: a copy, its setup, the agent under a time limit, the judgement, and the count."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import signal
import tempfile
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

from tests.bench.peers.agents import Agent, Job, Start
from tests.bench.peers.box import boxed
from tests.bench.peers.endpoint import Endpoint
from tests.bench.peers.proxy import Count

from kaaj_server.cli.eval_task import EvalTask
from kaaj_server.cli.shell_command import run_shell

_CHECK_SECONDS: Final = 300.0
_OWN_FOLDERS: Final = frozenset({".git", "__pycache__", ".mypy_cache", ".pytest_cache", ".qwen", "node_modules"})
_OWN_FILES: Final = (".aider", ".gitignore")
"""What an agent or a check leaves beside its work: it touches nothing of the person's."""


@dataclass(frozen=True, slots=True)
class Line:
    """One run's result. `status`: done (it ended by itself), stopped (it gave up and said so), timeout, failed."""

    agent: str
    version: str
    model: str
    task: str
    kind: str
    solved: bool
    status: str
    seconds: float
    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    refused: int = 0
    cut: int = 0
    error: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.agent, self.model, self.task


def lines_of(out: Path) -> dict[tuple[str, str, str], Line]:
    """The runs that stand in a file; a torn line counts for nothing."""
    found: dict[tuple[str, str, str], Line] = {}
    for text in out.read_text("utf-8").splitlines() if out.exists() else ():
        with suppress(ValueError, TypeError):
            line = Line(**cast("dict[str, Any]", json.loads(text)))
            found[line.key] = line
    return found


def append(out: Path, line: Line) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    torn = out.exists() and out.stat().st_size > 0 and not out.read_bytes().endswith(b"\n")
    with out.open("a", encoding="utf-8") as file:
        file.write("\n" * torn + json.dumps(asdict(line), ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


async def run_one(agent: Agent, task: EvalTask, endpoint: Endpoint, logs: Path, limit: float) -> Line:
    """Run it. `limit` counts seconds, and the task's own `timeout` holds too. What the agent said goes to `logs`."""
    # One place for all runs: a name of its own for each would stand early in some prompts, and break their cache.
    folder = Path(tempfile.gettempdir()).resolve() / f"kaaj-peers-{os.getpid()}"
    folder.mkdir(mode=0o700)
    workspace, home = folder / "workspace", folder / "home"
    log = logs / agent.name / f"{task.name.replace('/', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    took, status, error, solved = 0.0, "failed", "", False
    try:
        home.mkdir()
        shutil.copytree(task.workspace, workspace, symlinks=True)
        error = await _prepare(agent, task, workspace)
        if not error:
            before = fingerprint(workspace) if task.untouched else ""
            job = Job(
                task, workspace, home, endpoint.state, endpoint.base_url, endpoint.key, endpoint.model,
                endpoint.window, endpoint.remote,
            )  # fmt: skip
            start = agent.start(job)
            argv: Sequence[str] = start.argv
            if agent.boxed:
                argv = boxed(argv, folder, [task.folder.parent], within=workspace)
            await endpoint.proxy.take()
            began = time.monotonic()
            code = await _run(argv, start, workspace, log, min(limit, task.timeout))
            took = time.monotonic() - began
            status, error = _ending(code, log)
            solved = (await run_shell(task.check, workspace, task.environ(os.environ), _CHECK_SECONDS))[0] == 0
            if task.untouched:
                solved = solved and status != "timeout" and fingerprint(workspace) == before
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    count: Count = await endpoint.proxy.take()
    return Line(
        agent=agent.name,
        version=agent.version,
        model=endpoint.model,
        task=task.name,
        kind=task.kind,
        solved=solved,
        status=status,
        seconds=round(took, 1),
        error=error[:500],
        **asdict(count),
    )


async def _prepare(agent: Agent, task: EvalTask, workspace: Path) -> str:
    """What comes before the agent; why it could not be done, or nothing."""
    if missing := [program for program in task.needs if shutil.which(program) is None]:
        return f"not on the PATH: {', '.join(missing)}"
    commands: list[str] = [task.setup] if task.setup else []
    if agent.git:
        commands.append(
            "git init -q . && git add -A && git -c user.name=x -c user.email=x@localhost commit -q -m start"
        )
    for command in commands:
        code, output = await run_shell(command, workspace, task.environ(os.environ), _CHECK_SECONDS)
        if code != 0:
            return f"{command} failed: {output}"
    return ""


async def _run(argv: Sequence[str], start: Start, folder: Path, log: Path, limit: float) -> int | None:
    """The exit code; None where the time was up. All that it started has ended afterwards."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *argv, cwd=folder, env=dict(start.environ), stdin=PIPE, stdout=output, stderr=STDOUT, start_new_session=True
        )
        try:
            async with asyncio.timeout(limit):
                await process.communicate(start.stdin.encode())
        except TimeoutError:
            return None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode


def _ending(code: int | None, log: Path) -> tuple[str, str]:
    """The status, and the error where there is one. Kaaj says its own: it ends with 1 also where it gives up."""
    if code is None:
        return "timeout", ""
    tail = log.read_text("utf-8", "replace").strip()
    with suppress(ValueError):
        said: object = json.loads(tail.splitlines()[-1]) if tail else None
        if isinstance(said, dict) and "status" in said:
            return str(cast("dict[str, Any]", said)["status"]), ""
    return ("done", "") if code == 0 else ("failed", f"it ended with {code}: {tail[-300:]}")


def fingerprint(folder: Path) -> str:
    """Of all files' names and bytes, save for what agents and checks leave beside them."""
    digest = hashlib.sha256()
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _OWN_FOLDERS)
        for name in sorted(files):
            if name.startswith(_OWN_FILES):
                continue
            path = Path(place, name)
            data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            digest.update(f"{path.relative_to(folder)}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def remaining(
    agents: Sequence[Agent], tasks: Sequence[EvalTask], model: str, known: Mapping[tuple[str, str, str], Line]
) -> list[tuple[Agent, EvalTask]]:
    """What is not there yet, an agent after the other: each finds its own prompts in the cache, as a person's would."""
    return [(agent, task) for agent in agents for task in tasks if (agent.name, model, task.name) not in known]
