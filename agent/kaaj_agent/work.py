"""One running task: what a loop may do. Loops decide, `Work` does, and tells the session."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from kaaj_agent import events as ev
from kaaj_agent.changes import ChangeSet, CheckResult, Draft
from kaaj_agent.failures import BadRequestError, FileError, KaajError, SandboxError
from kaaj_agent.limits import REPEATS_TOLD, Limits
from kaaj_agent.ports import (
    CommandResult,
    Message,
    Model,
    Profile,
    Reply,
    Request,
    Restart,
    Scorer,
    TextDelta,
    ToolCall,
    ToolSpec,
)
from kaaj_agent.request import StartRequest
from kaaj_agent.session import Session
from kaaj_agent.staging import Staging
from kaaj_agent.todo import Author, Evidence, TodoList
from kaaj_agent.tools.bench import Bench, ToolResult, refusal
from kaaj_agent.tools.registry import SPECS, TOOLS
from kaaj_agent.workshop import Workshop

_log = logging.getLogger(__name__)

CANCELLED = "Cancelled before it finished; nothing of it took effect."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a loop ended. `summary` is for the person. What is staged is proposed whatever the status, if `keep`."""

    status: Literal["done", "stopped"]
    summary: str
    keep: bool = True


@dataclass(slots=True)
class Activity:
    """What is being done by the harness; `summary` is one line for people, set before it ends."""

    summary: str = ""
    ok: bool = True


