"""Surprise-guided repair on seeded faults: how many are solved and how fast, how many repairs are false, and where the
time goes.

python -m tests.bench.repair [--model qwen2.5-coder-1.5b] [--count 40] [--seconds 60] [--only NAME] [--pairs]

A repair is false that passes the checks shown to it and differs from the right code in hidden calls. `model` is the
time in which the model was at work (prompt, scan, lines), `judge` that of the judge; they overlap.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.faults import Fault
from tests.bench.more_faults import ALL, hidden_of

from kaaj_agent.embedded.lease import acquire
from kaaj_agent.embedded.models import DEFAULT_MODEL
from kaaj_agent.embedded.scorer import LlamaScorer
from kaaj_agent.guided.passive import passive_lines
from kaaj_agent.ports import Alternative, Message
from kaaj_agent.repair.search import Budget, repair
from kaaj_agent.repair.unit import Candidate, Unit, Verdict

RUNNER = """
import importlib, os, random, sys
def names(setup):
    space = {"r": random.Random(1)}
    if setup:
        module, _, name = setup.partition(":")
        space.update(vars(importlib.import_module(module)))
        del space[name]
    return space
def judge(path, setup, checks):
    space = names(setup)
    exec(compile(open(path).read(), "code.py", "exec"), space)
    good = 0
    told = ""
    for check in checks:
        try:
            if eval(check, dict(space)):
                good += 1
            else:
                left, _, right = check.rpartition(" == ")
                told += f"{left} \\nexpected: {right} \\ngot: {eval(left, dict(space))!r}\\n"
        except Exception as error:
            told += f"{check} raised {type(error).__name__} {error}\\n"
    return f"{good}\\n{told}"
def value(path, setup, call):
    space = names(setup)
    exec(compile(open(path).read(), "code.py", "exec"), space)
    try:
        return repr(eval(call, space))
    except Exception as error:
        return repr(error)
