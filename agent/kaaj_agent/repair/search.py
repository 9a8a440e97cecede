"""The search: candidates are judged while the model makes the next ones; the first that passes waits for rivals."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

from kaaj_agent.document import split_lines
from kaaj_agent.ports import Scorer
from kaaj_agent.repair.pending import Pending, rank
from kaaj_agent.repair.surprise import DEFAULT_LIMITS, Limits, candidates
from kaaj_agent.repair.unit import Candidate, Repair, Unit, Verdict
from kaaj_agent.threeway import merge

Judge: TypeAlias = Callable[[Candidate], Awaitable[Verdict]]
"""Says what a candidate is worth. It is called for two candidates at a time and may be cancelled."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of one search.

    After the first candidate that passes it goes on for `rivals_seconds`, or for `rivals_share` of the time which that
    one took, if that is longer; for `beaten_seconds` once nothing that waits can outrank it any more.
    """

    seconds: float = 120.0
    judged: int = 400
    rivals_seconds: float = 1.5
    rivals_share: float = 0.2
    beaten_seconds: float = 0.3
    rounds: int = 3
    judges: int = 2
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True)
class Progress:
    """How the search stands: candidates judged, those that passed, the round (changes a
    candidate), what was judged last.
    """

    judged: int
    passed: int
    round: int
    last: str

    @property
    def told(self) -> str:
        """One line for people."""
        return f"candidate {self.judged}: {self.last}"


DEFAULT_BUDGET: Final = Budget()
_PARTIALS: Final = 3
_PAIRED: Final = 8


async def repair(
    scorer: Scorer,
    units: Sequence[Unit],
    judge: Judge,
    *,
    budget: Budget = DEFAULT_BUDGET,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Repair]:
    """What passes, best first: likely and small. Empty where nothing did, or where the code passes as it is.

    Where no single line suffices, further rounds go on from what helped most, a line each. Raises what the scorer
    (ModelError) or the judge raises. Cancelling stops it at once; nothing is left running.
    """
    if not units:
        return []
    search = _Search(scorer, judge, budget, on_progress)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(budget.seconds) as limit:
            search.limit = limit
            search.began = asyncio.get_running_loop().time()
            await search.run(list(units))
    return sorted(search.passed, key=lambda found: found.rank)


_Helped: TypeAlias = tuple[Candidate, Verdict]


@dataclass(slots=True)
class _Search:
    scorer: Scorer
    judge: Judge
    budget: Budget
    on_progress: Callable[[Progress], None] | None
    limit: asyncio.Timeout | None = None
    began: float = 0.0
    passed: list[Repair] = field(default_factory=list[Repair])
    helped: list[_Helped] = field(default_factory=list[_Helped])
    """What was better than what it started from, and passed not."""
    baseline: Verdict | None = None
    judged: int = 0
    round: int = 1

    async def run(self, units: list[Unit]) -> None:
        base = {unit.path: unit.text for unit in units}
        await self._round(candidates(self.scorer, units, self.budget.limits, self._wanted), units[0])
        before: list[_Helped] = []
        fresh = self._take()
        while fresh and not self.passed and self.round < self.budget.rounds:
            self.round += 1
            pairs = _pairs(base, [one for one, _ in fresh], [one for one, _ in before])
            await self._round(pairs, units[0], fresh[0][1])
            before += fresh
            fresh = self._take()
        await self._go_on(units, sorted([*fresh, *before], key=_promise)[:_PARTIALS])

    def _take(self) -> list[_Helped]:
        """What has helped since the last time, best first."""
        found = sorted(self.helped, key=_promise)[:_PAIRED]
        self.helped.clear()
        return found

    async def _go_on(self, units: list[Unit], starts: Sequence[_Helped]) -> None:
        """A step after each of these, and where that helps, one after the best of those."""
        for start, verdict in starts:
            if self.passed:
                return
            if start.steps < self.budget.rounds:
                self.round = start.steps + 1
                await self._round(self._onward(units, start, verdict), units[0], verdict)
                await self._go_on(units, self._take()[:1])

    async def _onward(self, units: list[Unit], start: Candidate, verdict: Verdict) -> AsyncGenerator[Candidate, None]:
        """One more step after `start`, likeliest where it did not begin to help."""
        moved = [_moved(unit, start, verdict) for unit in units]
        wanted = self._wanted
        stream = candidates(self.scorer, moved, self.budget.limits, lambda p: wanted(start.logprob + p))
        async with contextlib.aclosing(stream):
            async for candidate in stream:
                yield _joined(start, candidate)

    async def _round(self, stream: AsyncGenerator[Candidate, None], unit: Unit, start: Verdict | None = None) -> None:
        """Judge what comes. What is better than `start`, or than the code as it stands, has helped."""
        pending = Pending()
        try:
            async with asyncio.TaskGroup() as group:
                producer = group.create_task(self._produce(stream, pending))
                workers = [group.create_task(self._work(pending, start)) for _ in range(self.budget.judges)]
                if self.baseline is None:
                    self.baseline = await self.judge(_unchanged(unit))
                    if self.baseline.passed:
                        for task in (producer, *workers):
                            task.cancel()
        except BaseExceptionGroup as failed:  # the tasks start no groups of their own, so there is no nesting
            raise failed.exceptions[0] from None

    async def _produce(self, stream: AsyncGenerator[Candidate, None], pending: Pending) -> None:
        left = self.budget.judged - self.judged
        async with contextlib.aclosing(stream):
            async for candidate in stream:
                if left <= 0:
                    break
                left -= 1
                await pending.put(candidate)
        await pending.close()

    async def _work(self, pending: Pending, start: Verdict | None) -> None:
        while (candidate := await pending.take()) is not None:
            verdict = await self.judge(candidate)
            self.judged += 1
            if verdict.passed:
                self._note(candidate, verdict)
            elif (beaten := start or self.baseline) is not None and verdict.score > beaten.score:
                self.helped.append((candidate, verdict))
            if self.on_progress:
                self.on_progress(Progress(self.judged, len(self.passed), self.round, candidate.description))
            best = self._best
            if best is not None and not pending.holds_better(best):
                self._end_in(self.budget.beaten_seconds)

    @property
    def _best(self) -> float | None:
        return min((found.rank for found in self.passed), default=None)

    def _wanted(self, logprob: float) -> bool:
        """Whether a candidate of such a log-probability could still outrank what passed."""
        best = self._best
        return best is None or -logprob < best

    def _note(self, candidate: Candidate, verdict: Verdict) -> None:
        self.passed.append(Repair(candidate, verdict, rank(candidate)))
        if len(self.passed) == 1:
            share = self.budget.rivals_share * (asyncio.get_running_loop().time() - self.began)
            self._end_in(max(self.budget.rivals_seconds, share))

    def _end_in(self, seconds: float) -> None:
        """End the search so much later, or earlier if it is to end before that anyway."""
        if self.limit is not None:
            ends = asyncio.get_running_loop().time() + seconds
            before = self.limit.when()
            self.limit.reschedule(ends if before is None else min(before, ends))


def _promise(helped: _Helped) -> tuple[float, float]:
    return -helped[1].score, -helped[0].logprob


async def _pairs(
    base: Mapping[Path, str], fresh: Sequence[Candidate], before: Sequence[Candidate]
) -> AsyncGenerator[Candidate, None]:
    """Two changes that help and do not touch, as one candidate: faults of two lines often show in different tests.

    `fresh` helped in the last round, `before` in those before it: so a third line comes to two.
    """
    pairs = [*itertools.combinations(fresh, 2), *itertools.product(fresh, before)]
    seen = [candidate.files for candidate in (*fresh, *before)]
    for first, then in sorted(pairs, key=lambda pair: -pair[0].logprob - pair[1].logprob):
        both = _together(base, first, then)
        if both is not None and both.files not in seen:
            seen.append(both.files)
            yield both


def _together(base: Mapping[Path, str], first: Candidate, then: Candidate) -> Candidate | None:
    """Two changes as one; None where they meet."""
    files = dict(first.files)
    for path, text in then.files.items():
        both = merged(base[path], files[path], text) if path in files else text
        if both is None:
            return None
        files[path] = both
    others = tuple((path, text) for path, text in files.items() if path != then.path)
    return _joined(replace(first, others=()), replace(then, text=files[then.path]), others)


def merged(base: str, one: str, other: str) -> str | None:
    """Both changes of `base` in one text; None where their lines meet."""
    found = merge(base, one, other, ("", ""))
    return None if found.conflicts else found.text


def _unchanged(unit: Unit) -> Candidate:
    return Candidate(unit.path, unit.text, unit.first, 0.0, "unchanged", 0)


def _moved(unit: Unit, start: Candidate, verdict: Verdict) -> Unit:
    """The unit as it stands after `start`, its region grown or shrunk with the file."""
    text = start.files.get(unit.path)
    if text is None:
        return replace(unit, failure=verdict.output or unit.failure)
    grown = len(split_lines(text)) - len(split_lines(unit.text))
    return replace(unit, text=text, last=unit.last + grown, failure=verdict.output or unit.failure)


def _joined(start: Candidate, then: Candidate, others: tuple[tuple[Path, str], ...] | None = None) -> Candidate:
    """Two steps as one candidate. `others` are the other files' texts; None: those of `start`."""
    if others is None:
        others = tuple((path, text) for path, text in start.files.items() if path != then.path)
    return replace(
        then,
        logprob=start.logprob + then.logprob,
        description=f"{start.description}; {then.description}",
        changed=start.changed + then.changed,
        others=others,
        steps=start.steps + then.steps,
    )