@dataclass(slots=True)
class Work:
    """The loop's hands. `session` is told everything; `staging` holds what is changed so far.

    `scorer` is the embedded model token by token, where the model is the embedded one.
    """

    session: Session
    task: str
    change_id: str
    request: StartRequest
    model: Model
    profile: Profile
    staging: Staging
    workshop: Workshop
    bench: Bench
    limits: Limits
    scorer: Scorer | None = None
    last_check: tuple[int, CheckResult] | None = None
    _shown_todo: TodoList = TodoList()
    _activity: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    # --- telling ---------------------------------------------------------------------------------------------------

    @property
    def todo(self) -> TodoList:
        return self.session.tasks[self.task].todo

    def set_todo(self, todo: TodoList, by: Author = "harness") -> None:
        self.session.set_todo(self.task, todo, by)
        running = todo.running
        self.staging.todo = running.id if running else None
        if by != "user":
            self._shown_todo = todo

    def notice(self, text: str, level: Literal["info", "warning", "error"] = "info") -> None:
        self.session.emit(ev.Noticed(self.task, level, text))

    def text(self, text: str) -> None:
        """Prose for the person that the harness itself wrote."""
        self.session.emit(ev.TextAdded(self.task, text))

    @contextmanager
    def activity(self, tool: str, title: str) -> Generator[Activity]:
        """What the harness itself does, shown as a tool's work is: one line that ends with what came of it."""
        call = "own_" + secrets.token_hex(4)
        self.session.emit(ev.ToolStarted(self.task, call, tool, title, {}))
        activity = Activity()
        try:
            yield activity
        except BaseException:
            activity.ok = False
            raise
        finally:
            self.session.emit(ev.ToolFinished(self.task, call, activity.ok, activity.summary))

    def change(self, summary: str = "") -> ChangeSet:
        return self.staging.change(self.change_id, self.task, summary)

    def show_draft(self) -> None:
        self.session.emit(ev.ChangeChanged(self.task, self.change().to(Draft())))

    # --- the model -------------------------------------------------------------------------------------------------

    async def ask(self, tools: Sequence[ToolSpec] = SPECS) -> Reply:
        """One request with the session's whole prompt; the reply is appended to it. Raises ModelError, LimitReached.

        A reply that was cut keeps its prose and loses its calls.
        """
        self._tell_todo_edits()
        reply = await self._stream(Request(tuple(self.session.messages), tools), remember=True)
        calls = reply.calls if reply.finish != "length" else ()
        self.session.say(Message("assistant", reply.text, calls))
        return replace(reply, calls=calls)

    async def ask_aside(self, request: Request, *, show: bool = False) -> Reply:
        """One request with a prompt of its own, which leaves the session's prompt alone."""
        return await self._stream(request, remember=False, show=show)

    async def _stream(self, request: Request, *, remember: bool, show: bool = True) -> Reply:
        self.limits.step()
        shown: list[str] = []
        reply: Reply | None = None
        try:
            async for item in self.model.stream(request):
                match item:
                    case TextDelta(text=text):
                        shown.append(text)
                        if show:
                            self.session.emit(ev.TextAdded(self.task, text))
                    case Restart():
                        shown.clear()
                        if show:
                            self.session.emit(ev.TextAdded(self.task, "", reset=True))
                    case Reply():
                        reply = item
                    case _:
                        pass
        except asyncio.CancelledError:
            if remember:
                self.session.say(Message("assistant", "".join(shown) + "\n[cancelled by the user]"))
            raise
        if reply is None:
            raise KaajError("The model's stream ended without a reply.", kept="Nothing was changed by it.")
        self.count(reply)
        return reply

    def count(self, reply: Reply) -> None:
        used = reply.usage.prompt + reply.usage.completion
        self.limits.usage = self.limits.usage + reply.usage
        self.session.emit(ev.UsageAdded(self.task, self.limits.usage, used, self.profile.window))

    def _tell_todo_edits(self) -> None:
        """The prompt hears of the user's edits of the list, once, before the next request."""
        if self.todo != self._shown_todo:
            from kaaj_agent.prompt import todo_edited  # noqa: PLC0415 - only then

            self.session.say(Message("user", todo_edited(self.todo)))
            self._shown_todo = self.todo

    # --- tools -----------------------------------------------------------------------------------------------------

    async def execute(self, calls: Sequence[ToolCall]) -> None:
        """Run calls in order; each gets its result in the prompt, also those that a cancellation kept from running."""
        answered = 0
        try:
            for call in calls:
                result = await self._execute(call)
                self._answer(call, result.text)
                answered += 1
        finally:
            for call in calls[answered:]:
                self._answer(call, CANCELLED)

    def _answer(self, call: ToolCall, text: str) -> None:
        self.session.say(Message("tool", text, call_id=call.id, name=call.name))

    async def _execute(self, call: ToolCall) -> ToolResult:
        tool = TOOLS.get(call.name)
        title = tool.title(call.arguments) if tool else call.name
        self.session.emit(ev.ToolStarted(self.task, call.id, call.name, title, call.arguments))
        result = ToolResult(CANCELLED, "cancelled", ok=False)
        revision = self.staging.revision
        try:
            result = await self._result(call)
            times = self.limits.repeated(call, result.text)
            if times >= REPEATS_TOLD:
                again = f"[You made this very call {times} times with this very result. Do otherwise.]"
                result = replace(result, text=f"{result.text}\n{again}")
        finally:
            self.session.emit(ev.ToolFinished(self.task, call.id, result.ok, result.summary))
        if result.ok:
            self._note(title)
        if self.staging.revision != revision:
            self.show_draft()
        return result

    async def _result(self, call: ToolCall) -> ToolResult:
        tool = TOOLS.get(call.name)
        if tool is None:
            return refusal(f"There is no tool `{call.name}`. The tools are: {', '.join(TOOLS)}.")
        if call.error:
            return refusal(call.error)
        problem = _misfit(tool.spec, call.arguments)
        if problem:
            return refusal(problem)
        if self.bench.plan_only and not tool.reads and call.name != "todo":
            return refusal(f"`{call.name}` is off: the user asked for a plan only. Nothing was changed.")
        try:
            return await tool.run(self.bench, call.arguments)
        except (FileError, BadRequestError, SandboxError) as error:
            return refusal(str(error))

    def _note(self, title: str) -> None:
        running = self.todo.running
        if running is not None and title not in (seen := self._activity.setdefault(running.id, [])):
            seen.append(title)
            self.bench.notes[running.id] = "; ".join(seen[:6])

    # --- checking --------------------------------------------------------------------------------------------------

    async def check(self) -> CheckResult:
        """The staged change, parsed and checked in the shadow; not again while nothing has changed since."""
        if self.last_check is not None and self.last_check[0] == self.staging.revision:
            return self.last_check[1]
        revision = self.staging.revision
        try:
            result = await self.workshop.check(self.change())
        except SandboxError as error:
            self.notice(f"{error} The change is shown unchecked.", "warning")
            result = CheckResult("none")
        self.last_check = (revision, result)
        return result

    def settle(self, check: CheckResult) -> None:
        """The to-do list follows the evidence: what is staged and checked is done, what failed its check is not."""
        todo = self.todo
        serving: dict[str, tuple[str, ...]] = {}
        for file in self.staging.files:
            for hunk in file.hunks:
                if hunk.todo:
                    serving[hunk.todo] = (*serving.get(hunk.todo, ()), hunk.id)
        passed = check.command if check.status == "passed" else "parses" if check.parsed else ""
        for item in todo.items:
            if item.status in ("skipped", "failed"):
                continue
            hunks = serving.get(item.id, ())
            if hunks and check.ok:
                todo = todo.mark(item.id, "done", Evidence(hunks, passed, self.bench.notes.get(item.id, "")))
            elif hunks and item.status == "done":
                todo = todo.mark(item.id, "pending", Evidence())
            elif item.status == "running" and check.ok and self.bench.notes.get(item.id):
                todo = todo.mark(item.id, "done", Evidence((), passed, self.bench.notes[item.id]))
            elif item.status == "running":
                todo = todo.mark(item.id, "pending")
        self.set_todo(todo)

    async def command(self, command: str) -> tuple[CommandResult, tuple[str, ...]] | str:
        """For the `run` tool: in the shadow, with what the command changed staged. A refusal is a sentence."""
        return await self.workshop.command(command, self.staging)


def _misfit(spec: ToolSpec, arguments: Mapping[str, Any]) -> str:
    """What is wrong with the arguments of a call, for the model; empty where nothing is."""
    names: Mapping[str, Any] = spec.parameters["properties"]
    missing = [name for name in spec.parameters["required"] if name not in arguments]
    if missing:
        return f"`{spec.name}` needs {', '.join(missing)}; nothing was done."
    unknown = [name for name in arguments if name not in names]
    if unknown:
        return f"`{spec.name}` has no {', '.join(unknown)}; it takes {', '.join(names)}. Nothing was done."
    for name, value in arguments.items():
        kind: str = names[name]["type"]
        if value is None and name not in spec.parameters["required"]:
            continue
        if not _fits(kind, value):
            return f"`{spec.name}`: {name} must be a{'n' if kind[0] in 'aio' else ''} {kind}. Nothing was done."
        if kind == "array":
            inner = names[name]["items"]
            for item in cast("Sequence[Any]", value):
                if not isinstance(item, Mapping) or any(key not in item for key in inner["required"][:1]):
                    return f"`{spec.name}`: each of {name} needs {', '.join(inner['required'])}. Nothing was done."
    return ""


def _fits(kind: str, value: object) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list | tuple)
        case _:
            return True
