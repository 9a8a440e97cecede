"""The repair path: the check fails, and the request is to mend that. One to-do item for each place of a fault."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kaaj_agent.changes import CheckResult
from kaaj_agent.failures import ModelError
from kaaj_agent.guided import evidence, localise, rewrite
from kaaj_agent.guided.evidence import Case
from kaaj_agent.guided.judge import Judge
from kaaj_agent.guided.localise import Focus, Suspect
from kaaj_agent.guided.merge import Refusal
from kaaj_agent.guided.plan import Plan
from kaaj_agent.guided.sources import Sources, load
from kaaj_agent.guided.units import is_test
from kaaj_agent.languages import language_of
from kaaj_agent.ports import Scorer
from kaaj_agent.repair import unit as regions
from kaaj_agent.repair.search import Budget, Progress, repair
from kaaj_agent.syntax import parse_error
from kaaj_agent.work import Work

_log = logging.getLogger(__name__)

TIERS: Final = ((40, 60.0), (160, 120.0))
"""How many lines are walked token by token, and for at most how many seconds: the second after the first failed."""
SAMPLES: Final = (4, 3, 3)
"""Whole rewrites of the first, second and third suspect, the greedy one included."""

_TEST_LINES: Final = 30


@dataclass(slots=True)
class Mended:
    """What became of the failing cases. `lines` tells it, one sentence each."""

    result: CheckResult
    lines: list[str] = field(default_factory=list[str])
    tried: list[str] = field(default_factory=list[str])
    left: list[Case] = field(default_factory=list[Case])


@dataclass(slots=True)
class Repairing:
    """One repair; `mend` does it. What is staged by it passed the judge."""

    work: Work
    plan: Plan
    words: str
    baseline: CheckResult
    sources: Sources
    scorer: Scorer | None

    @classmethod
    async def of(cls, work: Work, plan: Plan, words: str, baseline: CheckResult) -> Repairing:
        sources = await load(work.staging, work.bench.ignore)
        return cls(work, plan, words, baseline, sources, work.scorer)

    async def mend(self, item: str, before: str | None) -> Mended:
        """Mend the failing cases that the request means. `item` is the to-do item of the first place; more are put
        before `before`. Raises LimitReachedError, ModelError, CancelledError.
        """
        cases = list(evidence.failing_cases(self.baseline.output))
        if not cases:
            cases = [Case("", "", evidence.tail(self.baseline.output.strip()))]
        left: list[Case] = localise.chosen_cases(cases, self.words)
        mended = Mended(self.baseline)
        current: str | None = item
        while left:
            found, group = await self._group(left)
            current = current or self.plan.add("Find the cause of the next failure", before=before)
            if found:
                self.plan.name(current, f"Mend {self._title(found[0])}")
            if not self.plan.start(current):
                mended.tried.append("an item was skipped at your wish")
            elif await self._one(current, found, group, mended):
                mended.result = await self.work.check()
                still = {case.id for case in evidence.failing_cases(mended.result.output)}
                if mended.result.ok:
                    return mended
                left = [case for case in left if case.id in still]
                self.baseline = mended.result
                current = None
                continue
            else:
                self.plan.failed(current, "No change was found that makes the check pass.")
            mended.left.extend(group)
            left = [case for case in left if case not in group]
            current = None
        return mended

    async def _group(self, cases: list[Case]) -> tuple[list[Suspect], list[Case]]:
        """The cases that share the first one's likeliest place, with the suspects for them."""
        ranked = [await self._suspects([case]) for case in cases[:12]]
        if not ranked[0]:
            return [], cases[:1]
        top = _top(ranked[0])
        group = [case for case, found in zip(cases, ranked, strict=False) if found and top & _top(found)]
        group += cases[12:]
        return (await self._suspects(group) if len(group) > 1 else ranked[0]), group

    async def _suspects(self, cases: Sequence[Case]) -> list[Suspect]:
        request = self.work.request
        places = [
            place
            for case in cases
            for place in evidence.places(case.detail, self.sources.folders.roots, self.sources.known)
        ]
        if not places:
            places = list(evidence.places(self.baseline.output, self.sources.folders.roots, self.sources.known))
        focus = Focus(self.words, request.path, request.span, request.diagnostics)
        return await asyncio.to_thread(localise.suspects, self.sources, cases, places, focus)

    def _title(self, suspect: Suspect) -> str:
        name = self.sources.name(suspect.path)
        return f"`{suspect.span.name}` in {name}" if suspect.span.name else name

    async def _one(self, item: str, found: list[Suspect], group: list[Case], mended: Mended) -> bool:
        """Mend one group of cases: surprise first, then rewrites. True with the repair staged."""
        if not found:
            mended.tried.append("no function that the failing test touches was found in the workspace")
            return False
        judge = await Judge.of(self.work, self.baseline, group)
        failure = "\n\n".join(self._failure(case) for case in group[:2])
        texts, told = await self._surprise(found, judge, failure, mended)
        if texts is None:
            texts, told = await self._rewrites(found, judge, failure, mended)
        if texts is None:
            return False
        for path, text in texts.items():
            await self.work.staging.put(path, text)
            self.sources.put(path, text)
        self.work.show_draft()
        places = [s for s in found if s.path in texts and s.span.kind != "file"]
        touched = next((s for s in places if self._is_touched(s, texts[s.path])), None)
        if touched is not None:
            self.plan.name(item, f"Mend {self._title(touched)}")
        self.plan.done(item, check=self.baseline.command, note=told)
        mended.lines.append(told)
        return True

    def _is_touched(self, suspect: Suspect, text: str) -> bool:
        base = next((f.before.text for f in self.work.staging.files if f.target == suspect.path and f.before), "")
        old, new = base.split("\n"), text.split("\n")
        first = next((i for i, (a, b) in enumerate(zip(old, new, strict=False), 1) if a != b), 0)
        return suspect.span.holds(first)

    def _failure(self, case: Case) -> str:
        """The failing test and what it says, without the frames' paths, which mean nothing to the model."""
        detail = re.sub(r'File "(?:[^"\n]*[/\\])?([^"/\\\n]+)"', r'File "\1"', case.detail)
        detail = re.sub(r"^\s*[~^]+\s*$\n?", "", detail, flags=re.MULTILINE)
        shown = ""
        for path, span in self.sources.definitions(case.name, tests=True)[:1] if case.name else []:
            if is_test(path) and span.size <= _TEST_LINES:
                shown = self.sources.lines(path, span) + "\n\n"
        return shown + detail.strip()

    # --- surprise --------------------------------------------------------------------------------------------------

    async def _surprise(
        self, found: list[Suspect], judge: Judge, failure: str, mended: Mended
    ) -> tuple[dict[Path, str] | None, str]:
        """Surprise-guided repair over the likeliest regions; more of them when the first gave nothing."""
        if self.scorer is None:
            return None, ""
        done: list[Suspect] = []
        for lines, seconds in TIERS:
            tier = [s for s in localise.first_of(found, lines) if s not in done]
            if not tier:
                continue
            done += tier
            title = f"look where the model is surprised: {', '.join(self._title(s) for s in tier[:3])}"
            with self.work.activity("repair", title) as activity:
                tried = 0

                def on_progress(progress: Progress) -> None:
                    nonlocal tried
                    tried = progress.judged

                try:
                    repairs = await repair(
                        self.scorer,
                        [self._region(s, failure) for s in tier],
                        judge,
                        budget=Budget(seconds=seconds),
                        on_progress=on_progress,
                    )
                except ModelError as error:
                    activity.ok, activity.summary = False, str(error)
                    _log.warning("surprise-guided repair: %s", error)
                    mended.tried.append(f"surprise-guided repair was not possible ({error.message})")
                    return None, ""
                activity.ok = bool(repairs)
                activity.summary = f"{tried} candidates tried, {len(repairs)} pass"
            if repairs:
                return dict(repairs[0].candidate.files), _told(repairs, self.sources)
            mended.tried.append(f"{tried} one-line candidates in {', '.join(self._title(s) for s in tier[:4])}")
        return None, ""

    def _region(self, suspect: Suspect, failure: str) -> regions.Unit:
        path = suspect.path
        return regions.Unit(
            path,
            language_of(path).fence,
            self.sources.texts[path],
            suspect.span.first,
            suspect.span.last,
            "",
            failure,
            lambda text: parse_error(path, text) is None,
        )

    # --- rewrites --------------------------------------------------------------------------------------------------

    async def _rewrites(
        self, found: list[Suspect], judge: Judge, failure: str, mended: Mended
    ) -> tuple[dict[Path, str] | None, str]:
        """Whole functions written anew, greedy first, then samples; the first that the judge takes."""
        chosen = [s for s in found if s.span.kind != "file"][: len(SAMPLES)]
        chosen += [s for s in found if s.span.kind == "file" and s.span.size <= rewrite.WHOLE_LINES]
        for suspect, samples in zip(chosen, SAMPLES, strict=False):
            path = suspect.path
            span = suspect.span if suspect.span.kind != "file" else None
            unit = rewrite.Unit(path, self.sources.name(path), self.sources.texts[path], span)
            messages = rewrite.fix_messages(unit, "", evidence.tail(failure, 1_800))
            with self.work.activity("rewrite", f"write {unit.title} anew") as activity:
                for attempt in range(samples):
                    text = await rewrite.rewritten(self.work, unit, messages, attempt=attempt, repairing=True)
                    if isinstance(text, Refusal):
                        _log.info("rewrite of %s: %s", unit.title, text.reason)
                        continue
                    if (await judge.files({path: text})).passed:
                        activity.summary = f"attempt {attempt + 1} passes"
                        return {path: text}, f"Rewrote {unit.title}."
                activity.ok, activity.summary = False, f"none of {samples} passes"
            mended.tried.append(f"{samples} rewrites of {unit.title}")
        return None, ""


def _top(found: Sequence[Suspect]) -> set[tuple[Path, str]]:
    """The first place, and those that are as likely."""
    return {(s.path, s.span.name) for s in found if s.score >= found[0].score - 0.01}


def _told(repairs: Sequence[regions.Repair], sources: Sources) -> str:
    best = repairs[0].candidate
    line = f"{sources.name(best.path)}, line {best.line}: {best.description}."
    rivals = [r.candidate.description for r in repairs[1:4]]
    if rivals:
        line += f" These would pass the check as well: {'; '.join(rivals)}."
    return line