what, path, setup, *rest = sys.argv[1:]
print(judge(path, setup, rest) if what == "judge" else value(path, setup, rest[0]))
"""
_SECONDS = 5


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


async def run(what: str, text: str, setup: str, rest: Sequence[str]) -> str | None:
    """What the runner printed on the code; None where it failed or did not end."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "code.py"
        file.write_text(text, "utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable, *(() if setup else ("-I", "-S")), "-c", RUNNER, what, str(file), setup, *rest,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_SECONDS):
                out, _ = await process.communicate()
        except TimeoutError:
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return out.decode("utf-8", "replace") if process.returncode == 0 else None


async def judge_text(text: str, fault: Fault) -> Verdict:
    out = await run("judge", text, fault.setup, fault.checks)
    if out is None:
        return Verdict(passed=False, score=-1, output="it fails at once or does not end")
    good, _, told = out.partition("\n")
    return Verdict(int(good) == len(fault.checks), int(good), told)


@dataclass(slots=True)
class Clock:
    """Seconds and requests by what was done; what runs at the same time counts in each."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    counts: dict[str, int] = field(default_factory=dict[str, int])

    @asynccontextmanager
    async def of(self, what: str, count: int = 1) -> AsyncGenerator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[what] = self.seconds.get(what, 0.0) + time.monotonic() - began
            self.counts[what] = self.counts.get(what, 0) + count


@dataclass(slots=True)
class Timed:
    """A scorer that counts."""

    inner: LlamaScorer
    clock: Clock

    async def render(self, messages: Sequence[Message], opening: str) -> list[int]:
        async with self.clock.of("layout"):
            return await self.inner.render(messages, opening)

    async def tokenize(self, text: str) -> list[int]:
        async with self.clock.of("layout"):
            return await self.inner.tokenize(text)

    async def text_of(self, tokens: Sequence[int]) -> list[bytes]:
        return await self.inner.text_of(tokens)

    async def alternatives(self, prefix: Sequence[int], count: int) -> list[Alternative]:
        async with self.clock.of("scan"):
            return await self.inner.alternatives(prefix, count)

    async def finish_line(self, prefix: Sequence[int], limit: int) -> str:
        async with self.clock.of("lines"):
            return await self.inner.finish_line(prefix, limit)

    async def scan(self, prefix: Sequence[int], tokens: Sequence[int], count: int) -> list[list[Alternative]]:
        first = "scan" not in self.clock.counts
        async with self.clock.of("prompt and scan" if first else "scan", len(tokens)):
            self.clock.counts.setdefault("scan", 0)
            return await self.inner.scan(prefix, tokens, count)

    async def finish_lines(self, prefixes: Sequence[Sequence[int]], limit: int) -> list[str]:
        async with self.clock.of("lines", len(prefixes)):
            return await self.inner.finish_lines(prefixes, limit)

    def spent(self) -> object:
        return self.inner.spent()


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    solved: bool
    same: bool
    false: bool
    seconds: float
    judged: int
    what: str
    clock: Clock


def same(text: str, other: str) -> bool:
    return parses(text) and ast.dump(ast.parse(text)) == ast.dump(ast.parse(other))


async def solve(scorer: LlamaScorer, fault: Fault, seconds: float) -> Result:
    first = (await judge_text(fault.broken, fault)).output.strip()
    failure = "\n".join(first.splitlines()[:3])
    lines = fault.broken.count("\n")
    passive = passive_lines("code.py", fault.broken)
    unit = Unit(Path("code.py"), "python", fault.broken, 1, lines, fault.purpose, failure, parses, passive)
    judged = 0
    clock = Clock()

    async def judge(candidate: Candidate) -> Verdict:
        nonlocal judged
        judged += 1
        async with clock.of("judge"):
            return await judge_text(candidate.text, fault)

    began = time.monotonic()
    found = await repair(Timed(scorer, clock), [unit], judge, budget=Budget(seconds=seconds))  # type: ignore[arg-type]  # `spent` is not needed
    took = time.monotonic() - began
    if not found:
        return Result(fault.name, False, False, False, took, judged, "-", clock)
    best = found[0].candidate
    hidden = [fault.hidden or hidden_of(fault.code)]
    wanted = await run("value", fault.code, fault.setup, hidden)
    false = await run("value", best.text, fault.setup, hidden) != wanted
    what = f"{best.description} ({best.logprob:.1f}, {len(found)} passed)"
    return Result(fault.name, True, same(best.text, fault.code), false, took, judged, what, clock)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0, help="per fault")
    parser.add_argument("--only", default="", help="faults whose name holds this")
    parser.add_argument("--pairs", action="store_true", help="faults of two lines in installed packages' functions")
    given = parser.parse_args()
    faults: Sequence[Fault] = ALL
    if given.pairs:
        from tests.bench.fault_pairs import pairs

        faults = pairs()
    faults = [fault for fault in faults if given.only in fault.name][: given.count]
    results: list[Result] = []
    async with await acquire(given.model) as lease:
        scorer = LlamaScorer(lease.native_url, lease.api_key, lease.scan_url)
        try:
            await scorer.scan(await scorer.tokenize("def"), await scorer.tokenize(" f"), 1)  # the model is loaded by it
            for fault in faults:
                result = await solve(scorer, fault, given.seconds)
                results.append(result)
                mark = "FALSE" if result.false else "same" if result.same else "equal" if result.solved else "MISS"
                parts = "  ".join(f"{k} {v:.1f}" for k, v in sorted(result.clock.seconds.items()))
                print(f"{mark:5} {fault.name:24} {result.seconds:6.1f} s {result.judged:4} judged  {result.what}")
                print(f"      {parts}", flush=True)
        finally:
            await scorer.close()
    tell(given.model, results)
    return 0


def tell(model: str, results: Sequence[Result]) -> None:
    solved = [r for r in results if r.solved]
    seconds = sorted(r.seconds for r in results)
    print(
        f"{model}: {len(solved)} of {len(results)} pass, {sum(r.false for r in solved)} of them false, "
        f"{sum(r.same for r in solved)} the right text; seconds: median {statistics.median(seconds):.1f}, "
        f"nine in ten {seconds[int(len(seconds) * 0.9)]:.1f}; "
        f"judged: median {statistics.median(r.judged for r in results):.0f}"
    )
    for what in sorted({k for r in results for k in r.clock.seconds}):
        values = [r.clock.seconds.get(what, 0.0) for r in results]
        counts = [r.clock.counts.get(what, 0) for r in results]
        print(f"  {what:16} median {statistics.median(values):6.2f} s, {statistics.median(counts):5.0f} a fault")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
