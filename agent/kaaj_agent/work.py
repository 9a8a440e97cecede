"""One running task: what a loop may do. Loops decide, `Work` does, and tells the session."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from kaaj_agent import events as ev
from kaaj_agent.attaching import Attached
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
    Usage,
)
from kaaj_agent.prompt import sound, todo_edited, todo_given, todo_left
from kaaj_agent.prose import Prose
from kaaj_agent.request import StartRequest
from kaaj_agent.session import Session
from kaaj_agent.staging import Staging
from kaaj_agent.todo import Author, Evidence, Todo, TodoList
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal
from kaaj_agent.tools.fitting import misfit, sound_call
from kaaj_agent.tools.registry import SPECS, TOOLS
from kaaj_agent.workshop import Workshop

_log = logging.getLogger(__name__)

CANCELLED: Final = "Cancelled before it finished; nothing of it took effect."
CUT_OFF: Final = "[cut off]"
NO_TEXT: Final = "[no text]"


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
    attached: Attached = field(default_factory=Attached)
    """What the person handed along, as far as it could be read."""
    last_check: tuple[int, CheckResult] | None = None
    unchecked: bool = False
    """Whether a check should have run last time and could not."""
    _edits_heard: int = 0
    _activity: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    # --- telling ---------------------------------------------------------------------------------------------------

    @property
    def todo(self) -> TodoList:
        return self.session.tasks[self.task].todo

    def set_todo(self, todo: TodoList, by: Author = "harness") -> None:
        self.session.set_todo(self.task, todo, by)
        self._follow_todo()

    def notice(self, text: str, level: Literal["info", "warning", "error"] = "info") -> None:
        self.session.emit(ev.Noticed(self.task, level, text))

    def text(self, text: str) -> None:
        """Prose for the person that the harness itself wrote."""
        self.session.emit(ev.TextAdded(self.task, text))

    def tell(self, text: str) -> None:
        """A user's turn that the harness writes for the model, with what the user did to the list meanwhile."""
        self.session.say(Message("user", "\n\n".join(part for part in (text, self.hear_edits()) if part)))

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
        heard = self.hear_edits()
        if heard:
            self.session.say(Message("user", heard))
        reply = await self._stream(Request(tuple(self.session.messages), tools), remember=True)
        calls = tuple(map(sound_call, reply.calls)) if reply.finish != "length" else ()
        text = reply.text if calls or reply.text.strip() else CUT_OFF if reply.finish == "length" else NO_TEXT
        self.session.say(Message("assistant", text, calls))
        return replace(reply, calls=calls)

    async def ask_aside(self, request: Request, *, show: bool = False) -> Reply:
        """One request with a prompt of its own, which leaves the session's prompt alone."""
        return await self._stream(request, remember=False, show=show)

    async def _stream(self, request: Request, *, remember: bool, show: bool = True) -> Reply:
        self.limits.step()
        shown: list[str] = []
        reply: Reply | None = None
        prose = Prose(lambda text: self.session.emit(ev.TextAdded(self.task, sound(text))))
        until = asyncio.timeout(self.limits.left)
        try:
            async with until:
                async for item in self.model.stream(request):
                    match item:
                        case TextDelta(text=text):
                            shown.append(text)
                            if show:
                                prose.add(text)
                        case Restart():
                            shown.clear()
                            prose.drop()
                            if show:
                                self.session.emit(ev.TextAdded(self.task, "", reset=True))
                        case Reply():
                            reply = item
                        case _:
                            pass
        except TimeoutError:
            if until.expired():
                raise self.limits.too_long() from None
            raise
        except asyncio.CancelledError:
            if remember:
                self.session.say(Message("assistant", "".join(shown) + "\n[cancelled by the user]"))
            raise
        finally:
            prose.flush()
        if reply is None:
            raise KaajError("The model's stream ended without a reply.", kept="Nothing was changed by it.")
        self.spend(reply.usage)
        return replace(reply, text=sound(reply.text))

    def spend(self, usage: Usage) -> None:
        """Count tokens of this task, and tell."""
        self.limits.usage = self.limits.usage + usage
        used = usage.prompt + usage.completion if usage.requests == 1 else 0
        prices = self.limits.settings.prices
        cost = 0.0 if self.profile.embedded else prices.cost(self.limits.usage) if prices else None
        self.session.emit(ev.UsageAdded(self.task, self.limits.usage, used, self.profile.window, cost))

    # --- the user's edits of the list ------------------------------------------------------------------------------

    def hear_plan(self) -> str:
        """What the model has to hear of the list that the user gave the task to begin with; empty where it has none."""
        if not self.request.todo:
            return ""
        self._edits_heard = self.session.tasks[self.task].edits
        self._begin_first()
        return todo_given(self.todo)

    @property
    def left(self) -> tuple[Todo, ...]:
        """The user's items that are open, and for which nothing is staged and nothing was looked up."""
        served = {hunk.todo for file in self.staging.files for hunk in file.hunks}
        return tuple(
            item
            for item in self.todo.open
            if item.by == "user" and item.id not in served and not self.bench.notes.get(item.id)
        )

    def remind(self) -> None:
        """Tell the model which of the user's items are left, the first of which is begun."""
        left = self.left
        heard = self.hear_edits(first=left[0])
        self.set_todo(self.todo.start(left[0].id))
        self.tell("\n\n".join(part for part in (todo_left([item.title for item in left]), heard) if part))

    def _begin_first(self, first: Todo | None = None) -> None:
        """The order is the user's: the first open item is the one that is worked on, or the `first` that is left."""
        first = first or next(iter(self.todo.open), None)
        if first is not None and first.status != "running":
            self.set_todo(self.todo.start(first.id))

    def hear_edits(self, first: Todo | None = None) -> str:
        """What the model has to hear of the user's edits of the list, once; empty where there are none.

        What was staged for items that the user does not want any more is taken out.
        """
        state = self.session.tasks[self.task]
        if state.edits == self._edits_heard:
            return ""
        self._edits_heard = state.edits
        dropped = self.drop_unwanted()
        self._begin_first(first)
        self._follow_todo()
        return todo_edited(self.todo, dropped)

    def drop_unwanted(self) -> tuple[str, ...]:
        """Take out what is staged for items that the user skipped or removed; their titles."""
        unwanted = self._unwanted()
        hunks = [hunk for file in self.staging.files for hunk in file.hunks if hunk.todo in unwanted]
        if not hunks:
            return ()
        self.staging.drop([hunk.id for hunk in hunks])
        titles = tuple(unwanted[name] for name in dict.fromkeys(hunk.todo for hunk in hunks) if name is not None)
        self.notice(f"Taken out of the change, as you do not want it: {', '.join(titles)}.")
        self.show_draft()
        return titles

    def _unwanted(self) -> dict[str, str]:
        """The titles of the items that the user skipped or removed, by id."""
        state = self.session.tasks[self.task]
        skipped = [item for item in state.todo.items if item.status == "skipped"]
        removed = [item for item in state.removed if state.todo.get(item.id) is None]
        return {item.id: item.title for item in (*skipped, *removed)}

    def _follow_todo(self) -> None:
        """What is staged from now on serves the item that is running."""
        running = self.todo.running
        self.staging.todo = running.id if running else None

    # --- tools -----------------------------------------------------------------------------------------------------

    async def execute(self, calls: Sequence[ToolCall]) -> None:
        """Run calls in order; each gets its result in the prompt, also those that a cancellation kept from running."""
        answered = 0
        try:
            for call in calls:
                result, times = await self._execute(call)
                answered += 1
                heard = self.hear_edits() if answered == len(calls) else ""
                self._answer(call, f"{result.text}\n\n{heard}" if heard else result.text)
                self.limits.repeats(call.name, times)
        finally:
            for call in calls[answered:]:
                self._answer(call, CANCELLED)

    def _answer(self, call: ToolCall, text: str) -> None:
        self.session.say(Message("tool", text, call_id=call.id, name=call.name))

    async def _execute(self, call: ToolCall) -> tuple[ToolResult, int]:
        """The result, and how often this very call has had it."""
        tool = TOOLS.get(call.name)
        problem = self._problem(tool, call)
        title = tool.title(call.arguments) if tool and not problem else call.name
        self.session.emit(ev.ToolStarted(self.task, call.id, call.name, title, call.arguments))
        result, times = ToolResult(CANCELLED, "cancelled", ok=False), 0
        revision = self.staging.revision
        try:
            result = refusal(problem) if tool is None or problem else await self._result(tool, call)
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
        return result, times

    def _problem(self, tool: Tool | None, call: ToolCall) -> str:
        """Why a call cannot be executed, for the model; empty where it can."""
        if tool is None:
            return f"There is no tool `{call.name}`. The tools are: {', '.join(TOOLS)}."
        problem = call.error or misfit(tool.spec, call.arguments)
        if problem or tool.reads or call.name == "todo":
            return problem
        if self.bench.plan_only:
            return f"`{call.name}` is off: the user asked for a plan only. Nothing was changed."
        if (unwanted := self._unwanted().get(self.staging.todo or "")) is not None:
            return f"The user does not want `{unwanted}` any more; `{call.name}` was not executed."
        return ""

    async def _result(self, tool: Tool, call: ToolCall) -> ToolResult:
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
        self.unchecked = False
        try:
            result = await self.workshop.check(self.change())
        except SandboxError as error:
            self.notice(f"{error} The change is shown unchecked.", "warning")
            result = await self.workshop.parse(self.change())
            self.unchecked = True
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
