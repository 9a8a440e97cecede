"""The search: candidates are judged while the model makes the next ones; the first that passes waits for rivals."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from kaaj_agent.document import split_lines
from kaaj_agent.ports import Scorer
from kaaj_agent.repair.surprise import DEFAULT_LIMITS, Limits, candidates
from kaaj_agent.repair.unit import Candidate, Repair, Unit, Verdict

Judge: TypeAlias = Callable[[Candidate], Awaitable[Verdict]]
"""Says what a candidate is worth. It is called for two candidates at a time and may be cancelled."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of one search.

    After the first candidate that passes it goes on for `rivals_seconds`, or for `rivals_share` of the time which that
    one took, if that is longer.
    """

    seconds: float = 120.0
    judged: int = 200
    rivals_seconds: float = 1.5
    rivals_share: float = 0.2
    rounds: int = 2
    judges: int = 2
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True)
class Progress:
    """How the search stands: candidates judged, candidates that passed, the round from 1, what was judged last."""

    judged: int
    passed: int
    round: int
    last: str


DEFAULT_BUDGET: Final = Budget()
_CHANGE_COST: Final = 0.1
_PARTIALS: Final = 2
_QUEUE: Final = 3


async def repair(
    scorer: Scorer,
    units: Sequence[Unit],
    judge: Judge,
    *,
    budget: Budget = DEFAULT_BUDGET,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Repair]:
    """What passes, best first: likely and small. Empty where nothing did, or where the code passes as it is.

    Where no single line helps, a second round starts from what helped most. Raises what the scorer (ModelError) or
    the judge raises. Cancelling stops it at once; nothing is left running.
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


@dataclass(slots=True)
class _Search:
    scorer: Scorer
    judge: Judge
    budget: Budget
    on_progress: Callable[[Progress], None] | None
    limit: asyncio.Timeout | None = None
    began: float = 0.0
    passed: list[Repair] = field(default_factory=list[Repair])
    partial: list[tuple[Candidate, Verdict]] = field(default_factory=list[tuple[Candidate, Verdict]])
    baseline: Verdict | None = None
    judged: int = 0
    round: int = 1

    async def run(self, units: list[Unit]) -> None:
        await self._round(units, None)
        while not self.passed and self.round < self.budget.rounds and self.partial:
            self.round += 1
            best = sorted(self.partial, key=lambda pair: (-pair[1].score, -pair[0].logprob))[:_PARTIALS]
            self.partial.clear()
            for start, verdict in best:
                await self._round([_moved(unit, start, verdict) for unit in units], start)
                if self.passed:
                    return

    async def _round(self, units: list[Unit], start: Candidate | None) -> None:
        queue: asyncio.Queue[Candidate | None] = asyncio.Queue(_QUEUE)
        try:
            async with asyncio.TaskGroup() as group:
                producer = group.create_task(self._produce(units, start, queue))
                workers = [group.create_task(self._work(queue)) for _ in range(self.budget.judges)]
                if self.baseline is None:
                    self.baseline = await self.judge(_unchanged(units[0]))
                    if self.baseline.passed:
                        for task in (producer, *workers):
                            task.cancel()
        except BaseExceptionGroup as failed:  # the tasks start no groups of their own, so there is no nesting
            raise failed.exceptions[0] from None

    async def _produce(
        self, units: list[Unit], start: Candidate | None, queue: asyncio.Queue[Candidate | None]
    ) -> None:
        left = self.budget.judged - self.judged
        async with contextlib.aclosing(candidates(self.scorer, units, self.budget.limits)) as stream:
            async for candidate in stream:
                if left <= 0:
                    break
                left -= 1
                await queue.put(candidate if start is None else _joined(start, candidate))
        for _ in range(self.budget.judges):
            await queue.put(None)

    async def _work(self, queue: asyncio.Queue[Candidate | None]) -> None:
        while (candidate := await queue.get()) is not None:
            verdict = await self.judge(candidate)
            self.judged += 1
            if verdict.passed:
                self._note(candidate, verdict)
            elif self.baseline is not None and verdict.score > self.baseline.score:
                self.partial.append((candidate, verdict))
            if self.on_progress:
                self.on_progress(Progress(self.judged, len(self.passed), self.round, candidate.description))

    def _note(self, candidate: Candidate, verdict: Verdict) -> None:
        rank = -candidate.logprob + _CHANGE_COST * candidate.changed
        self.passed.append(Repair(candidate, verdict, rank))
        if len(self.passed) == 1 and self.limit is not None:
            now = asyncio.get_running_loop().time()
            share = self.budget.rivals_share * (now - self.began)
            ends = now + max(self.budget.rivals_seconds, share)
            before = self.limit.when()
            self.limit.reschedule(ends if before is None else min(before, ends))


def _unchanged(unit: Unit) -> Candidate:
    return Candidate(unit.path, unit.text, unit.first, 0.0, "unchanged", 0)


def _moved(unit: Unit, start: Candidate, verdict: Verdict) -> Unit:
    """The unit as it stands after `start`, its region grown or shrunk with the file."""
    text = start.files.get(unit.path)
    if text is None:
        return replace(unit, failure=verdict.output or unit.failure)
    grown = len(split_lines(text)) - len(split_lines(unit.text))
    return replace(unit, text=text, last=unit.last + grown, failure=verdict.output or unit.failure)


def _joined(start: Candidate, then: Candidate) -> Candidate:
    """Two steps as one candidate."""
    others = {path: text for path, text in start.files.items() if path != then.path}
    return replace(
        then,
        logprob=start.logprob + then.logprob,
        description=f"{start.description}; {then.description}",
        changed=start.changed + then.changed,
        others=tuple(others.items()),
    )
