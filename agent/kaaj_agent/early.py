"""Edits staged while the reply that makes them still streams, so that the preview grows with it.

Nothing of this is execution: only the draft moves, and it moves back. What was staged so stays only if the reply ends
whole and its calls, as they are read at its end, begin with the very calls that were staged; else the staging area is
put back to what it was before the reply, and the calls of a whole reply are executed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kaaj_agent.changes import FileChange
from kaaj_agent.failures import BadRequestError, FileError, SandboxError
from kaaj_agent.ports import ToolCall
from kaaj_agent.reporting import Reporting
from kaaj_agent.tools.bench import Bench, ToolResult, refusal
from kaaj_agent.tools.fitting import sound_call
from kaaj_agent.tools.registry import TOOLS


@dataclass(frozen=True, slots=True)
class Staged:
    """What came of an edit, and what was staged before it."""

    result: ToolResult
    before: tuple[FileChange, ...]


@dataclass(slots=True)
class Early:
    """Owned by one task; hears of one reply at a time.

    `problem` says why a call must not be executed now; empty where it may.
    """

    report: Reporting
    bench: Bench
    problem: Callable[[ToolCall], str]
    _calls: list[ToolCall] = field(default_factory=list[ToolCall])
    _staged: list[Staged] = field(default_factory=list[Staged])
    _before: tuple[FileChange, ...] | None = None
    _stopped: bool = False

    async def ready(self, call: ToolCall) -> None:
        """Stage an edit. From the first call on that does anything else the rest waits for the reply's end."""
        call = sound_call(call)
        tool = TOOLS.get(call.name)
        if self._stopped or tool is None or not tool.stages or self.problem(call):
            self._stopped = True
            return
        if await self.bench.waits(str(call.arguments.get("path", ""))):
            self._stopped = True  # the person is asked once it is known that the reply counts
            return
        staging = self.report.staging
        before = staging.files
        if self._before is None:
            self._before = before
        revision = staging.revision
        try:
            result = await tool.run(self.bench, call.arguments)
        except (FileError, BadRequestError, SandboxError) as error:
            result = refusal(str(error))
        self._calls.append(call)
        self._staged.append(Staged(result, before))
        if staging.revision != revision:
            self.report.show_draft()

    def void(self) -> None:
        """The reply counts for nothing: the staging area is as it was before it."""
        before = self._before
        self._forget()
        if before is not None:
            self.back_to(before)

    def back_to(self, before: tuple[FileChange, ...]) -> None:
        """Put the staging area back, and show it."""
        if self.report.staging.files != before:
            self.report.staging.load(before)
            self.report.show_draft()

    def take(self, calls: Sequence[ToolCall]) -> list[Staged]:
        """What came of the first of these calls, if they are staged: those of the reply, which has ended whole."""
        known = [(call.name, call.arguments, call.error) for call in self._calls]
        same = known == [(call.name, call.arguments, call.error) for call in calls[: len(known)]]
        if not same or any(self.problem(call) for call in calls[: len(known)]):
            self.void()
            return []
        staged = self._staged
        self._forget()
        return staged

    def _forget(self) -> None:
        self._calls, self._staged, self._before, self._stopped = [], [], None, False
