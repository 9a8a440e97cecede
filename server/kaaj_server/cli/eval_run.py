"""Running an evaluation: a few children at a time, each result on disk as soon as it is known."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kaaj_agent.failures import KaajError
from kaaj_server.cli.context import DONE, FAILED, Context
from kaaj_server.cli.eval_bar import EvalBar
from kaaj_server.cli.eval_task import EvalTask, Result, finished_runs
from kaaj_server.cli.shell_command import run_shell

_CHECK_SECONDS: Final = 300.0
_GRACE_SECONDS: Final = 5.0
_ERROR_CHARACTERS: Final = 2_000
_LINE_MAX: Final = 64 * 1024 * 1024
"""Bytes of one line of a child's output: a change carries whole files."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to evaluate. A seed of None leaves the dice to the model."""

    out: Path
    jobs: int = 1
    seeds: tuple[int | None, ...] = (None,)
    model: str = ""
    base_url: str = ""
    blind: bool = False


@dataclass
class Evaluation:
    """One evaluation. `run` returns the exit code."""

    context: Context
    options: Options
    tasks: Sequence[EvalTask]
    _results: list[Result] = field(default_factory=list[Result], init=False)

    async def run(self) -> int:
        """Raises KaajError where the results file cannot be used."""
        console = self.context.console()
        wanted = [(task, seed) for task in self.tasks for seed in self.options.seeds]
        known = await asyncio.to_thread(self._open_results)
        self._results = [known[key] for task, seed in wanted if (key := (task.name, seed)) in known]
        todo = [(task, seed) for task, seed in wanted if (task.name, seed) not in known]
        if self._results:
            console.print(Text(f"{len(self._results)} of {len(wanted)} runs stand in {self.options.out} already."))
        with EvalBar(console, len(wanted), len(self._results)) as bar:
            slots = asyncio.Semaphore(self.options.jobs)

            async def one(task: EvalTask, seed: int | None) -> None:
                async with slots:
                    bar.begin(task.name)
                    result = await self._one(task, seed)
                await asyncio.to_thread(_append, self.options.out, result.line())
                self._results.append(result)
                bar.end(result)

            async with asyncio.TaskGroup() as group:
                for task, seed in todo:
                    group.create_task(one(task, seed))
        self._summary(console)
        return FAILED if any(result.error for result in self._results) else DONE

    def say_interrupted(self) -> None:
        """After Ctrl-C: what was kept."""
        done = len(self._results)
        kept = f"{done} result{'s' * (done != 1)} in {self.options.out}"
        self.context.stderr.write(f"Interrupted. {kept}; the same command goes on.\n")

    def _open_results(self) -> dict[tuple[str, int | None], Result]:
        out = self.options.out
        try:
            known = finished_runs(out)
            out.parent.mkdir(parents=True, exist_ok=True)
            with out.open("a+b") as file:
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":  # a torn last line must not swallow the next one
                        file.write(b"\n")
        except OSError as error:
            raise KaajError(f"{out} cannot be used: {error.strerror}.", kept="Nothing was run.") from error
        return known

    # --- one run --------------------------------------------------------------------------------------------------

    async def _one(self, task: EvalTask, seed: int | None) -> Result:
        began = time.monotonic()
        folder = await asyncio.to_thread(_new_folder)
        workspace = folder / "workspace"
        try:
            error = await self._lay_out(task, workspace)
            result: Mapping[str, Any] = {}
            if error is None:
                began = time.monotonic()
                result, error = await self._child(task, seed, workspace)
            took = time.monotonic() - began
            solved = error is None and await _passes(task, workspace, self.context.environ)
            if task.untouched:
                solved = solved and result.get("status") in ("done", "stopped") and not result.get("applied")
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        usage: Mapping[str, Any] = result.get("usage") or {}
        change: Mapping[str, Any] = result.get("change") or {}
        return Result(
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

    async def _lay_out(self, task: EvalTask, workspace: Path) -> str | None:
        """The workspace as the agent finds it, or why there is none."""
        path = self.context.environ.get("PATH")
        if missing := [program for program in task.needs if shutil.which(program, path=path) is None]:
            return f"not on the PATH: {', '.join(missing)}"
        await asyncio.to_thread(shutil.copytree, task.workspace, workspace, symlinks=True)
        if not task.setup:
            return None
        code, output = await run_shell(task.setup, workspace, task.environ(self.context.environ), _CHECK_SECONDS)
        return None if code == 0 else f"its setup failed: {output}"[:_ERROR_CHARACTERS]

    def _command(self, task: EvalTask, seed: int | None, workspace: Path) -> list[str]:
        command = [sys.executable, "-m", "kaaj_server", "run", "--json", "--yes"]
        command += ["--mode", task.mode, "--dir", str(workspace)]
        if task.agent_check and not self.options.blind:
            command += ["--check", task.agent_check]
        for name, value in (("--model", self.options.model), ("--base-url", self.options.base_url)):
            if value:
                command += [name, value]
        if seed is not None:
            command += ["--seed", str(seed)]
        return [*command, "-"]

    async def _child(self, task: EvalTask, seed: int | None, workspace: Path) -> tuple[Mapping[str, Any], str | None]:
        """The last line of a `kaaj run`, and what went wrong, if it could not do its work at all."""
        errors = workspace.parent / "stderr"
        # A folder of its own for both: what the person taught their Kaaj is not what is measured.
        own = str(self.context.state_dir / "eval")
        environ = {**self.context.environ, "KAAJ_STATE_DIR": own, "KAAJ_CONFIG_DIR": own}
        last: Mapping[str, Any] = {}
        error: str | None = None
        with await asyncio.to_thread(errors.open, "wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *self._command(task, seed, workspace),
                stdin=PIPE,
                stdout=PIPE,
                stderr=stderr,
                env=environ,
                start_new_session=True,
                limit=_LINE_MAX,
            )
        try:
            async with asyncio.timeout(task.timeout):
                last = await _last_line(process, task.prompt)
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

    # --- words ----------------------------------------------------------------------------------------------------

    def _summary(self, console: Console) -> None:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("task", overflow="fold")
        for name in ("solved", "seconds", "requests", "tokens"):
            table.add_column(name, justify="right")
        for task in self.tasks:
            runs = [result for result in self._results if result.task == task.name]
            if runs:
                table.add_row(task.name, *_row(runs))
        if len(self.tasks) > 1 and self._results:
            table.add_section()
            table.add_row("all", *_row(self._results), style="bold")
        console.print()
        console.print(table)
        failed = [result for result in self._results if result.error]
        for result in failed[:5]:
            console.print(Text(f"{result.task}: {result.error}", style="red"))


def _row(runs: Sequence[Result]) -> tuple[str, ...]:
    """Solved of all, and medians."""

    def middle(values: Sequence[float]) -> float:
        return statistics.median(values)

    tokens = middle([run.prompt_tokens + run.completion_tokens for run in runs])
    return (
        f"{sum(run.solved for run in runs)} of {len(runs)}",
        f"{middle([run.seconds for run in runs]):.1f}",
        f"{middle([run.requests for run in runs]):g}",
        f"{tokens:,.0f}",
    )


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="kaaj-eval-")).resolve()


def _append(out: Path, line: str) -> None:
    with out.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


async def _last_line(process: Process, prompt: str) -> Mapping[str, Any]:
    """Give the prompt, read everything, and return the last line as JSON (empty where it is none)."""
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None  # noqa: S101 - both were asked for as pipes
    assert stdout is not None  # noqa: S101
    with suppress(ConnectionError):
        stdin.write(prompt.encode("utf-8"))
        await stdin.drain()
        stdin.close()
    last = b""
    while line := await stdout.readline():
        last = line
    await process.wait()
    try:
        row: object = json.loads(last)
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
