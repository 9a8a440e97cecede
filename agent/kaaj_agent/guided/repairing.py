"""The repair path: the check fails, and the request is to mend that. One to-do item for each place of a fault."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from kaaj_agent.changes import CheckResult
from kaaj_agent.failures import ModelError
from kaaj_agent.guided import contradiction, coverage, evidence, localise, rewrite
from kaaj_agent.guided.budget import Budget, OutOfTimeError, Share, spoken
from kaaj_agent.guided.contradiction import Contradiction
from kaaj_agent.guided.coverage import Coverage
from kaaj_agent.guided.evidence import Case
from kaaj_agent.guided.forking import ForkRunner
from kaaj_agent.guided.job import Job
from kaaj_agent.guided.judge import HopelessError, Judge
from kaaj_agent.guided.localise import Focus, Suspect
from kaaj_agent.guided.merge import Refusal
from kaaj_agent.guided.passive import passive_lines
from kaaj_agent.guided.plan import Plan
from kaaj_agent.guided.sources import Sources, load_for
from kaaj_agent.guided.steps import Samples, Walk, steps
from kaaj_agent.languages import language_of
from kaaj_agent.limits import LimitReachedError
from kaaj_agent.ports import Scorer
from kaaj_agent.repair import unit as regions
from kaaj_agent.repair.search import DEFAULT_BUDGET, Progress, repair
from kaaj_agent.repair.surprise import DEFAULT_LIMITS
from kaaj_agent.syntax import parses_as_well
from kaaj_agent.tries import Tries
from kaaj_agent.work import Work

_log = logging.getLogger(__name__)

WALK_SHARE: Final = 0.4
"""How much of the time that is left for an item one walk may take."""
_TEST_LINES: Final = 30
_WALK_LEAST: Final = 5.0
_LIKELIEST: Final = 2
"""Steps that are taken although the tests contradict each other."""


@dataclass(slots=True)
class Mended:
    """What became of the failing cases. `lines` tells it, one sentence each; `found` is what stands against it."""

    result: CheckResult
    lines: list[str] = field(default_factory=list[str])
    tried: list[str] = field(default_factory=list[str])
    found: list[str] = field(default_factory=list[str])
    left: list[Case] = field(default_factory=list[Case])
    out_of_time: bool = False


@dataclass(slots=True)
class Repairing:
    """One repair; `mend` does it. What is staged by it passed the judge."""

    work: Work
    plan: Plan
    words: str
    baseline: CheckResult
    sources: Sources
    scorer: Scorer | None
    budget: Budget
    tries: Tries
    mended: Mended
    rewrites: bool = True
    covered: Coverage | None = field(default=None, init=False)
    """What the tests of `traced` execute; None where that is not known."""
    traced: CheckResult | None = field(default=None, init=False)
    runner: ForkRunner | None = field(default=None, init=False)
    """Started to see what tests execute; the first judge takes it over."""

    @classmethod
    async def of(cls, job: Job, words: str) -> Repairing:
        work, baseline = job.work, job.story.result
        sources, scorer, mended = await load_for(work, words), await work.lend(), Mended(baseline)
        return cls(work, job.plan, words, baseline, sources, scorer, job.budget, job.tries, mended, job.rewrites)

    async def concerns(self, paths: Collection[Path]) -> bool:
        """Whether what fails leads to one of these files, or stands in one."""
        sources = self.sources
        cases = localise.chosen_cases(list(evidence.failing_cases(self.baseline.output)), self.words)
        for case in cases or [Case("", "", self.baseline.output)]:
            named = evidence.places(f"{case.file}:1\n{case.detail}", sources.folders.roots, sources.known)
            led = {path for path, _ in await asyncio.to_thread(localise.reached, sources, case)}
            if not led.union(place.path for place in named).isdisjoint(paths):
                return True
        return False

    async def mend(self, item: str, before: str | None) -> None:
        """Mend the failing cases that the request means; `mended` tells what became of them, also where this raises.

        `item` is the to-do item of the first place; more are put before `before`. Raises LimitReachedError where the
        task's limits are reached, ModelError, CancelledError.
        """
        try:
            await self._mend(item, before)
        finally:
            await self._close_runner()

    async def _mend(self, item: str, before: str | None) -> None:
        cases = list(evidence.failing_cases(self.baseline.output))
        if not cases:
            cases = [Case("", "", evidence.tail(self.baseline.output.strip()))]
        left: list[Case] = localise.chosen_cases(cases, self.words)
        mended = self.mended
        current: str | None = item
        while left:
            if self.budget.left <= 0:
                mended.left.extend(left)
                mended.tried.append(f"no time was left for {', '.join(case.name or case.id for case in left[:3])}")
                mended.out_of_time = True
                return
            found, group = await self._group(left)
            current = current or self.plan.add("Find the cause of the next failure", before=before)
            if found:
                self.plan.name(current, f"Mend {self._title(found[0])}")
            if not self.plan.start(current):
                mended.tried.append("an item was skipped at your wish")
            elif await self._in_time(current, found, group):
                mended.result = await self.work.check()
                still = {case.id for case in evidence.failing_cases(mended.result.output)}
                if mended.result.ok:
                    return
                left = [case for case in left if case.id in still]
                self.baseline = mended.result
                current = None
                continue
            mended.left.extend(group)
            left = [case for case in left if case not in group]
            current = None

    async def _in_time(self, item: str, found: list[Suspect], group: list[Case]) -> bool:
        """`_one` within the time of an item; True with the repair staged."""
        try:
            async with self.budget.item() as share:
                if await self._one(item, found, group, share):
                    return True
        except OutOfTimeError as error:
            self.mended.out_of_time = True
            self.mended.tried.append(str(error))
            self.plan.failed(item, error.sentence)
            return False
        except (LimitReachedError, ModelError):
            self.mended.left.extend(group)
            raise
        self.plan.failed(item, "No change was found that makes the check pass.")
        return False

    async def _group(self, cases: list[Case]) -> tuple[list[Suspect], list[Case]]:
        """The likeliest places for all cases together, and the cases that the first of them may explain."""
        found = await self._suspects(cases)
        if len(cases) == 1 or not found:
            return found, cases[:1]
        first = (found[0].path, found[0].span)
        group = [c for c in cases if first in await asyncio.to_thread(localise.led_to, self.sources, c, self.covered)]
        if not group:
            return await self._suspects(cases[:1]), cases[:1]
        return (found if len(group) == len(cases) else await self._suspects(group)), group

    async def _suspects(self, cases: Sequence[Case]) -> list[Suspect]:
        request = self.work.request
        places = [
            place
            for case in cases
            for place in evidence.places(case.detail, self.sources.folders.roots, self.sources.known)
        ]
        if not places:
            places = list(evidence.places(self.baseline.output, self.sources.folders.roots, self.sources.known))
        attached = self.work.attached
        for text in attached.texts:  # a traceback, as a rule
            places += evidence.places(text.text, self.sources.folders.roots, self.sources.known)
        problems = (*request.diagnostics, *attached.problems)
        focus = Focus(self.words, request.path, request.span, problems, attached.places)
        failing = evidence.failing_cases(self.baseline.output)
        look = functools.partial(localise.suspects, self.sources, cases, places, focus, failing)
        if self.traced is self.baseline:
            return await asyncio.to_thread(look, coverage=self.covered)
        found = await asyncio.to_thread(look)
        self.traced, self.covered = self.baseline, None
        if await asyncio.to_thread(localise.is_open, self.sources, found):
            needed = not any(suspect.span.kind == "function" for suspect in found)
            await self._close_runner()
            self.covered, self.runner = await coverage.run(
                self.work, self.baseline, failing, self.sources.known, needed=needed
            )
        return found if self.covered is None else await asyncio.to_thread(look, coverage=self.covered)

    async def _close_runner(self) -> None:
        runner, self.runner = self.runner, None
        if runner is not None:
            await runner.close()

    def _title(self, suspect: Suspect) -> str:
        name = self.sources.name(suspect.path)
        return f"`{suspect.span.name}` in {name}" if suspect.span.name else name

    async def _one(self, item: str, found: list[Suspect], group: list[Case], share: Share) -> bool:
        """Mend one group of cases: surprise first, then rewrites. True with the repair staged."""
        mended = self.mended
        if not found:
            mended.tried.append("no function that the failing test touches was found in the workspace")
            return False
        against = await self._against(group)
        judge = await Judge.of(self.work, self.baseline, group, self.tries, await asyncio.to_thread(self._code))
        judge.started, self.runner = self.runner, None
        judge.contrary = frozenset(one.other.test for one in against)
        texts, told = None, ""
        try:
            texts, told = await self._tried(found, group, judge, share, against)
        except HopelessError:
            pass
        finally:
            await judge.close()
            if texts is None:
                mended.found += contradiction.told(against, group, judge.opposing, len(judge.opposed))
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
        self.plan.done(item, check="" if judge.known else self.baseline.command, note=told)
        mended.lines.append(told)
        return True

    def _code(self) -> str:
        """A digest of all code: a verdict holds as long as nothing else changes."""
        seed = hashlib.sha256()
        for path, text in self.sources.texts.items():
            seed.update(f"{path}\0{len(text)}\0{text}\0".encode("utf-8", "surrogatepass"))
        return seed.hexdigest()

    async def _against(self, group: Sequence[Case]) -> list[Contradiction]:
        """The tests that say the contrary of those that are to pass."""
        names = {case.name for case in group if case.name}
        return await asyncio.to_thread(contradiction.contradictions, self.sources, names)

    async def _tried(
        self,
        found: list[Suspect],
        group: list[Case],
        judge: Judge,
        share: Share,
        against: Sequence[Contradiction],
    ) -> tuple[dict[Path, str] | None, str]:
        """The first texts that the judge takes, and what was done; None where nothing helps.

        Where the tests themselves contradict each other, only what is likeliest is tried.
        """
        failure = self._failure(group[0])
        written: dict[str, int] = {}
        try:
            for step in steps(found, self.tries.rounds)[: _LIKELIEST if against else None]:
                if isinstance(step, Walk):
                    texts, line = await self._surprise(step, judge, failure, share)
                elif self.rewrites:
                    texts, line = await self._rewrite(step, judge, failure, written, share)
                else:
                    continue
                if texts is not None:
                    return texts, line
        finally:
            self.mended.tried += [f"{count} rewrite{'s' * (count > 1)} of {name}" for name, count in written.items()]
        return None, ""

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
            if self.sources.is_test(path) and span.size <= _TEST_LINES:
                shown = self.sources.lines(path, span) + "\n\n"
        return shown + detail.strip()

    # --- surprise --------------------------------------------------------------------------------------------------

    async def _surprise(
        self, walk: Walk, judge: Judge, failure: str, share: Share
    ) -> tuple[dict[Path, str] | None, str]:
        """Surprise-guided repair over some regions of one file; further each time that it is gone on with."""
        scorer, mended, more = self.scorer, self.mended, self.tries.rounds + 1
        seconds = min(walk.seconds, max(_WALK_LEAST, share.left * WALK_SHARE))
        if scorer is None:
            return None, ""
        tier = walk.regions
        tried = 0

        def on_progress(progress: Progress) -> None:
            nonlocal tried
            tried = progress.judged
            activity.note(progress.told)
            _log.debug("candidate %d, %d passed: %s", progress.judged, progress.passed, progress.last)

        names = ", ".join(self._title(s) for s in tier[:3])
        share.begin(f"look where the model is surprised: {names}")
        title = f"{share.doing} (for {spoken(seconds)} at most, {spoken(share.left)} left)"
        with self.work.activity("repair", title) as activity:
            try:
                repairs = await repair(
                    scorer,
                    [self._region(s, failure) for s in tier],
                    judge,
                    budget=replace(
                        DEFAULT_BUDGET,
                        seconds=seconds,
                        judged=DEFAULT_BUDGET.judged * more,
                        limits=replace(
                            DEFAULT_LIMITS,
                            floor=DEFAULT_LIMITS.floor - more + 1,
                            alternatives=DEFAULT_LIMITS.alternatives * more,
                            mutations=DEFAULT_LIMITS.mutations * more,
                        ),
                    ),
                    on_progress=on_progress,
                )
            except ModelError as error:
                activity.ok, activity.summary = False, str(error)
                _log.warning("surprise-guided repair: %s", error)
                mended.tried.append(f"surprise-guided repair was not possible ({error.message})")
                self.scorer = None
                return None, ""
            finally:
                self.work.spend(scorer.spent())
            activity.ok = bool(repairs)
            activity.summary = f"{tried} candidates tried, {len(repairs)} pass"
        if repairs:
            return dict(repairs[0].candidate.files), _told(repairs, self.sources)
        if tried:
            mended.tried.append(f"{tried} one-line changes in {', '.join(self._title(s) for s in tier[:4])}")
        return None, ""

    def _region(self, suspect: Suspect, failure: str) -> regions.Unit:
        path = suspect.path
        before = self.sources.texts[path]
        return regions.Unit(
            path,
            language_of(path).fence,
            before,
            suspect.span.first,
            suspect.span.last,
            "",
            failure,
            lambda text: parses_as_well(path, before, text),
            passive_lines(path, before) | self._idle(path, before),
        )

    def _idle(self, path: Path, text: str) -> frozenset[int]:
        """Lines that the first round may pass over, as far as what the failing tests execute is still known."""
        if self.covered is None or self.traced is not self.baseline or self.tries.rounds:
            return frozenset()
        failing = {case.name for case in evidence.failing_cases(self.baseline.output)}
        return self.covered.idle(path, text, failing)

    # --- rewrites --------------------------------------------------------------------------------------------------

    async def _rewrite(
        self, step: Samples, judge: Judge, failure: str, written: dict[str, int], share: Share
    ) -> tuple[dict[Path, str] | None, str]:
        """A whole function written anew, greedy first, then samples; the first that the judge takes."""
        path, span = step.suspect.path, step.suspect.span
        unit = rewrite.Unit(
            path, self.sources.name(path), self.sources.texts[path], span if span.kind not in ("file", "text") else None
        )
        messages = rewrite.fix_messages(unit, "", evidence.tail(failure, 1_800))
        doing = f"write {unit.title} anew"
        with self.work.activity("rewrite", f"{doing} ({spoken(share.left)} left)") as activity:
            for attempt in step.attempts:
                share.begin(doing)
                text = await rewrite.rewritten(self.work, unit, messages, attempt=attempt, repairing=True)
                written[unit.title] = written.get(unit.title, 0) + 1
                if isinstance(text, Refusal):
                    _log.info("rewrite of %s: %s", unit.title, text.reason)
                    continue
                if (await judge.files({path: text})).passed:
                    activity.summary = f"attempt {attempt + 1} passes"
                    return {path: text}, f"Rewrote {unit.title}."
            activity.ok, activity.summary = False, f"none of {len(step.attempts)} passes"
        return None, ""


def _told(repairs: Sequence[regions.Repair], sources: Sources) -> str:
    """The repair, and what else would have passed: tests vouch for a change only as far as they look."""
    best = repairs[0].candidate
    line = f"Mended {sources.name(best.path)}, line {best.line}:  {best.description}"
    rivals = list(dict.fromkeys(r.candidate.description for r in repairs[1:]))[:3]
    if rivals:
        line += "\nThe check would pass with this as well:" + "".join(f"\n  {rival}" for rival in rivals)
    return line
