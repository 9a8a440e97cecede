"""Judges a repair of a problem that an editor shows, by the tool that tells it: it goes, and nothing new comes."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kaaj_agent.changes import CheckResult
from kaaj_agent.document import digest_of, split_lines
from kaaj_agent.guided.evidence import failing_cases
from kaaj_agent.guided.judge import Judge, changed
from kaaj_agent.guided.problem_tools import Told, command_of, problems_in
from kaaj_agent.ports import CommandResult, Diagnostic
from kaaj_agent.repair.unit import Candidate, Verdict
from kaaj_agent.work import Work

_SECONDS: Final = 60.0
"""How long a tool may take to be of use here."""
_SLOWER: Final = 5.0
_LEAST_SECONDS: Final = 10.0
_WORDS: Final = 40
"""Characters of a message by which it is known again: language servers and command lines differ in what follows."""

_Key = tuple[str, str]


@dataclass(slots=True)
class ProblemJudge:
    """`line` is where the problem stands now, from 1. `before` counts what the tool told, `wanted` what is to go."""

    work: Work
    problem: Diagnostic
    line: int
    text: str
    tool: str
    command: str
    before: Counter[_Key]
    wanted: Counter[_Key]
    first: CommandResult
    whole: Judge | None
    _seen: dict[str, Verdict] = field(default_factory=dict[str, Verdict])

    @classmethod
    async def of(cls, work: Work, problem: Diagnostic, baseline: CheckResult) -> ProblemJudge | None:
        """None where no tool that is known and may run here tells the problem. `baseline`: how the check stands."""
        found = await asyncio.to_thread(command_of, problem, work.workshop.root)
        document = await work.staging.find(problem.path)
        if found is None or document is None:
            return None
        tool, command = found
        with work.activity("check", f"ask {tool} about {work.staging.folders.name_of(problem.path)}") as activity:
            result = await work.workshop.look(work.change(), command, timeout=_SECONDS)
            told = problems_in(result.output) if result is not None and not result.timed_out else []
            same = _same(told, problem, work.workshop.root)
            activity.ok = bool(same)
            activity.summary = same.text if same else "it does not tell the problem"
        if result is None or same is None:
            return None
        whole = None
        if baseline.status == "passed" or failing_cases(baseline.output):
            whole = await Judge.of(work, baseline, ())
        wanted = Counter([(same.file, same.text)])
        return cls(work, problem, same.line, document.text, tool, command, _counted(told), wanted, result, whole)

    async def __call__(self, candidate: Candidate) -> Verdict:
        return await self.judge(candidate.text)

    async def judge(self, text: str) -> Verdict:
        """The verdict on a new text of the file."""
        key = digest_of(text)
        if key not in self._seen:
            self._seen[key] = await self._judged(text)
        return self._seen[key]

    async def _judged(self, text: str) -> Verdict:
        left = sum(self.wanted.values())
        if text == self.text:
            return Verdict(False, -left, self.first.output)
        if (
            silences(self.text, text)
            or untypes(self.text, text)
            or (drops(self.text, text) and not _SUPERFLUOUS.search(self.problem.message))
        ):
            return Verdict(False, -left - 1, self.first.output)
        patience = max(_LEAST_SECONDS, self.first.seconds * _SLOWER)
        change = await changed(self.work, {self.problem.path: text})
        result = await self.work.workshop.look(change, self.command, timeout=patience)
        if result is None or result.timed_out:
            return Verdict(False, -2 * left - 1)
        now = _counted(problems_in(result.output))
        fresh = sum((now - self.before).values())
        still = sum((now & self.wanted).values()) if (now - (self.before - self.wanted)) & self.wanted else 0
        ran = result.exit_code == 0 or (bool(now) and result.exit_code == self.first.exit_code)
        if fresh or still or not ran:
            return Verdict(False, float(-still - (left + 1) * (fresh or not ran)), result.output)
        if self.whole is not None:
            return await self.whole.files({self.problem.path: text})
        return Verdict(True, 0.0, result.output)

    async def close(self) -> None:
        """End what still runs for this judge."""
        if self.whole is not None:
            await self.whole.close()


def _counted(told: Iterable[Told]) -> Counter[_Key]:
    return Counter((one.file, one.text) for one in told)


def _same(told: Iterable[Told], problem: Diagnostic, root: Path) -> Told | None:
    """The editor's problem among those that the tool tells: by its words or its code near by, else by its line."""
    name = problem.path.relative_to(root).as_posix()
    here = [one for one in told if one.file == name or one.file.endswith(f"/{name}")]
    words = _plain(problem.message)[:_WORDS]
    code = problem.code.lower()
    alike = [one for one in here if words in _plain(one.text) or (code and code in one.text.lower().split())]
    alike += [one for one in here if code and f"[{code}]" in one.text.lower() and one not in alike]
    near = sorted(alike, key=lambda one: abs(one.line - problem.line))
    return near[0] if near else next((one for one in here if one.line == problem.line), None)


def _plain(message: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", message.lower()).strip()


_SILENCER: Final = re.compile(
    r"\bnoqa\b|type:\s*ignore|(?:pyright|ruff|mypy|pylint|flake8):\s*(?:ignore|disable|noqa)|eslint-disable"
    r"|@ts-(?:ignore|nocheck|expect-error)|\bNOLINT|shellcheck\s+disable|#!?\[(?:allow|expect)\b|\bnolint\b"
    r"|@SuppressWarnings|\bas any\b|:\s*any\b|:\s*Any\b|\bcast\(\s*['\"]?Any\b|#\s*pragma\b",
)


def silences(before: str, after: str) -> bool:
    """Whether a text tells tools to be silent where the text before it did not."""
    return len(_SILENCER.findall(after)) > len(_SILENCER.findall(before))


_TYPED: Final = re.compile(r"->|(?<=\w)\??\s*:\s*(?=[A-Za-z_\"'])")


def untypes(before: str, after: str) -> bool:
    """Whether a text has fewer type annotations, as far as that shows without a grammar: a checker is silent then."""
    return len(_TYPED.findall(after)) < len(_TYPED.findall(before))


_SUPERFLUOUS: Final = re.compile(
    r"unused|never (?:used|read|called)|(?:not|n't|never) (?:be )?(?:accessed|used|needed|reached)|unreachable"
    r"|redundant|duplicate|redefin|redeclar|already|unnecessary|useless|superfluous|\bextra|trailing|unexpected",
    re.IGNORECASE,
)


def drops(before: str, after: str) -> bool:
    """Whether a text is the one before without some of its lines: that silences any tool, and mends little."""
    old, new = iter(split_lines(before)), split_lines(after)
    return len(after) < len(before) and all(line in old for line in new)
