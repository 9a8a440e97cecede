"""The search: candidates are judged while the model makes the next ones; the first that passes waits for rivals."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
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
    one took, if that is longer; for `beaten_seconds` once nothing that waits can outrank it any more.
    """

    seconds: float = 120.0
    judged: int = 200
    rivals_seconds: float = 1.5
    rivals_share: float = 0.2
    beaten_seconds: float = 0.3
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
_PARTIALS: Final = 3
_PAIRED: Final = 8
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
        await self._round(candidates(self.scorer, units, self.budget.limits, self._wanted), units[0])
        while not self.passed and self.round < self.budget.rounds and self.partial:
            self.round += 1
            best = sorted(self.partial, key=lambda pair: (-pair[1].score, -pair[0].logprob))
            self.partial.clear()
            await self._round(_pairs(units, [candidate for candidate, _ in best[:_PAIRED]]), units[0])
            for start, verdict in best[:_PARTIALS]:
                if self.passed:
                    return
                await self._round(self._onward(units, start, verdict), units[0])

    async def _onward(self, units: list[Unit], start: Candidate, verdict: Verdict) -> AsyncGenerator[Candidate, None]:
        """The second step after `start`, likeliest where it did not begin to help."""
        moved = [_moved(unit, start, verdict) for unit in units]
        wanted = self._wanted
        stream = candidates(self.scorer, moved, self.budget.limits, lambda p: wanted(start.logprob + p))
        async with contextlib.aclosing(stream):
            async for candidate in stream:
                yield _joined(start, candidate)

    async def _round(self, stream: AsyncGenerator[Candidate, None], unit: Unit) -> None:
        pending = _Pending()
        try:
            async with asyncio.TaskGroup() as group:
                producer = group.create_task(self._produce(stream, pending))
                workers = [group.create_task(self._work(pending)) for _ in range(self.budget.judges)]
                if self.baseline is None:
                    self.baseline = await self.judge(_unchanged(unit))
                    if self.baseline.passed:
                        for task in (producer, *workers):
                            task.cancel()
        except BaseExceptionGroup as failed:  # the tasks start no groups of their own, so there is no nesting
            raise failed.exceptions[0] from None

    async def _produce(self, stream: AsyncGenerator[Candidate, None], pending: _Pending) -> None:
        left = self.budget.judged - self.judged
        async with contextlib.aclosing(stream):
            async for candidate in stream:
                if left <= 0:
                    break
                left -= 1
                await pending.put(candidate)
        await pending.close()

    async def _work(self, pending: _Pending) -> None:
        while (candidate := await pending.take()) is not None:
            verdict = await self.judge(candidate)
            self.judged += 1
            if verdict.passed:
                self._note(candidate, verdict)
            elif self.baseline is not None and verdict.score > self.baseline.score:
                self.partial.append((candidate, verdict))
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
        self.passed.append(Repair(candidate, verdict, _rank(candidate)))
        if len(self.passed) == 1:
            share = self.budget.rivals_share * (asyncio.get_running_loop().time() - self.began)
            self._end_in(max(self.budget.rivals_seconds, share))

    def _end_in(self, seconds: float) -> None:
        """End the search so much later, or earlier if it is to end before that anyway."""
        if self.limit is not None:
            ends = asyncio.get_running_loop().time() + seconds
            before = self.limit.when()
            self.limit.reschedule(ends if before is None else min(before, ends))


class _Pending:
    """Candidates that wait for a judge, the most promising first. Those that the model wrote wait in small number."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Candidate]] = []
        self._order = itertools.count()
        self._changed = asyncio.Condition()
        self._written = 0
        self._closed = False

    async def put(self, candidate: Candidate) -> None:
        """Wait while enough of what the model wrote is there; what costs nothing waits for nobody."""
        async with self._changed:
            if candidate.written:
                await self._changed.wait_for(lambda: self._written < _QUEUE)
                self._written += 1
            heapq.heappush(self._heap, (-candidate.logprob, next(self._order), candidate))
            self._changed.notify_all()

    async def take(self) -> Candidate | None:
        """The most promising one; None once there will be no more."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._heap) or self._closed)
            if not self._heap:
                return None
            _, _, candidate = heapq.heappop(self._heap)
            self._written -= candidate.written
            self._changed.notify_all()
            return candidate

    async def close(self) -> None:
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    def holds_better(self, rank: float) -> bool:
        """Whether one that waits could outrank it."""
        return any(_rank(candidate) < rank for _, _, candidate in self._heap)


def _rank(candidate: Candidate) -> float:
    """Likely and small comes first."""
    return -candidate.logprob + _CHANGE_COST * candidate.changed


async def _pairs(units: Sequence[Unit], partial: Sequence[Candidate]) -> AsyncGenerator[Candidate, None]:
    """Two changes that help and do not touch, as one candidate: faults of two lines often show in different tests."""
    base = {unit.path: unit.text for unit in units}
    for first, then in sorted(itertools.combinations(partial, 2), key=lambda pair: -pair[0].logprob - pair[1].logprob):
        if first.path != then.path:
            yield _joined(first, then)
            continue
        text = merged(base[first.path], first.text, then.text)
        if text is not None:
            yield _joined(first, replace(then, text=text))


def merged(base: str, one: str, other: str) -> str | None:
    """Both changes of `base` in one text; None where their lines meet. Each is taken as one block of lines."""
    lines = split_lines(base)
    first, then = sorted((_block(lines, split_lines(one)), _block(lines, split_lines(other))))
    if first[1] > then[0] or (first[0] == then[0] and first[1] == then[1]):
        return None
    kept = lines[first[1] : then[0]]
    return "".join([*lines[: first[0]], *first[2], *kept, *then[2], *lines[then[1] :]])


def _block(old: Sequence[str], new: Sequence[str]) -> tuple[int, int, list[str]]:
    """The lines of `old` from the first to the last that differ, and what stands in their place."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, len(old) - tail, list(new[head : len(new) - tail])


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
