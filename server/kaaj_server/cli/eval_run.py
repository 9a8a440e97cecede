"""Running an evaluation: a few children at a time, each result on disk as soon as it is known."""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kaaj_agent.failures import KaajError
from kaaj_server.cli.context import DONE, FAILED, Context
from kaaj_server.cli.eval_bar import EvalBar
from kaaj_server.cli.eval_one import Outcome, Way, run_one
from kaaj_server.cli.eval_report import write_report
from kaaj_server.cli.eval_task import EvalTask, Result, finished_runs
from kaaj_server.cli.eval_timeline import append_timeline, timelines, timelines_path

Runner: TypeAlias = Callable[[EvalTask, int | None], Awaitable[Outcome]]
"""Does one run, wherever."""

_AT_ONCE: Final = 100_000
"""Runs that are given to a cluster at the same time, where nothing else is said: it has a queue of its own."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to evaluate. A seed of None leaves the dice to the model; with `jobs` of None, the place of work decides.

    `cluster` is Ray's address (`local`: a cluster of this machine alone), None for children of this process; `cpus`
    is what a run counts for there.
    """

    out: Path
    report: Path
    jobs: int | None = None
    seeds: tuple[int | None, ...] = (None,)
    model: str = ""
    base_url: str = ""
    blind: bool = False
    cluster: str | None = None
    cpus: float = 1.0


@dataclass
class Evaluation:
    """One evaluation. `run` returns the exit code."""

    context: Context
    options: Options
    tasks: Sequence[EvalTask]
    _results: list[Result] = field(default_factory=list[Result], init=False)

    async def run(self) -> int:
        """Raises KaajError where the results file or the cluster cannot be used."""
        console = self.context.console()
        wanted = [(task, seed) for task in self.tasks for seed in self.options.seeds]
        known = await asyncio.to_thread(self._open_results)
        self._results = [known[key] for task, seed in wanted if (key := (task.name, seed)) in known]
        todo = [(task, seed) for task, seed in wanted if (task.name, seed) not in known]
        if self._results:
            console.print(Text(f"{len(self._results)} of {len(wanted)} runs stand in {self.options.out} already."))
        if todo:
            async with self._place() as runner:
                await self._all(todo, runner, console, len(wanted))
        await asyncio.to_thread(self._report)
        self._summary(console)
        return FAILED if any(result.error for result in self._results) else DONE

    async def _all(
        self, todo: Sequence[tuple[EvalTask, int | None]], runner: Runner, console: Console, total: int
    ) -> None:
        jobs = self.options.jobs or (1 if self.options.cluster is None else _AT_ONCE)
        with EvalBar(console, total, len(self._results)) as bar:
            slots = asyncio.Semaphore(jobs)

            async def one(task: EvalTask, seed: int | None) -> None:
                async with slots:
                    bar.begin(task.name)
                    outcome = await runner(task, seed)
                await asyncio.to_thread(self._keep, outcome)
                self._results.append(outcome.result)
                bar.end(outcome.result)

            async with asyncio.TaskGroup() as group:
                for task, seed in todo:
                    group.create_task(one(task, seed))

    def _place(self) -> AbstractAsyncContextManager[Runner]:
        """Where the runs are done."""
        options, environ = self.options, self.context.environ
        way = Way(environ, self.context.state_dir / "eval", options.model, options.base_url, options.blind)
        if options.cluster is not None:
            from kaaj_server.cli.eval_ray import cluster  # noqa: PLC0415 - an extra, and slow to import

            return cluster(options.cluster, way, options.cpus)

        async def here(task: EvalTask, seed: int | None) -> Outcome:
            return await run_one(task, seed, way)

        return nullcontext[Runner](here)

    def say_interrupted(self) -> None:
        """After Ctrl-C: what was kept."""
        done = len(self._results)
        kept = f"{done} result{'s' * (done != 1)} in {self.options.out}"
        self.context.stderr.write(f"Interrupted. {kept}; the same command goes on.\n")

    def _keep(self, outcome: Outcome) -> None:
        """The timeline first: a run counts as done by its result."""
        append_timeline(timelines_path(self.options.out), outcome.result.key, outcome.steps)
        _append(self.options.out, outcome.result.line())

    def _report(self) -> None:
        order = {task.name: number for number, task in enumerate(self.tasks)}
        results = sorted(self._results, key=lambda result: (order[result.task], result.seed or 0))
        write_report(self.options.report, results, timelines(timelines_path(self.options.out)), self.options.model)

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
        console.print(Text(f"\nThe report: {self.options.report}", style="dim"))


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


def _append(out: Path, line: str) -> None:
    with out.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
