"""What one environment of an evaluation costs (a run with its copy, its shadow and its check), the model aside.

    python -m tests.bench.environments [--runs 4] [--task tests/bench/tasks/fix-a-bug]
    python -m tests.bench.environments --results results.jsonl [--parallel 20000] [--within 3600]

The first form runs `kaaj eval` against a scripted model that holds its first answer until all runs wait for it, then
has the check run, holds its second answer likewise, and ends. Memory is proportional (PSS): what processes share counts
once. The processor's seconds do not depend on how busy the machine is; the wall clock's do.
The second form works out what the endpoint must serve, from the results of real runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil  # type: ignore[import-untyped]  # it ships no types

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.cli.eval_task import read_task
from kaaj_server.cli.eval_timeline import timelines, timelines_path

TASK: Final = Path(__file__).parent / "tasks" / "fix-a-bug"
_MIB: Final = 1024**2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4, help="at the same time")
    parser.add_argument("--task", type=Path, default=TASK)
    parser.add_argument("--results", type=Path, help="of `kaaj eval`, with real runs")
    parser.add_argument("--parallel", type=int, default=20_000)
    parser.add_argument("--within", type=float, default=3600.0, help="seconds in which they all shall end")
    given = parser.parse_args()
    if given.results:
        serve(given.results, given.parallel, given.within)
        return 0
    with tempfile.TemporaryDirectory(prefix="kaaj-environments-") as folder:
        return asyncio.run(measure(Path(folder), given.task, given.runs))


# --- memory, disk, processor ------------------------------------------------------------------------------------------


@dataclass
class Gate:
    """Holds every caller until `wanted` of them wait, and what `look` says then has been noted."""

    wanted: int
    look: Callable[[], Any]
    seen: Any = None
    arrived: list[float] = field(default_factory=list[float])
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> None:
        self.arrived.append(time.time())
        if len(self.arrived) == self.wanted:
            await asyncio.sleep(1.0)  # until the last caller has settled down, too
            self.seen = await asyncio.to_thread(self.look)
            self._open.set()
        await self._open.wait()


@dataclass(frozen=True, slots=True)
class Cost:
    """Of all runs together. `memory` and `disk` are bytes, `processor` seconds, `began` the first run's start."""

    memory: int
    disk: int
    processor: float
    began: float
    processes: int


async def measure(folder: Path, task: Path, runs: int) -> int:
    temporary, state = folder / "tmp", folder / "state"
    temporary.mkdir()
    check = read_task(task, "task").agent_check or "true"
    started: list[psutil.Process] = []

    def look() -> Cost:
        return cost(started[0], [temporary, state])

    first, second = Gate(runs, look), Gate(runs, look)

    async def reply(body: Any) -> Any:
        answered = any(message["role"] == "tool" for message in body["messages"])
        await (second if answered else first)()
        return answer("I looked at it.") if answered else answer_calls(("run", {"command": check}))

    async with ScriptedEndpoint(last=reply) as endpoint:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kaaj_server", "eval", str(task), "--out", str(folder / "results.jsonl"),
            "--seeds", str(runs), "--jobs", str(runs), "--base-url", endpoint.base_url, "--model", "scripted",
            stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, "TMPDIR": str(temporary), "KAAJ_STATE_DIR": str(state), "KAAJ_API_KEY": "none"},
        )  # fmt: skip
        started.append(psutil.Process(process.pid))
        peak = await watch(process, started[0])
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    if first.seen is None or second.seen is None:
        print("the runs ended before all of them waited: see the results", file=sys.stderr)
        return 1
    tell(task, runs, first, second, peak)
    left = size(state)
    print(f"all of it        processor {(spent.ru_utime + spent.ru_stime) / runs:.2f} s a run")
    print(f"afterwards       disk {left / runs / 1024:.0f} KiB a run (its session log)")
    return 0


def tell(task: Path, runs: int, first: Gate, second: Gate, peak: int) -> None:
    print(f"{task.name}, {runs} at the same time, each:")
    for name, gate in (("first request", first), ("second request", second)):
        seen: Cost = gate.seen
        wall = max(gate.arrived) - seen.began
        print(
            f"{name:15}  memory {seen.memory / runs / _MIB:.0f} MiB in {seen.processes / runs:.1f} processes, "
            f"disk {seen.disk / runs / 1024:.0f} KiB, processor {seen.processor / runs:.2f} s, "
            f"all there after {wall:.1f} s"
        )
    print(f"at most          memory {peak / runs / _MIB:.0f} MiB (all runs in their check at about the same time)")


async def watch(process: asyncio.subprocess.Process, top: psutil.Process) -> int:
    """The most memory that all runs had together, in bytes."""
    most = 0
    ended = asyncio.create_task(process.wait())
    while not ended.done():
        with suppress(psutil.Error):
            most = max(most, await asyncio.to_thread(memory, top.children(recursive=True)))
        await asyncio.wait({ended}, timeout=0.3)
    return most


def cost(top: psutil.Process, folders: Sequence[Path]) -> Cost:
    below = top.children(recursive=True)
    times = [process.cpu_times() for process in below]
    processor = sum(t.user + t.system + t.children_user + t.children_system for t in times)
    began = min(process.create_time() for process in below)
    return Cost(memory(below), sum(map(size, folders)), processor, began, len(below))


def memory(processes: Sequence[psutil.Process]) -> int:
    total = 0
    for process in processes:
        with suppress(psutil.Error, OSError, ValueError):
            rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text("ascii")
            total += next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


def size(folder: Path) -> int:
    """Bytes on the disk, in blocks, of what is below a folder."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in (".", *files):
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_blocks * 512  # noqa: PTH118 - 3,000 files a look
    return total


# --- what the endpoint must serve -------------------------------------------------------------------------------------


def serve(results: Path, parallel: int, within: float) -> None:
    rows = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["requests"]]
    steps = timelines(timelines_path(results))
    modelled = [
        sum(step.seconds for step in steps.get((row["task"], row.get("seed")), ()) if step.kind == "request")
        for row in rows
    ]

    def mean(values: Sequence[float]) -> float:
        return statistics.fmean(values)

    fresh = mean([row["prompt_tokens"] - row["cached_tokens"] for row in rows])
    cached = mean([row["cached_tokens"] for row in rows])
    written = mean([row["completion_tokens"] for row in rows])
    requests = mean([row["requests"] for row in rows])
    other = mean([max(0.0, row["seconds"] - model) for row, model in zip(rows, modelled, strict=True)])
    print(f"{len(rows)} runs; a mean one: {requests:.1f} requests, {fresh:,.0f} prompt tokens to read,", end=" ")
    print(f"{cached:,.0f} from the cache, {written:,.0f} to write; {other:.1f} s without the model")
    print(
        f"{parallel:,} runs within {within:,.0f} s: {parallel * fresh / within:,.0f} tokens a second to read, "
        f"{parallel * written / within:,.0f} to write, {parallel * requests / within:,.0f} requests a second"
    )


if __name__ == "__main__":
    sys.exit(main())
