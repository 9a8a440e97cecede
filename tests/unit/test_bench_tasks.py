"""The evaluation's own tasks: each one is unsolved as it stands, can be solved, and hides what decides about it."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from kaaj_server.cli.eval_task import EvalTask, find_tasks

FOLDER: Final = Path(__file__).parent.parent / "bench" / "tasks"
TASKS: Final = {task.name: task for task in find_tasks([FOLDER])}
KINDS: Final = {
    "api-migration",
    "bug",
    "bug-elsewhere",
    "failing-build",
    "feature",
    "large-file",
    "large-repository",
    "leave-alone",
    "move",
    "refactor",
    "rename",
    "thread-parameter",
    "type-error",
    "validation",
}
LIMIT: Final = 60.0
"""Seconds for one command; they take one or two."""


Proofs: TypeAlias = dict[str, Future[None]]


class WrongTaskError(Exception):
    """A task that does not hold what it promises; the text says which part of it."""


def missing(task: EvalTask) -> list[str]:
    """The programs that the task needs and this machine has not."""
    return [program for program in task.needs if shutil.which(program) is None]


def run(command: str, folder: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S602 - a task's commands are for the shell
        command,
        shell=True,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=LIMIT,
        check=False,
    )


def prove(task: EvalTask, folder: Path) -> None:
    """Raises WrongTaskError unless the check fails on the untouched workspace and passes on the solved one."""
    workspace = folder / "workspace"
    shutil.copytree(task.workspace, workspace, symlinks=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # A repository around the folder would make `git apply` leave files out.
    plain = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "GIT_CEILING_DIRECTORIES": str(folder)}
    environ = task.environ(plain)

    def must(command: str, what: str, within: Mapping[str, str] = environ) -> None:
        done = run(command, workspace, within)
        if done.returncode != 0:
            raise WrongTaskError(f"{what}:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")

    if task.setup:
        must(task.setup, "the setup fails")
    if task.untouched:
        must(task.check, "the check fails although nothing was touched")
        must(task.agent_check, "what the agent is told to run fails", plain)
        (workspace / "README.md").write_text("touched")
        if run(task.check, workspace, environ).returncode == 0:
            raise WrongTaskError("the check does not notice that something was touched")
        return
    if run(task.check, workspace, environ).returncode == 0:
        raise WrongTaskError("the check passes although nothing was done")
    must(f"git apply '{task.folder / 'solution.patch'}'", "the solution does not apply")
    must(task.check, "the check fails on the solution")
    must(task.agent_check or "true", "what the agent is told to run fails on the solution", plain)


@pytest.fixture(scope="module")
def proofs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """The proof of each task that is wanted in this run, begun side by side: they mostly wait for other programs."""
    wanted = [name for name in TASKS if any(f"[{name}]" in item.name for item in request.session.items)]
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1)) as pool:
        begun = {
            name: pool.submit(prove, TASKS[name], tmp_path_factory.mktemp(name))
            for name in wanted
            if not missing(TASKS[name])
        }
        yield begun
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", TASKS)
def test_it_is_unsolved_and_can_be_solved(name: str, proofs: Proofs) -> None:
    if programs := missing(TASKS[name]):
        pytest.skip(f"needs {', '.join(programs)}")
    proofs[name].result()


@pytest.mark.parametrize("name", TASKS)
def test_what_decides_is_hidden(name: str) -> None:
    task = TASKS[name]
    hidden = {path.read_bytes() for path in (task.folder / "hidden").rglob("*") if path.is_file()}
    assert hidden, "nothing is hidden"
    shown = {path.read_bytes() for path in task.workspace.rglob("*") if path.is_file()}
    assert not hidden & shown
    assert "$KAAJ_TASK/hidden" in task.check
    for words in (task.prompt, task.agent_check):
        assert "KAAJ_TASK" not in words
        assert "hidden" not in words
    assert task.untouched != (task.folder / "solution.patch").is_file()


@pytest.mark.parametrize("name", TASKS)
def test_it_says_what_it_is(name: str) -> None:
    task = TASKS[name]
    assert task.kind in KINDS
    assert task.language in {"awk", "c", "javascript", "perl", "python", "shell", "sql"}
    assert task.split in {"tune", "report"}
    assert task.untouched == (task.kind == "leave-alone")
    table = (FOLDER / "README.md").read_text()
    row = re.findall(rf"^\| {re.escape(name)} \| (.*?) \| (.*?) \| (.*?) \| .+ \|$", table, re.MULTILINE)
    assert row == [(task.kind, task.language, task.split)], "the table of README.md"


def test_there_are_enough_of_every_kind_in_both_halves() -> None:
    assert len(TASKS) >= 60
    assert {task.kind for task in TASKS.values()} == KINDS
    assert len({task.language for task in TASKS.values()}) >= 4
    halves = Counter((task.kind, task.split) for task in TASKS.values())
    for kind in KINDS:
        assert halves[kind, "tune"] > 0
        assert halves[kind, "report"] > 0
        assert abs(halves[kind, "tune"] - halves[kind, "report"]) <= 1, kind
    assert abs(sum(1 if task.split == "tune" else -1 for task in TASKS.values())) <= 2


def test_what_is_tuned_on_and_what_is_reported_on_share_no_code() -> None:
    """Files of both halves that are alike would let a tuned loop know what it is judged by."""
    owners: dict[bytes, set[str]] = {}
    for task, path in itertools.chain.from_iterable(
        ((task, path) for path in task.workspace.rglob("*")) for task in TASKS.values()
    ):
        if path.is_file() and path.stat().st_size > 300:
            owners.setdefault(path.read_bytes(), set()).add(task.split)
    assert all(len(splits) == 1 for splits in owners.values())
