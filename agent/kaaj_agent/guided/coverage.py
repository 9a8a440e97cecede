"""Which lines the failing tests and some passing ones execute, as a run in the forking runner told it.

What comes back was written by a process of the project's own: it is read with bounds, and only known files count.
"""

from __future__ import annotations

import ast
import asyncio
import json
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, cast

from kaaj_agent.changes import CheckResult
from kaaj_agent.guided.evidence import Case
from kaaj_agent.guided.forking import ForkRunner
from kaaj_agent.guided.narrow import forkable
from kaaj_agent.guided.units import parse
from kaaj_agent.work import Work

_log = logging.getLogger(__name__)

TESTS_MAX: Final = 20
"""How many tests of each kind are looked at."""
_RECORDS: Final = 5_000
_LINES_MAX: Final = 400_000
_LEAST_SECONDS: Final = 0.5
_MOST_SECONDS: Final = 8.0
_NEEDED: Final = 3.0
"""Where nothing else tells of a place, the run may take so many times as long as the check did."""

Lines: TypeAlias = Mapping[Path, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Test:
    """One test's function and file, and the lines from 1 that it executes, of functions alone."""

    name: str
    file: str
    ok: bool
    lines: Lines

    __test__ = False


@dataclass(frozen=True, slots=True)
class Coverage:
    """`between` is what ran outside of tests, fixtures say: it counts for all of them."""

    failing: Sequence[Test]
    passing: Sequence[Test]
    between: Lines

    def of(self, cases: Sequence[Case]) -> list[Test]:
        """The failing tests that are one of these cases."""
        names = {case.name for case in cases}
        return [test for test in self.failing if test.name in names]

    def idle(self, path: Path, text: str, names: Collection[str]) -> frozenset[int]:
        """Lines of branches that no failing test takes, in functions that one executes.

        Empty unless every test of `names` was seen. A change there can make none of them pass: the condition, which
        is executed, is no such line, and neither is what comes after a line that raised.
        """
        if not set(names) <= {test.name for test in self.failing}:
            return frozenset()
        tree = parse(text)
        run: set[int] = set(self.between.get(path, ()))
        for test in self.failing:
            run.update(test.lines.get(path, ()))
        if tree is None or not run:
            return frozenset()
        return frozenset(line for block in _untaken(tree.body, run) for line in block)


def read(data: bytes, known: Collection[Path], cases: Collection[str]) -> Coverage | None:
    """The report of a run; None where it tells of no failing test. `cases` are the names of those that fail.

    Blocks: call it off the event loop.
    """
    tests: list[Test] = []
    between: dict[Path, set[int]] = {}
    left = _LINES_MAX
    for record in data.split(b"\n", _RECORDS)[:_RECORDS]:
        try:
            value: object = json.loads(record)
        except (ValueError, RecursionError):
            continue  # the last line of a run that was stopped, as a rule
        lines = _lines(value.get("lines"), known) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - whatever the report holds
        if lines is None:
            continue
        left -= sum(map(len, lines.values()))
        if left < 0:
            break
        about = cast("dict[str, object]", value)
        name, file, ok = (about.get(key) for key in ("test", "file", "ok"))
        if isinstance(name, str) and isinstance(file, str) and isinstance(ok, bool):
            tests.append(Test(name[:200], file[:500], ok, lines))
        elif "test" not in about:
            for path, numbers in lines.items():
                between.setdefault(path, set()).update(numbers)
    failing = [test for test in tests if not test.ok and test.name in cases]
    if not any(test.lines for test in failing):
        return None
    files = {test.file for test in failing}
    passing = sorted((test for test in tests if test.ok), key=lambda test: test.file not in files)
    held = {path: frozenset(numbers) for path, numbers in between.items()}
    return Coverage(failing, passing[:TESTS_MAX], held)


def _lines(value: object, known: Collection[Path]) -> dict[Path, frozenset[int]] | None:
    if not isinstance(value, dict):
        return None
    found: dict[Path, frozenset[int]] = {}
    for name, numbers in value.items():  # pyright: ignore[reportUnknownVariableType] - checked one by one
        if not isinstance(name, str) or not isinstance(numbers, list) or "\0" in name:
            return None
        path = Path(name)
        if path in known:
            inside = (n for n in numbers if type(n) is int and 0 < n < 1_000_000)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - the same
            found[path] = frozenset(inside)
    return found


async def run(
    work: Work, baseline: CheckResult, cases: Sequence[Case], known: Collection[Path], *, needed: bool
) -> tuple[Coverage | None, ForkRunner | None]:
    """Run the check once more on the code as it stands and see what its tests execute; None where that tells nothing.

    The run takes as long as the check did at most; `needed` allows three times that. Nothing is judged by it. The
    runner is the caller's to close, or to hand to the judge, who would have started the same one.
    """
    names = frozenset(case.name for case in cases if case.name)
    if not names or not forkable(baseline.command):
        return None, None
    shadow = await work.workshop.shadow()
    await shadow.sync(work.staging.snapshot, work.staging.files)
    runner: ForkRunner | None = None
    try:
        async with asyncio.timeout(max(_LEAST_SECONDS, min(baseline.seconds, _MOST_SECONDS))):
            runner = await ForkRunner.start(shadow, baseline.command)
    except TimeoutError:
        _log.debug("no lines: the runner took too long to start")
    if runner is None:
        return None, None
    try:
        most = min(max(_LEAST_SECONDS, baseline.seconds * (_NEEDED if needed else 1)), _MOST_SECONDS)
        data = await runner.covered(work.staging.folders.roots, names, most)
        return await asyncio.to_thread(read, data, known, names), runner
    except BaseException:
        await runner.close()
        raise


_SILENT: Final = (ast.Pass, ast.Continue, ast.Break, ast.Global, ast.Nonlocal, ast.FunctionDef, ast.ClassDef)
"""Statements at the head of a block of which some Pythons report no line."""


def _untaken(body: Sequence[ast.stmt], run: Collection[int]) -> Iterator[range]:
    """Blocks without an executed line, of statements with one that are known to have been got through."""
    for at, node in enumerate(body):
        blocks = [block for block in _blocks(node) if block]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if _is_run(node.body, run):
                yield from _untaken(node.body, run)
            continue
        if isinstance(node, ast.ClassDef):
            yield from _untaken(node.body, run)
            continue
        if not blocks or not _is_run([node], run):
            continue
        taken = [block for block in blocks if _is_run(block, run)]
        through = bool(taken) or _is_run(body[at + 1 : at + 2], run)
        for block in blocks:
            if block in taken:
                yield from _untaken(block, run)
            elif through and not isinstance(block[0], _SILENT) and not _is_constant(block[0]):
                yield range(block[0].lineno, (block[-1].end_lineno or block[-1].lineno) + 1)


def _blocks(node: ast.stmt) -> list[list[ast.stmt]]:
    """What a statement holds that it may pass over."""
    found: list[list[ast.stmt]] = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    found += [handler.body for handler in getattr(node, "handlers", [])]
    return found + [case.body for case in getattr(node, "cases", [])]


def _is_run(body: Sequence[ast.stmt], run: Collection[int]) -> bool:
    return any(line in run for node in body for line in range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
