"""A problem that an editor shows, mended where its own tool can tell: by surprise first, then by rewrites."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from kaaj_agent.guided import rewrite
from kaaj_agent.guided.budget import Share, spoken
from kaaj_agent.guided.merge import Refusal
from kaaj_agent.guided.problem_judge import ProblemJudge
from kaaj_agent.guided.units import Span, enclosing, spans
from kaaj_agent.languages import language_of
from kaaj_agent.ports import Scorer
from kaaj_agent.repair.search import Budget, repair
from kaaj_agent.repair.surprise import Limits
from kaaj_agent.repair.unit import Repair, Unit
from kaaj_agent.syntax import parses_as_well
from kaaj_agent.work import Work

_WORD: Final = re.compile(r"\w+|\s+|[^\w\s]+")
_SHARE: Final = 0.5
"""How much of the time that is left a walk may take."""
_MOST_SECONDS: Final = 60.0
_SAMPLES: Final = 3
_LIMITS: Final = Limits(floor=-5.0, mutations=0)
"""A tool that reads code vouches for less than a test does, so only what the model itself finds likely is tried."""
_SURE: Final = Limits(floor=-3.0, mutations=0, alternatives=8)
_APART: Final = 1.0
"""Where a better model can go on, only one word in the place of another is taken, that this model finds likely, and
that only where the next one that passes is so much less likely (natural logarithms).
"""


async def mended(work: Work, judge: ProblemJudge, share: Share, *, rewrites: bool = True) -> tuple[str, str] | None:
    """The file's new text and what was changed, or None. Raises LimitReachedError, ModelError, OutOfTimeError."""
    try:
        scorer = await work.lend()
        found = None if scorer is None else await _surprise(work, judge, share, scorer, last=not rewrites)
        return found or (await _rewritten(work, judge, share) if rewrites else None)
    finally:
        await judge.close()


async def _surprise(
    work: Work, judge: ProblemJudge, share: Share, scorer: Scorer, *, last: bool
) -> tuple[str, str] | None:
    path, text = judge.problem.path, judge.text
    region = Unit(
        path,
        language_of(path).fence,
        text,
        judge.line,
        judge.line,
        "",
        _failure(judge),
        lambda new: parses_as_well(path, text, new),
    )
    seconds = min(_MOST_SECONDS, share.left if last else share.left * _SHARE)
    share.begin(f"look where the model is surprised: {_where(work, judge)}")
    with work.activity("repair", f"{share.doing} (for {spoken(seconds)} at most)") as activity:
        try:
            budget = Budget(seconds=seconds, limits=_SURE if last else _LIMITS)
            repairs = await repair(scorer, [region], judge, budget=budget, on_progress=lambda p: activity.note(p.told))
        finally:
            work.spend(scorer.spent())
        if last:
            repairs = _sure(text, repairs)
        activity.ok = bool(repairs)
        activity.summary = repairs[0].candidate.description if repairs else f"nothing sure satisfies {judge.tool}"
    if not repairs:
        return None
    best = repairs[0].candidate
    return best.text, best.description


def _sure(text: str, repairs: Sequence[Repair]) -> list[Repair]:
    """The repair that can be meant alone, if there is one."""
    small = sorted((r for r in repairs if _one_word(text, r.candidate.text)), key=lambda r: -r.candidate.logprob)
    apart = len(small) == 1 or (small and small[0].candidate.logprob - small[1].candidate.logprob >= _APART)
    return small[:1] if apart else []


def _one_word(before: str, after: str) -> bool:
    """Whether two texts differ in one word or sign."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    return len(old) == len(new) and sum(a != b for a, b in zip(old, new, strict=True)) == 1


async def _rewritten(work: Work, judge: ProblemJudge, share: Share) -> tuple[str, str] | None:
    path, text = judge.problem.path, judge.text
    around = enclosing(await asyncio.to_thread(spans, path, text), judge.line)
    short = text.count("\n") < rewrite.WHOLE_LINES
    lines = Span("", max(1, judge.line - 4), min(text.count("\n") + 1, judge.line + 4), "lines")
    unit = rewrite.Unit(path, work.staging.folders.name_of(path), text, around or (None if short else lines))
    messages = rewrite.fix_messages(unit, "", _failure(judge))
    with work.activity("rewrite", f"write {unit.title} anew ({spoken(share.left)} left)") as activity:
        for attempt in range(_SAMPLES):
            share.begin(f"write {unit.title} anew")
            new = await rewrite.rewritten(work, unit, messages, attempt=attempt, repairing=True)
            if not isinstance(new, Refusal) and (await judge.judge(new)).passed:
                activity.summary = f"attempt {attempt + 1} satisfies {judge.tool}"
                return new, f"rewrote {unit.title}"
        activity.ok, activity.summary = False, f"none of {_SAMPLES} satisfies {judge.tool}"
    return None


def _failure(judge: ProblemJudge) -> str:
    return f"{judge.tool}: line {judge.line}: {judge.problem.message}"


def _where(work: Work, judge: ProblemJudge) -> str:
    return f"{work.staging.folders.name_of(judge.problem.path)}, line {judge.line}"
