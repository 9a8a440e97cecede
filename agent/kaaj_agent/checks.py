"""Checking a change before anyone sees it: does every touched file parse, then the project's own check."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from kaaj_agent.changes import ChangeSet, CheckResult, FileChange
from kaaj_agent.check_finder import find_check
from kaaj_agent.shadow import Shadow
from kaaj_agent.syntax import SyntaxProblem, new_problem
from kaaj_agent.world import Snapshot

__all__ = ["ShadowChecker", "find_check"]

CHECK_SECONDS: Final = 300.0
_NOTHING_COLLECTED: Final = 5
"""pytest's exit code for "no tests were collected"; unittest has used the same since Python 3.12."""

_TEST_RUNNER: Final = re.compile(r"\b(?:pytest|unittest)\b")
_TEST_FILE: Final = re.compile(r"(?:test_.*|.*_test|conftest)\.py\Z")


class ShadowChecker:
    """The `Checker` of one task, over `snapshot`. `command` is what may be run, None where nothing may.

    Whether a command may run is settled by the caller beforehand. `shadow` opens the shadow workspace, which is
    only needed where a command runs.
    """

    def __init__(
        self,
        shadow: Callable[[], Awaitable[Shadow]],
        snapshot: Snapshot,
        command: str | None,
        *,
        timeout: float = CHECK_SECONDS,
    ) -> None:
        self.shadow = shadow
        self.snapshot = snapshot
        self.command = command
        self.timeout = timeout

    async def check(self, change: ChangeSet, *, full: bool = True) -> CheckResult:
        """Parse what the change touches; with `full`, and if it parses, run the command on the staged tree.

        Raises SandboxError where the tree cannot be laid out or the command not be started. A command that ran out
        of time has failed.
        """
        problems = await self._problems(change)
        if problems:
            return CheckResult("failed", output="\n".join(problems), parsed=False)
        if not full or not self.command:
            return CheckResult("none")
        result = await self._run(change.files)
        if result.exit_code == _NOTHING_COLLECTED and _TEST_RUNNER.search(self.command) and not _drops_tests(change):
            return replace(result, status="none")
        return result

    async def baseline(self) -> CheckResult:
        """The command on the tree without any change: what failed before cannot be held against a change."""
        if not self.command:
            return CheckResult("none")
        return await self._run(())

    async def _run(self, files: Sequence[FileChange]) -> CheckResult:
        """The command on the tree with `files` staged."""
        shadow = await self.shadow()
        await shadow.sync(self.snapshot, files)
        shell = shadow.shell
        command = self.command or ""
        result = await shell.run(command, timeout=self.timeout)
        return CheckResult(
            "passed" if result.exit_code == 0 else "failed",
            command,
            result.output,
            result.seconds,
            sandboxed=shell.sandboxed,
            exit_code=result.exit_code,
        )

    async def _problems(self, change: ChangeSet) -> list[str]:
        found: list[str] = []
        for file in change.files:
            if file.after is None or (file.before is not None and file.before.text == file.after):
                continue
            before = file.before.text if file.before else None
            problem = await new_problem(file.target, before, file.after)
            if problem is not None:
                found.append(_told(problem, self.snapshot.folders.name_of(file.target), file.after))
        return found


def _told(problem: SyntaxProblem, name: str, text: str) -> str:
    lines = re.split(r"\r\n|\r|\n", text)
    shown = lines[problem.line - 1].strip() if problem.line <= len(lines) else ""
    place = f"{name}:{problem.line}:{problem.column}: {problem.message}"
    return f"{place}\n    {shown[:200]}" if shown else place


def _drops_tests(change: ChangeSet) -> bool:
    """Whether a change takes test files away or moves them: then "no tests" is no excuse."""
    return any(_TEST_FILE.match(file.path.name) and (file.after is None or file.new_path) for file in change.files)
