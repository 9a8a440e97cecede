"""The change path: something was asked for. Each unit is written anew, and all of them are judged together."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from kaaj_agent.changes import CheckResult
from kaaj_agent.guided import evidence, rename, rewrite, targets
from kaaj_agent.guided.budget import Budget, OutOfTimeError, Share, spoken
from kaaj_agent.guided.last_word import proof, reservation
from kaaj_agent.guided.merge import Refusal
from kaaj_agent.guided.plan import Plan
from kaaj_agent.guided.sources import Sources, load_for
from kaaj_agent.guided.units import spans
from kaaj_agent.languages import language_of
from kaaj_agent.prompt import problems_text
from kaaj_agent.tries import Tries
from kaaj_agent.work import Work

_log = logging.getLogger(__name__)

ROUNDS: Final = 3
"""How often all units are written anew when the check does not like the outcome; the first time greedily."""
_TRIES: Final = 3
_ROUND: Final = 100
"""Samples have numbers of their own each time that it is gone on with, and so seeds of their own."""
_MORE_MAX: Final = 3_000
_TEXT_MAX: Final = 1_200
"""Characters of a text handed along that a small model sees."""
_MAY_LOSE: Final = re.compile(
    r"\b(?:remov|delet|renam|mov|drop|replac|merg|split|inline|extract|rewrit)", re.IGNORECASE
)


@dataclass(slots=True)
class Changed:
    """What became of a wish. `ok`: it is staged, and the check has nothing new against it. `found` is what stands
    against it, `exact`: it was the harness's own exact work.
    """

    ok: bool
    result: CheckResult
    lines: list[str] = field(default_factory=list[str])
    tried: list[str] = field(default_factory=list[str])
    found: list[str] = field(default_factory=list[str])
    exact: bool = False
    out_of_time: bool = False


@dataclass(slots=True)
class Changing:
    """One wish; `change` does it. What is staged before it stays as it is where it fails."""

    work: Work
    plan: Plan
    wish: str
    baseline: CheckResult
    budget: Budget
    tries: Tries
    pointed: bool = True
    told: str = ""
    """What the model is told of the wish, where that is more than the wish itself."""

    async def change(self, item: str, before: str | None) -> Changed:
        """`item` is the to-do item of the first unit; those of further ones are put before `before`.

        Raises LimitReachedError where the task's limits are reached, ModelError, CancelledError.
        """
        outcome = Changed(False, self.baseline)
        items = [item]
        saved, whole = self.work.staging.files, False
        try:
            async with self.budget.item() as share:
                outcome = await self._change(item, before, share, outcome, items)
            whole = True
        except OutOfTimeError as error:
            outcome.ok, outcome.out_of_time = False, True
            outcome.tried.append(str(error))
            outcome.lines.clear()
            for one in items:
                self.plan.failed(one, error.sentence)
        finally:
            if not whole:
                self.work.staging.load(saved)  # half a change is none
        return outcome

    async def _change(self, item: str, before: str | None, share: Share, outcome: Changed, items: list[str]) -> Changed:
        sources = await load_for(self.work, self.wish)
        exact = rename.asked(self.wish)
        if exact is not None:
            return await self._rename(sources, exact, item)
        units = await targets.units(self.work, sources, self.wish, pointed=self.pointed, told=self.told)
        if not units:
            self.plan.failed(item, "No place for it was found.")
            return Changed(False, self.baseline, tried=["no file of the workspace fits the request"])
        items += [self.plan.add(f"Change {unit.title}", before=before) for unit in units[1:]]
        share.serve(len(items))
        self.plan.name(item, f"Change {units[0].title}" if units[0].text else f"Write {units[0].title}")
        await self._attempts(sources, units, items, outcome, share)
        return outcome

    async def _attempts(
        self,
        sources: Sources,
        units: Sequence[rewrite.Unit],
        items: Sequence[str],
        outcome: Changed,
        share: Share,
    ) -> None:
        saved, failure = self.work.staging.files, ""
        broken: dict[str, frozenset[str]] = {}
        reserved = bool(reservation(self.wish))
        for attempt in range(ROUNDS):
            reason = await self._write(sources, units, items, attempt, failure, share)
            if reason:
                outcome.tried.append(reason)
                if attempt == 0 and not self.work.staging.files:
                    continue
            share.doing = "check it"
            if not reason and self.work.change().digest in broken:
                outcome.tried.append(f"attempt {attempt + 1}: the same as one before")
            elif self.work.staging.files != saved:
                digest = self.work.change().digest
                outcome.result = await self.work.check()
                if not reason and not self._better(outcome.result):
                    await self._without_failing(sources, units, outcome)
                if not reason and self._better(outcome.result):
                    outcome.ok = True
                    outcome.found.clear()
                    staged = {file.target for file in self.work.staging.files}
                    outcome.lines += [
                        f"Changed {u.title}." if u.text else f"Wrote {u.title}." for u in units if u.path in staged
                    ]
                    passed, note = proof(outcome.result)
                    for item in items:
                        self.plan.done(item, check=passed, note=note)
                    return
                failure = "" if reason else evidence.tail(_failing(outcome.result), 900)
                if not reason:
                    outcome.tried.append(f"attempt {attempt + 1}: {self._why_not(outcome.result)}")
                    broken[digest] = self._newly(outcome.result)
            self.work.staging.load(saved)
            for unit in units:
                sources.put(unit.path, unit.text or None)
            if reserved and attempt and _always(broken):
                break  # the person has said what is to be done if it cannot be had
        self._tell_against(broken, outcome)
        self.work.show_draft()
        for item in items:
            self.plan.failed(item, "No attempt held.")

    def _newly(self, result: CheckResult) -> frozenset[str]:
        """The names of the tests that ran and fail now, and did not before."""
        then = {case.id for case in evidence.failing_cases(self.baseline.output)}
        now = [case for case in evidence.failing_cases(result.output) if case.id not in then]
        return frozenset(case.name for case in now) if all(map(evidence.is_run, now)) else frozenset()

    def _why_not(self, result: CheckResult) -> str:
        if not result.parsed:
            return "it does not parse"
        names = sorted(self._newly(result))
        return f"it makes {', '.join(names[:3])} fail" if names else f"`{result.command}` fails with it"

    def _tell_against(self, broken: Mapping[str, frozenset[str]], outcome: Changed) -> None:
        """What every attempt ran into, as far as it can be told."""
        always = sorted(_always(broken))
        if always and self.baseline.status == "passed" and (len(broken) > 1 or reservation(self.wish)):
            count = f"Each of {len(broken)} different attempts" if len(broken) > 1 else "What was attempted"
            names = ", ".join(f"`{name}`" for name in always[:3])
            outcome.found.append(
                f"{count} makes {names} fail, which passes now: what is asked for may contradict what is tested there."
            )
        elif outcome.tried and all("unchanged" in one for one in outcome.tried):
            outcome.found.append(
                "The model wrote the code back as it is each time: perhaps it does what was asked for already."
            )

    async def _without_failing(self, sources: Sources, units: Sequence[rewrite.Unit], outcome: Changed) -> None:
        """New tests that fail are taken out again: what they expect is as likely wrong as the code that they test."""
        if self.work.request.intent != "tests":
            return
        failing = {case.name for case in evidence.failing_cases(outcome.result.output)}
        gone: list[str] = []
        for unit in units:
            document = await self.work.staging.find(unit.path)
            if document is None or not sources.is_test(unit.path):
                continue
            old = {span.name for span in await asyncio.to_thread(spans, unit.path, unit.text)}
            lines = document.text.split("\n")
            found = await asyncio.to_thread(spans, unit.path, document.text)
            drop = [s for s in found if s.kind == "function" and s.bare in failing and s.name not in old]
            if not drop or len(drop) == sum(s.bare.lower().startswith("test") for s in found if s.kind == "function"):
                return
            for span in sorted(drop, key=lambda s: -s.first):
                del lines[span.first - 1 : span.last]
                gone.append(span.bare)
            await self.work.staging.put(unit.path, "\n".join(lines))
        if gone:
            self.work.show_draft()
            outcome.result = await self.work.check()
            outcome.lines = [f"Left out, because they fail: {', '.join(gone)}."]

    async def _write(
        self,
        sources: Sources,
        units: Sequence[rewrite.Unit],
        items: Sequence[str],
        attempt: int,
        failure: str,
        share: Share,
    ) -> str:
        """Write every unit once, each over what the ones before it staged. A sentence where one could not be had."""
        waiting = dict(zip(items, units, strict=True))
        while waiting:
            item = self.plan.in_order(waiting)[0]
            unit = waiting.pop(item)
            if not self.plan.start(item):
                continue
            fresh = await self._fresh(unit)
            more = self._more(sources, units, unit)
            messages = rewrite.change_messages(fresh, self.told or self.wish, more, failure)
            reason = ""
            doing = f"write {unit.title}{' anew' if unit.text else ''}"
            with self.work.activity("rewrite", f"{doing} ({spoken(share.left)} left)") as activity:
                for again in range(_TRIES):
                    share.begin(doing)
                    text = await rewrite.rewritten(
                        self.work,
                        fresh,
                        messages,
                        attempt=self.tries.rounds * _ROUND + attempt * _TRIES + again,
                        may_lose=bool(_MAY_LOSE.search(self.wish)),
                    )
                    if not isinstance(text, Refusal):
                        text = await asyncio.to_thread(self._not_elsewhere, sources, units, fresh, text)
                    if not isinstance(text, Refusal):
                        await self.work.staging.put(unit.path, text)
                        sources.put(unit.path, text)
                        self.work.show_draft()
                        activity.summary = f"attempt {again + 1}" if again else "done"
                        break
                    reason = text.reason
                    _log.info("rewrite of %s: %s", unit.title, reason)
                else:
                    activity.ok, activity.summary = False, reason
                    if len(units) == 1 or "unchanged" not in reason:
                        return f"{unit.title}: {reason[:1].lower()}{reason[1:].rstrip('.')}"
        return ""

    def _not_elsewhere(
        self, sources: Sources, units: Sequence[rewrite.Unit], unit: rewrite.Unit, text: str
    ) -> str | Refusal:
        """Refuses what another file of the change defines already: a small model writes both into the first."""
        if _MAY_LOSE.search(self.wish):
            return text
        fresh = {s.name for s in spans(unit.path, text)} - {s.name for s in spans(unit.path, unit.text)}
        for other in units:
            if other.path != unit.path:
                double = fresh & {s.name for s in sources.spans(other.path)}
                if double:
                    return Refusal(f"The reply wrote {', '.join(sorted(double))} of {other.name} into {unit.name}.")
        return text

    async def _fresh(self, unit: rewrite.Unit) -> rewrite.Unit:
        """The unit over what is staged now: another unit of the same file may have been written before it."""
        document = await self.work.staging.find(unit.path)
        if document is None or document.text == unit.text:
            return unit
        span = unit.span
        if span is not None and span.name:
            found = await asyncio.to_thread(spans, unit.path, document.text)
            span = next((s for s in found if s.name == span.name), span)
        return replace(unit, text=document.text, span=span)

    def _more(self, sources: Sources, units: Sequence[rewrite.Unit], unit: rewrite.Unit) -> str:
        """What else the model should see: the problems, the file under test, the other files of the change."""
        parts: list[str] = []
        request = self.work.request
        attached = self.work.attached
        problems = [*request.diagnostics, *attached.problems]
        if self.pointed and problems:
            parts.append(problems_text(sources.folders, problems, 5))
        parts += [f"{one.name}:\n{one.text[:_TEXT_MAX].rstrip()}" for one in attached.texts[:2]]
        shown = [other.path for other in units if other.path != unit.path]
        shown += [path for path, _ in attached.places if path not in (unit.path, *shown)]
        if request.intent == "tests" and request.path is not None and request.path != unit.path:
            shown = [request.path]
        for path in dict.fromkeys(shown):
            text = sources.texts.get(path, "")
            if text and sum(map(len, parts)) + len(text) <= _MORE_MAX:
                parts.append(f"{sources.name(path)}:\n```{language_of(path).fence}\n{text.rstrip()}\n```")
        return "\n\n".join(parts)

    def _better(self, result: CheckResult) -> bool:
        """Passed, or nothing fails that did not fail before."""
        if result.ok:
            return True
        if not result.parsed or self.baseline.status != "failed":
            return False
        now = {case.id for case in evidence.failing_cases(result.output)}
        then = {case.id for case in evidence.failing_cases(self.baseline.output)}
        return bool(now) and now <= then

    async def _rename(self, sources: Sources, exact: rename.Rename, item: str) -> Changed:
        self.plan.name(item, f"Rename `{exact.old}` to `{exact.new}`")
        if not self.plan.start(item):
            return Changed(False, self.baseline, tried=["skipped at your wish"])
        with self.work.activity("rename", f"rename `{exact.old}` to `{exact.new}`") as activity:
            texts = await asyncio.to_thread(rename.renamed, sources, exact, self.wish)
            if isinstance(texts, Refusal):
                activity.ok, activity.summary = False, texts.reason
                self.plan.failed(item, texts.reason)
                return Changed(False, self.baseline, tried=[texts.reason.rstrip(".")])
            activity.summary = f"{len(texts)} file{'s' if len(texts) != 1 else ''}"
        saved = self.work.staging.files
        for path, text in texts.items():
            await self.work.staging.put(path, text)
        self.work.show_draft()
        result = await self.work.check()
        if not self._better(result):
            self.work.staging.load(saved)
            self.work.show_draft()
            self.plan.failed(item, "The check fails with it.")
            return Changed(
                False, result, tried=["the check fails after the renaming; the name may be used dynamically"]
            )
        passed, note = proof(result)
        self.plan.done(item, check=passed, note=note)
        names = ", ".join(sources.name(path) for path in texts)
        return Changed(True, result, [f"Renamed `{exact.old}` to `{exact.new}` in {names}."], exact=True)


def _always(broken: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The tests that each attempt breaks."""
    return evidence.shared(broken.values())


def _failing(result: CheckResult) -> str:
    cases = evidence.failing_cases(result.output)
    return cases[0].detail if cases else result.output.strip()
