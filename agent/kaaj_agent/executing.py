"""A reply's calls, executed: each gets its result in the prompt, in order, whatever happens on the way.

Calls that only read and stand side by side run at the same time. Edits that were staged while the reply still
streamed (`early`) are taken as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

from kaaj_agent import events as ev
from kaaj_agent.changes import FileChange
from kaaj_agent.early import Early, Staged
from kaaj_agent.failures import BadRequestError, FileError, SandboxError
from kaaj_agent.limits import REPEATS_TOLD, Limits
from kaaj_agent.list_edits import ListEdits
from kaaj_agent.ports import Message, ToolCall
from kaaj_agent.reporting import Reporting
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal
from kaaj_agent.tools.fitting import misfit
from kaaj_agent.tools.registry import TOOLS

CANCELLED: Final = "Cancelled before it finished; nothing of it took effect."
AT_ONCE: Final = 4
"""Reading calls that run at the same time."""


@dataclass(slots=True)
class Executing:
    """One task's hands."""

    report: Reporting
    bench: Bench
    limits: Limits
    edits: ListEdits
    early: Early = field(init=False)
    _activity: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def __post_init__(self) -> None:
        self.early = Early(self.report, self.bench, self.problem)

    async def execute(self, calls: Sequence[ToolCall]) -> None:
        """Run calls; each gets its result in the prompt, also those that a cancellation kept from running.

        Raises LimitReachedError where one was made too often with the same result, or nothing comes of them any more.
        """
        staged = self.early.take(calls)
        results: dict[int, tuple[ToolResult, int]] = {}
        answered = 0
        try:
            for side_by_side, group in groupby(enumerate(calls), key=lambda one: self._reads(one[1])):
                batch = list(group)
                if side_by_side and len(batch) > 1:
                    await self._together(batch, results)
                for at, call in batch:
                    if at not in results:
                        results[at] = await self._execute(call, staged[at] if at < len(staged) else None)
                    result, times = results[at]
                    answered += 1
                    told: list[str] = []
                    if answered == len(calls):
                        told = [self.limits.replied(ok=any(r.ok for r, _ in results.values())), self.edits.hear()]
                    self._answer(call, "\n\n".join(filter(None, [result.text, *told])))
                    self.limits.repeats(call.name, times)
            self.limits.futile()
        finally:
            if answered < len(calls):
                self.bench.shown.clear()  # what was read is perhaps not in the prompt
            if answered < len(staged):
                self.early.back_to(staged[answered].before)
            for at, call in enumerate(calls[answered:], answered):
                self._answer(call, results[at][0].text if at in results else CANCELLED)

    async def _together(
        self, batch: Sequence[tuple[int, ToolCall]], results: dict[int, tuple[ToolResult, int]]
    ) -> None:
        """Run calls that only read at the same time. One that fails ends the others, as it would have kept them."""
        free = asyncio.Semaphore(AT_ONCE)

        async def one(at: int, call: ToolCall) -> None:
            async with free:
                results[at] = await self._execute(call)

        tasks = [asyncio.create_task(one(at, call), name=call.name) for at, call in batch]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _reads(self, call: ToolCall) -> bool:
        tool = TOOLS.get(call.name)
        return tool is not None and tool.reads

    def _answer(self, call: ToolCall, text: str) -> None:
        self.report.session.say(Message("tool", text, call_id=call.id, name=call.name))

    async def _execute(self, call: ToolCall, staged: Staged | None = None) -> tuple[ToolResult, int]:
        """The result, and how often this very call has had it. `staged`: what came of it while the reply streamed."""
        tool = TOOLS.get(call.name)
        problem = "" if staged else self.problem(call)
        title = tool.title(call.arguments) if tool and not problem else call.name
        session, task, staging = self.report.session, self.report.task, self.report.staging
        session.emit(ev.ToolStarted(task, call.id, call.name, title, call.arguments))
        result, times = ToolResult(CANCELLED, "cancelled", ok=False), 0
        revision = staging.revision
        before = _fingerprint(staged.before if staged else staging.files)
        try:
            if staged is not None:
                result = staged.result
            else:
                result = refusal(problem) if tool is None or problem else await self._result(tool, call)
            times = self.limits.repeated(call, result.same, before)
            if times >= REPEATS_TOLD:
                again = f"[You made this very call {times} times with this very result. Do otherwise.]"
                result = replace(result, text=f"{result.text}\n{again}")
        finally:
            session.emit(ev.ToolFinished(task, call.id, result.ok, result.summary))
        if result.ok and call.name != "todo":  # that a list was written is no evidence for an item of it
            self._note(title)
        if staging.revision != revision:
            self.report.show_draft()
        return result, times

    def problem(self, call: ToolCall) -> str:
        """Why a call cannot be executed, for the model; empty where it can."""
        tool = TOOLS.get(call.name)
        if tool is None:
            return f"There is no tool `{call.name}`. The tools are: {', '.join(TOOLS)}."
        problem = call.error or misfit(tool.spec, call.arguments)
        if problem or tool.reads or call.name == "todo":
            return problem
        if self.bench.plan_only:
            return f"`{call.name}` is off: the user asked for a plan only. Nothing was changed."
        if (unwanted := self.edits.unwanted().get(self.report.staging.todo or "")) is not None:
            return f"The user does not want `{unwanted}` any more; `{call.name}` was not executed."
        return ""

    async def _result(self, tool: Tool, call: ToolCall) -> ToolResult:
        try:
            return await tool.run(self.bench, call.arguments)
        except (FileError, BadRequestError, SandboxError) as error:
            return refusal(str(error))

    def _note(self, title: str) -> None:
        running = self.report.todo.running
        if running is not None and title not in (seen := self._activity.setdefault(running.id, [])):
            seen.append(title)
            self.bench.notes[running.id] = "; ".join(seen[:6])


def _fingerprint(files: Sequence[FileChange]) -> int:
    """Tells states of the staging area apart, within this process: the same call on another state is no repetition."""
    return hash(tuple((file.path, file.new_path, file.after) for file in files))
