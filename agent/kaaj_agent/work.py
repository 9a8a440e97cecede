"""One running task: what a loop may do. Loops decide, `Work` does, and tells the session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from kaaj_agent import compacting
from kaaj_agent.asking import Asking
from kaaj_agent.attaching import Attached
from kaaj_agent.changes import CheckResult
from kaaj_agent.executing import Executing
from kaaj_agent.exploring import Exploring
from kaaj_agent.failures import ContextTooLongError, SandboxError
from kaaj_agent.limits import Limits
from kaaj_agent.list_edits import ListEdits
from kaaj_agent.ports import (
    CommandResult,
    Message,
    Model,
    Profile,
    Reply,
    Request,
    Scorer,
    ToolCall,
    ToolSpec,
    Usage,
)
from kaaj_agent.prompt import todo_left
from kaaj_agent.reporting import Reporting
from kaaj_agent.request import StartRequest
from kaaj_agent.todo import Evidence, Todo
from kaaj_agent.tools.bench import Bench
from kaaj_agent.tools.fitting import sound_call
from kaaj_agent.tools.registry import SPECS
from kaaj_agent.workshop import Workshop

CUT_OFF: Final = "[cut off]"
NO_TEXT: Final = "[no text]"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a loop ended. `summary` is for the person. What is staged is proposed whatever the status, if `keep`."""

    status: Literal["done", "stopped"]
    summary: str
    keep: bool = True


@dataclass(slots=True)
class Work(Reporting):
    """The loop's hands. `session` is told everything; `staging` holds what is changed so far.

    `lend` gives the embedded model token by token, also beside another one; None where there is none. `opening` is
    the turn that began the task, `rules` the rules that hold for it: both outlive a compaction word for word.
    `announcements` say what else there is to be read and used.
    """

    request: StartRequest
    model: Model
    profile: Profile
    workshop: Workshop
    bench: Bench
    limits: Limits
    lend: Callable[[], Awaitable[Scorer | None]]
    attached: Attached = field(default_factory=Attached)
    """What the person handed along, as far as it could be read."""
    last_check: tuple[int, CheckResult] | None = None
    unchecked: bool = False
    """Whether a check should have run last time and could not."""
    opening: str = ""
    rules: str = ""
    announcements: tuple[str, ...] = ()
    asking: Asking = field(init=False)
    edits: ListEdits = field(init=False)
    executing: Executing = field(init=False)
    exploring: Exploring = field(init=False)

    def __post_init__(self) -> None:
        self.asking = Asking(self.session, self.task, self.model, self.profile, self.limits)
        self.edits = ListEdits(self, self.request, self.bench)
        self.executing = Executing(self, self.bench, self.limits, self.edits)
        self.exploring = Exploring(self, self.asking, self.bench)

    # --- the model -------------------------------------------------------------------------------------------------

    def open_turn(self, text: str) -> None:
        """The user's turn that begins the task."""
        self.opening = text
        self.tell(text)

    def tell(self, text: str) -> None:
        """A user's turn that the harness writes for the model, with what the user did to the list meanwhile."""
        self.session.say(Message("user", "\n\n".join(part for part in (text, self.edits.hear()) if part)))

    async def ask(self, tools: Sequence[ToolSpec] = SPECS) -> Reply:
        """One request with the session's whole prompt; the reply is appended to it. Raises ModelError, LimitReached.

        A reply that was cut keeps its prose and loses its calls. A prompt that outgrows the window is condensed.
        """
        heard = self.edits.hear()
        if heard:
            self.session.say(Message("user", heard))
        if compacting.due(self, tools):
            await compacting.compact(self, tools)
        early = self.executing.early
        try:
            reply = await self.asking.stream(self._whole(tools), remember=True, watcher=early)
        except ContextTooLongError as error:
            if not await compacting.compact(self, tools, too_long=error):
                raise
            reply = await self.asking.stream(self._whole(tools), remember=True, watcher=early)
        cut = reply.finish == "length"
        calls = () if cut else tuple(map(sound_call, reply.calls))
        if not calls:
            early.void()
        text = reply.text if calls or reply.text.strip() else CUT_OFF if cut else NO_TEXT
        self.session.say(Message("assistant", text, calls))
        self.session.measure(reply.usage.prompt + reply.usage.completion)
        return replace(reply, calls=calls)

    async def ask_aside(self, request: Request, *, show: bool = False) -> Reply:
        """One request with a prompt of its own, which leaves the session's prompt alone."""
        return await self.asking.stream(request, remember=False, show=show)

    def spend(self, usage: Usage) -> None:
        """Count tokens of this task, and tell."""
        self.asking.spend(usage)

    def _whole(self, tools: Sequence[ToolSpec]) -> Request:
        room = self.asking.reply_room
        return Request(tuple(self.session.messages), tools, max_tokens=room if room < self.profile.max_tokens else None)

    # --- the user's list -------------------------------------------------------------------------------------------

    def hear_plan(self) -> str:
        """What the model has to hear of the list that the user gave the task to begin with; empty where it has none."""
        return self.edits.hear_plan()

    @property
    def left(self) -> tuple[Todo, ...]:
        """The user's items that are open, and for which nothing is staged and nothing was looked up."""
        return self.edits.left

    def remind(self) -> None:
        """Tell the model which of the user's items are left, the first of which is begun."""
        left = self.left
        heard = self.edits.hear(first=left[0])
        self.set_todo(self.todo.start(left[0].id))
        self.tell("\n\n".join(part for part in (todo_left([item.title for item in left]), heard) if part))

    def drop_unwanted(self) -> tuple[str, ...]:
        """Take out what is staged for items that the user skipped or removed; their titles."""
        return self.edits.drop_unwanted()

    # --- tools -----------------------------------------------------------------------------------------------------

    async def execute(self, calls: Sequence[ToolCall]) -> None:
        """Run calls; each gets its result in the prompt. Raises LimitReachedError."""
        await self.executing.execute(calls)

    async def command(self, command: str) -> tuple[CommandResult, tuple[str, ...]] | str:
        """For the `run` tool: in the shadow, with what the command changed staged. A refusal is a sentence."""
        return await self.workshop.command(command, self.staging)

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
