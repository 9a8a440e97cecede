"""Says of a candidate whether it mends what it should and breaks nothing: the failing tests first, then all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from kaaj_agent.changes import ChangeSet, CheckResult, FileChange
from kaaj_agent.document import digest_of, encode
from kaaj_agent.guided import yardstick
from kaaj_agent.guided.evidence import Case, bare_name, failing_cases, is_run, ran, shared
from kaaj_agent.guided.forking import ForkRunner
from kaaj_agent.guided.narrow import forkable, narrowed
from kaaj_agent.repair.unit import Candidate, Verdict
from kaaj_agent.shadow import Shadow
from kaaj_agent.tries import Tries
from kaaj_agent.work import Work

_SLOWER: Final = 6.0
"""A candidate may take so many times as long as the check did before; then it is taken to hang."""
_LEAST_SECONDS: Final = 10.0
_WORTH_SECONDS: Final = 0.15
_QUICKER: Final = 0.8
TELLING: Final = 3
"""Candidates that have to agree before it is told that they do."""


class HopelessError(Exception):
    """The targets and another test cannot both pass: their texts contradict each other, and candidates bear it out."""


@dataclass(frozen=True, slots=True)
class Vain:
    """Candidates that an earlier task of the session judged in vain, for the very same code and tests (`mark`)."""

    tries: Tries
    mark: str

    def recall(self, key: str) -> Verdict | None:
        score = self.tries.vain.get(self._digest(key))
        return None if score is None else Verdict(False, score)

    def note(self, key: str, verdict: Verdict) -> None:
        self.tries.note(self._digest(key), verdict.score)

    def _digest(self, key: str) -> str:
        return digest_of(f"{self.mark}\0{key}")


@dataclass(slots=True)
class Judge:
    """`targets` are to pass; of all other cases only those in `known` may fail. Texts are judged once each.

    `command` runs the targets alone; None runs the whole check at once. `patience` is seconds for one run.
    """

    work: Work
    targets: frozenset[str]
    known: frozenset[str]
    baseline: CheckResult
    command: str | None = None
    patience: float | None = None
    names: frozenset[str] = frozenset()
    """The bare names of all cases that failed before."""
    judged: int = 0
    opposed: list[frozenset[str]] = field(default_factory=list[frozenset[str]])
    """For each candidate that mended the targets and broke other tests: which."""
    contrary: frozenset[str] = frozenset()
    """The bare names of tests whose text says the contrary of the targets'."""
    vain: Vain | None = None
    runner: ForkRunner | None = None
    started: ForkRunner | None = None
    """A runner of the whole check that somebody started already; it is this judge's to use or to close."""
    _tried: bool = False
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _seen: dict[str, Verdict] = field(default_factory=dict[str, Verdict])

    @classmethod
    async def of(
        cls, work: Work, baseline: CheckResult, cases: Sequence[Case], tries: Tries | None = None, code: str = ""
    ) -> Judge:
        """A judge of what makes `cases` pass. The command for them alone is tried out on the code as it stands.

        `tries` is what was tried before, `code` a digest of all that the verdicts depend on besides the candidate.
        """
        patience = max(_LEAST_SECONDS, baseline.seconds * _SLOWER)
        known = frozenset(case.id for case in failing_cases(baseline.output))
        targets = frozenset(case.id for case in cases)
        names = frozenset(case.name for case in (*cases, *failing_cases(baseline.output)))
        judge = cls(work, targets, known - targets, baseline, None, patience, names)
        if tries is not None:
            judge.vain = Vain(tries, "\0".join((code, baseline.command, *sorted(targets), "", *sorted(known))))
        command = narrowed(baseline.command, cases)
        if command is not None and baseline.seconds > 0.2:
            alone = await work.workshop.check(work.change(), command=command, timeout=patience)
            found = {case.id for case in failing_cases(alone.output)}
            if alone.status == "failed" and targets & found and alone.seconds < baseline.seconds * 0.8:
                judge.command = command
        return judge

    async def __call__(self, candidate: Candidate) -> Verdict:
        return await self.files(candidate.files)

    async def files(self, texts: Mapping[Path, str]) -> Verdict:
        """The verdict on new texts of some files over what is staged. Raises HopelessError."""
        key = "".join(f"{path}\0{digest_of(text)}\n" for path, text in sorted(texts.items()))
        held = self._seen.get(key) or (self.vain.recall(key) if self.vain else None)
        if held is not None:
            return held
        change = await changed(self.work, texts)
        if change.files == self.work.staging.files:
            return Verdict(False, self._score(self.baseline), self.baseline.output)
        if await self._cuts(texts):
            return Verdict(False, self._score(self.baseline) - 1, self.baseline.output)
        self.judged += 1
        async with self._turn:
            verdict = await self._first(change, texts)
            if verdict is None:
                result = await self.work.workshop.check(change, timeout=self.patience)
                verdict = Verdict(self.accepts(result), self._score(result), result.output)
                self._note(result, mended=self.command is not None)
                if self.runner is not None:
                    await self._lay_out()  # forks stand on what is staged, and the check has laid the candidate over it
        self._seen[key] = verdict
        if self.vain is not None and not verdict.passed:
            self.vain.note(key, verdict)
        return verdict

    async def _cuts(self, texts: Mapping[Path, str]) -> bool:
        """Whether a candidate alters a test that is to judge it."""
        for path, text in texts.items():
            document = await self.work.staging.find(path)
            if document is not None and await asyncio.to_thread(yardstick.cut, path, document.text, text, self.names):
                return True
        return False

    async def _first(self, change: ChangeSet, texts: Mapping[Path, str]) -> Verdict | None:
        """A verdict by what is quicker than the whole check, if it is a bad one; else None."""
        if not self._tried:
            self._tried = True
            await self._prepare()
        alone: CheckResult | None = None
        if self.runner is not None:
            alone = await self.runner.run(_encoded(change, texts), self.patience or _LEAST_SECONDS)
            if alone is None:
                self.runner, self._tried = None, False  # it ended, with a search as a rule; the next one has its own
        if alone is None and self.command is not None:
            alone = await self.work.workshop.check(change, command=self.command, timeout=self.patience)
        if alone is None or alone.ok or self.accepts(alone):
            return None
        if self.command is None:
            self._note(alone, mended=False)
        return Verdict(False, self._score(alone), alone.output)

    async def _prepare(self) -> None:
        """Start the forking runner, and keep it if it finds what the check found, and in less time."""
        command = self.command or self.baseline.command
        started, self.started = self.started, None
        if started is not None and (started.command != command or not started.alive):
            await started.close()
            started = None
        if started is None and (not forkable(command) or self.baseline.seconds < _WORTH_SECONDS):
            return
        patience = self.patience or _LEAST_SECONDS
        shadow = await self._lay_out()
        runner = started or await ForkRunner.start(shadow, command)
        if runner is None:
            return
        held: CheckResult | None = None
        try:
            for _ in range(1 if started else 2):  # what the first one imports, the second one finds imported
                held = await runner.run({}, patience)
        finally:
            found = frozenset(case.id for case in failing_cases(held.output)) if held else frozenset[str]()
            wanted = self.targets if self.command else self.targets | self.known
            if held is not None and found == wanted and held.seconds < self.baseline.seconds * _QUICKER:
                self.runner = runner
            else:
                await runner.close()

    async def _lay_out(self) -> Shadow:
        shadow = await self.work.workshop.shadow()
        await shadow.sync(self.work.staging.snapshot, self.work.staging.files)
        return shadow

    def _note(self, result: CheckResult, *, mended: bool) -> None:
        """Remember what a candidate breaks that mends every target. `mended`: they were seen to pass on their own."""
        cases = failing_cases(result.output)
        failing = {case.id for case in cases}
        fresh = failing - self.targets - self.known
        if not result.parsed or not fresh or failing & self.targets or not all(map(is_run, cases)):
            return
        before = ran(self.baseline.output)
        if mended or (before is not None and ran(result.output) == before):  # else they may not have run at all
            self.opposed.append(frozenset(fresh))
            if any(bare_name(name) in self.contrary for name in self.opposing):
                raise HopelessError

    @property
    def opposing(self) -> frozenset[str]:
        """The tests that each candidate breaks that mends the targets, by id; none where too few were seen to tell."""
        return shared(self.opposed) if len(self.opposed) >= TELLING else frozenset()

    async def close(self) -> None:
        """End what still runs for this judge."""
        ended, self.runner, self.started = (self.runner, self.started), None, None
        for runner in ended:
            if runner is not None:
                await runner.close()

    def accepts(self, result: CheckResult) -> bool:
        """Whether a whole check shows the targets mended and nothing new broken."""
        if result.status == "passed":
            return result.parsed
        failing = {case.id for case in failing_cases(result.output)}
        return bool(result.parsed and failing and failing <= self.known)

    def _score(self, result: CheckResult) -> float:
        """Minus what fails: a target counts one, and what did not fail before counts more than all targets.

        A run that names no case counts as if every target failed and something new as well: nobody knows what ran.
        """
        if result.status == "passed":
            return 0.0
        worse = len(self.targets) + 1
        failing = {case.id for case in failing_cases(result.output)}
        if not failing:
            return -float(2 * worse)
        fresh = failing - self.targets - self.known
        return -float(len(failing & self.targets) + worse * len(fresh))


def _encoded(change: ChangeSet, texts: Mapping[Path, str]) -> dict[Path, bytes]:
    """The bytes of the files of a candidate, each in the form in which the workspace has it."""
    found: dict[Path, bytes] = {}
    for file in change.files:
        if file.target in texts and file.after is not None:
            style = file.before.format if file.before else file.style
            found[file.target] = encode(file.after, style, str(file.target))
    return found


async def changed(work: Work, texts: Mapping[Path, str]) -> ChangeSet:
    """What is staged with other texts for some files; nothing is staged by it."""
    files = {file.target: file for file in work.staging.files}
    for path, text in texts.items():
        held = files.get(path)
        if held is not None:
            files[path] = replace(held, after=text)
            continue
        before = await work.staging.find(path)
        if before is None or before.text != text:
            files[path] = FileChange(path, before, text)
    return replace(work.change(), files=tuple(files.values()))
