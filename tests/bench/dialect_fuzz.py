"""Random replies in every form, with any damage, in any chunking: what is executed is what was meant, or nothing.

    python -m tests.bench.dialect_fuzz [--cases 1000000] [--seed 1] [--jobs CORES] [--seconds S] [--case NUMBER]

A case is one to three random calls whose values hold code, JSON, XML, other forms and the form's own tags, written
natively, as Qwen3-Coder's XML (plain or in a fence), as Hermes JSON, as JSON in a fence or bare, in the spellings that
servers and models use, perhaps damaged (`dialect_cases`), split anywhere: between any two characters, in the middle of
a tag, an escape, a character of two UTF-16 units; each hundredth also as bytes on the wire, in the middle of a
character of UTF-8. `dialect_verdict` judges: whole calls are read exactly, damaged ones repaired into what was meant
or refused, of a reply that is cut nothing is executed, every chunking is read alike. The writer knows the calls; the
reader is never asked what a reply means.

Prints the counts by form and damage. On a miss: its number, the smallest case that still goes wrong, and exit status 1.
`--case` tells of one case alone, `--seconds` ends the run earlier. Workers are nice.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Final, cast

from tests.bench.dialect_cases import Call, Case, Style, a_case
from tests.bench.dialect_verdict import WRONG, Verdict, judge, judged
from tests.bench.dialect_wire import Wire
from tests.bench.dialect_writer import write

BATCH: Final = 1_000
WIRE_EVERY: Final = 100
SHRINKS: Final = 600
SHOWN: Final = 10


@dataclass(slots=True)
class Counts:
    """How it went, by form and damage; `missed`: the numbers of what went wrong, and why."""

    went: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    missed: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    by_wire: int = 0


def case_of(seed: int, number: int) -> Case:
    return a_case(random.Random(seed * 1_000_000_007 + number))  # noqa: S311 - no secret


def run(seed: int, first: int, count: int) -> Counts:
    """The verdicts on some cases, in a process of their own."""
    return asyncio.run(_run(seed, range(first, first + count)))


async def _run(seed: int, numbers: range) -> Counts:
    counts, wire = Counts(), Wire()
    for number in numbers:
        case = case_of(seed, number)
        verdict = judge(case)
        if verdict.how not in (WRONG, "does not apply") and number % WIRE_EVERY == 0:
            counts.by_wire += 1
            verdict = await by_wire(wire, case)
        counts.went[case.form, case.damage, verdict.how] += 1
        if verdict.how == WRONG:
            counts.missed.append((number, verdict.why))
    await wire.close()
    return counts


async def by_wire(wire: Wire, case: Case) -> Verdict:
    written = write(case)
    found = await wire.read(case, written)
    if found.given != found.outcome.text:
        return Verdict(WRONG, "the prose was not handed out as it was read, over the wire")
    verdict = judged(case, written, found)
    return replace(verdict, why=f"over the wire: {verdict.why}") if verdict.how == WRONG else verdict


def smallest(case: Case) -> Case:
    """A case that is as simple as can be and still goes wrong."""
    tries, shrunk = 0, True
    while shrunk:
        shrunk = False
        for simpler in _simpler(case):
            tries += 1
            if tries > SHRINKS:
                return case
            if simpler != case and judge(simpler).how == WRONG:
                case, shrunk = simpler, True
                break
    return case


def _simpler(case: Case) -> Iterator[Case]:
    for at in range(len(case.calls) if len(case.calls) > 1 else 0):
        yield replace(case, calls=case.calls[:at] + case.calls[at + 1 :])
    yield replace(case, before="")
    yield replace(case, thought="")
    yield replace(case, cuts=())
    yield replace(case, style=Style())
    yield replace(case, cuts=case.cuts[: len(case.cuts) // 2])
    for at, call in enumerate(case.calls):
        for key, value in call.arguments.items():
            for shorter in _shorter(value):
                changed = Call(call.name, {**call.arguments, key: shorter})
                yield replace(case, calls=(*case.calls[:at], changed, *case.calls[at + 1 :]))


def _shorter(value: object) -> Iterator[object]:
    if isinstance(value, str) and value:
        yield ""
        half = len(value) // 2
        yield from (value[:half], value[half:])
        yield from (value[:at] + value[at + 1 :] for at in range(min(len(value), 60)))
    elif isinstance(value, list):
        items = cast("list[object]", value)
        yield from (items[:at] + items[at + 1 :] for at in range(len(items)))


def tell(case: Case) -> None:
    written, verdict = write(case), judge(case)
    print(f"  {case.form}, {case.damage}, told {case.told!r}: {verdict.how}: {verdict.why}")
    print(f"  meant: {[(call.name, call.arguments) for call in case.calls]}")
    print(f"  reply: {written.text!r}")
    if written.pieces:
        print(f"  pieces: {[(one.index, one.id, one.name, one.arguments) for one in written.pieces]}")
    if case.style != Style():
        print(f"  style: {case.style}")


def table(went: Counter[tuple[str, str, str]]) -> None:
    rows: dict[tuple[str, str], Counter[str]] = {}
    for (form, damage, how), count in went.items():
        rows.setdefault((form, damage), Counter())[how] += count
    for (form, damage), hows in sorted(rows.items()):
        told = ", ".join(f"{how} {count:,}" for how, count in hows.most_common())
        print(f"{form:15} {damage:26} {hows.total():9,}   {told}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--case", type=int)
    options = parser.parse_args()
    if options.case is not None:
        tell(case_of(options.seed, options.case))
        return 0
    began, all_of = time.perf_counter(), Counts()
    with ProcessPoolExecutor(options.jobs, initializer=os.nice, initargs=(10,)) as pool:
        batches = [
            pool.submit(run, options.seed, first, min(BATCH, options.cases - first))
            for first in range(0, options.cases, BATCH)
        ]
        for number, batch in enumerate(as_completed(batches), 1):
            counts = batch.result()
            all_of.went += counts.went
            all_of.missed += counts.missed
            all_of.by_wire += counts.by_wire
            for missed, why in counts.missed:
                print(f"case {missed}: {why}", file=sys.stderr, flush=True)
            if number % 50 == 0:
                print(f"{all_of.went.total():,} cases, {len(all_of.missed):,} wrong", file=sys.stderr, flush=True)
            if options.seconds and time.perf_counter() - began > options.seconds:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    took = time.perf_counter() - began
    table(all_of.went)
    for number, why in sorted(all_of.missed)[:SHOWN]:
        print(f"\nseed {options.seed}, case {number}: {why}")
        tell(smallest(case_of(options.seed, number)))
    done = all_of.went.total()
    print(
        f"{done:,} cases ({all_of.by_wire:,} over the wire too) in {took:.0f} s: {done / took:,.0f} a second on "
        f"{options.jobs}; {len(all_of.missed):,} wrong"
    )
    return int(bool(all_of.missed))


if __name__ == "__main__":
    sys.exit(main())
