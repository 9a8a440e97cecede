"""A file that does not parse: the parser itself is the check, and it says where."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from kaaj_agent.guided import rewrite
from kaaj_agent.guided.merge import Refusal
from kaaj_agent.guided.units import Span
from kaaj_agent.languages import language_of
from kaaj_agent.repair.search import Budget, repair
from kaaj_agent.repair.unit import Candidate, Unit, Verdict
from kaaj_agent.syntax import SyntaxProblem, find_problem, parse_error
from kaaj_agent.work import Work

_AROUND = 4
_SAMPLES = 3


async def broken(work: Work, paths: Sequence[Path]) -> tuple[Path, str, SyntaxProblem] | None:
    """The first of some files that does not parse, with its text."""
    for path in paths:
        document = await work.staging.find(path)
        if document is not None:
            problem = await find_problem(path, document.text)
            if problem is not None:
                return path, document.text, problem
    return None


async def mended(work: Work, path: Path, text: str, problem: SyntaxProblem, *, rewrites: bool = True) -> str | None:
    """The text with the error mended, or None. Raises LimitReachedError, ModelError."""
    name = work.staging.folders.name_of(path)
    lines = text.count("\n") + 1
    first, last = max(1, problem.line - _AROUND), min(lines, problem.line + 1)
    failure = f"line {problem.line}: SyntaxError: {problem.message}"
    scorer = await work.lend()
    if scorer is not None:

        async def judge(candidate: Candidate) -> Verdict:
            found = await asyncio.to_thread(parse_error, path, candidate.text)
            return Verdict(found is None, 0.0 if found is None else float(found.line))

        region = Unit(path, language_of(path).fence, text, first, last, "", failure)
        with work.activity("repair", f"look where the model is surprised: {name}, line {problem.line}") as activity:
            budget = Budget(seconds=45.0)
            repairs = await repair(scorer, [region], judge, budget=budget, on_progress=lambda p: activity.note(p.told))
            activity.ok = bool(repairs)
            activity.summary = repairs[0].candidate.description if repairs else "no candidate parses"
        if repairs:
            return repairs[0].candidate.text
    if not rewrites:
        return None
    span = None if lines <= rewrite.WHOLE_LINES else Span("", first, last, "lines")
    unit = rewrite.Unit(path, name, text, span)
    with work.activity("rewrite", f"write {unit.title} anew") as activity:
        for attempt in range(_SAMPLES):
            new = await rewrite.rewritten(work, unit, rewrite.fix_messages(unit, "", failure), attempt=attempt)
            if not isinstance(new, Refusal) and await find_problem(path, new) is None:
                activity.summary = "it parses"
                return new
        activity.ok, activity.summary = False, "no rewrite parses"
    return None
