"""One session: its events, the prompt that only grows, its to-do list and changes. The one owner of each.

Everything here is rebuilt from the log by `restore`. Nothing outside calls anything but these methods to change it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from kaaj_agent import events as ev
from kaaj_agent.attachments import Attachment
from kaaj_agent.changes import ChangeSet, Draft, Proposed
from kaaj_agent.outputs import Outputs
from kaaj_agent.ports import Clock, Message, NewPrefix, Usage
from kaaj_agent.prompt import decision_between, sound
from kaaj_agent.redaction import WITHHELD
from kaaj_agent.refusals import Refusal, refusals_between, taken_back_text
from kaaj_agent.session_log import Record, SessionLog
from kaaj_agent.todo import Author, Todo, TodoList
from kaaj_agent.tries import Tries
from kaaj_agent.world import Folders

PROSE_PIECE: Final = 4_096
"""Characters to which pieces of prose that stand side by side are joined in memory."""


@dataclass(slots=True)
class TaskState:
    """What is known of one task, by its events alone."""

    id: str
    prompt: str
    mode: ev.Mode
    path: Path | None = None
    model: str = ""
    todo: TodoList = TodoList()
    usage: Usage = Usage()
    used: int = 0
    window: int = 0
    status: ev.Ending | None = None
    summary: str = ""
    edits: int = 0
    """How often the user has edited the list."""
    context: tuple[Attachment, ...] = ()
    cost: float | None = None
    removed: tuple[Todo, ...] = ()
    """What the user took off the list, and did not put on it again."""


@dataclass(slots=True)
class Session:
    """Append with `emit` and `say`; read the projections.

    `feedback` is what the model is to hear of the person's decisions at the beginning of the next turn. `continued`
    is the proposal that a running task goes on from; nobody decides on it meanwhile. Drafts are kept without their
    files among `events`: only the newest one is of use, and that stands in `changes`. Prose is kept there in larger
    pieces than it came in, each under the number of its first. `findings` is what was noted at the last compaction,
    `measured` how many of the messages a server has counted, and how many tokens they are.
    """

    id: str
    created: float
    roots: tuple[Path, ...]
    log: SessionLog
    clock: Clock
    listeners: list[Callable[[ev.Event], None]]
    events: list[ev.Event] = field(default_factory=list[ev.Event])
    messages: list[Message] = field(default_factory=list[Message])
    tasks: dict[str, TaskState] = field(default_factory=dict[str, TaskState])
    changes: dict[str, ChangeSet] = field(default_factory=dict[str, ChangeSet])
    feedback: list[str] = field(default_factory=list[str])
    continued: str = ""
    findings: str = ""
    measured: tuple[int, int] = (0, 0)
    windows: dict[str, int] = field(default_factory=dict[str, int])
    """Tokens of a model's window where its endpoint turned out to have less than was told, by the model's name."""
    shown: dict[tuple[Path, int, int], str] = field(default_factory=dict[tuple[Path, int, int], str])
    """What stands in the prompt of files: (path, first line, last line) to the text's digest."""
    refused: list[Refusal] = field(default_factory=list[Refusal])
    """The hunks that the person refused or took back."""
    tries: Tries | None = None
    """What the last guided task tried, while this process lives."""
    in_part: set[Path] = field(default_factory=set[Path])
    """Places where a command did what could be staged in part at most, while this process lives."""
    _seq: int = 0
    _told_problem: bool = False
    _telling: bool = False
    _untold: deque[ev.Event] = field(default_factory=deque[ev.Event])

    def emit(self, body: ev.Body) -> None:
        """Append one event, log it, and tell every listener, in this order. Keys are taken out of it before.

        What a listener emits is told after the event that it was told of.
        """
        if isinstance(body, ev.ChangeChanged):  # its texts are what is written: they stay
            body = replace(body, change=replace(body.change, summary=WITHHELD.text(body.change.summary)))
        else:
            body = WITHHELD.value(body)
        event = ev.Event(self.id, self.seq + 1, self.clock.now(), body)
        self._project(event)
        self.log.event(event)
        self._untold.append(event)
        if not self._telling:
            self._tell()
        if self.log.problem and not self._told_problem:
            self._told_problem = True
            self.emit(ev.Noticed(body.task, "warning", self.log.problem))

    def _tell(self) -> None:
        self._telling = True
        try:
            while self._untold:
                event = self._untold.popleft()
                for listener in tuple(self.listeners):
                    listener(event)
        finally:
            self._telling = False

    def say(self, message: Message) -> None:
        """Append one message to the prompt, without the keys that it holds."""
        message = WITHHELD.value(replace(message, content=sound(message.content)))
        self.messages.append(message)
        self.log.message(message)

    def restart(self, prefix: NewPrefix) -> None:
        """The prompt begins anew. What was said before stays in the log."""
        self._begin(prefix)
        self.log.prefix(prefix)

    def _begin(self, prefix: NewPrefix) -> None:
        self.messages[:] = prefix.messages
        self.findings = prefix.findings
        self.measured = (0, 0)
        self.shown.clear()

    def measure(self, tokens: int) -> None:
        """The prompt as it stands now takes that many tokens, by the server's own count; 0 says nothing."""
        if tokens > 0:
            self.measured = (len(self.messages), tokens)

    @property
    def outputs(self) -> Outputs:
        """What commands printed."""
        return Outputs(self.log.outputs)

    def close_turn(self, why: str) -> None:
        """The assistant has the last word of a turn, also where the model did not come to it: templates ask for it."""
        if self.messages and self.messages[-1].role in ("user", "tool"):
            self.say(Message("assistant", f"[{why}]"))

    def set_todo(self, task: str, todo: TodoList, by: Author) -> None:
        """The list of a task has changed; nothing happens if it has not."""
        if todo != self.tasks[task].todo:
            self.emit(ev.TodoChanged(task, todo, by))

    @property
    def seq(self) -> int:
        """The number of the last event; 0 before the first."""
        return self._seq

    @property
    def running(self) -> TaskState | None:
        return next((task for task in self.tasks.values() if task.status is None), None)

    def proposed(self) -> tuple[ChangeSet, ...]:
        return tuple(change for change in self.changes.values() if isinstance(change.state, Proposed))

    def restore(self, records: Iterable[Record]) -> None:
        """Replay a log. What the model has not heard yet of the person's decisions is worked out again."""
        for record in records:
            if isinstance(record, Message):
                self.messages.append(record)
                if record.role == "user":
                    self.feedback.clear()
            elif isinstance(record, NewPrefix):
                self._begin(record)
            else:
                before = self.changes.get(record.body.change.id) if isinstance(record.body, ev.ChangeChanged) else None
                self._project(record)
                if before is not None:
                    now, folders = self.changes[before.id], Folders(self.roots)
                    told = decision_between(before, now, folders) or taken_back_text(before, now, folders)
                    self.feedback += [told] if told else []

    def _project(self, event: ev.Event) -> None:
        body = event.body
        self._seq = event.seq
        if isinstance(body, ev.TextAdded) and self._joins(body):
            return
        if isinstance(body, ev.ToolProgressed):
            self._forget_note(body)
        if isinstance(body, ev.ChangeChanged) and isinstance(body.change.state, Draft):
            self.events.append(replace(event, body=replace(body, change=replace(body.change, files=()))))
        else:
            self.events.append(event)
        if isinstance(body, ev.TaskStarted):
            self.tasks[body.task] = TaskState(
                body.task, body.prompt, body.mode, body.path, body.model, context=body.context
            )
            return
        task = self.tasks.get(body.task)
        if task is None:
            return
        match body:
            case ev.TodoChanged(todo=todo, by=by):
                if by == "user":
                    gone = [item for item in (*task.removed, *task.todo.items) if todo.get(item.id) is None]
                    task.removed = tuple(item for item in gone if not todo.titled(item.title))
                    task.edits += 1
                task.todo = todo
            case ev.ChangeChanged(change=change):
                self.refused += refusals_between(self.changes.get(change.id), change)
                self.changes[change.id] = change
            case ev.UsageAdded(total=total, used=used, window=window, cost=cost):
                task.usage, task.used, task.window, task.cost = total, used, window, cost
            case ev.TaskFinished(status=status, summary=summary):
                task.status, task.summary = status, summary
            case _:
                pass

    def _forget_note(self, body: ev.ToolProgressed) -> None:
        """Only the newest note of a call is of use."""
        before = self.events[-1].body if self.events else None
        if isinstance(before, ev.ToolProgressed) and (before.task, before.call) == (body.task, body.call):
            self.events.pop()

    def _joins(self, body: ev.TextAdded) -> bool:
        """Put a piece of prose to the one before it, so that a reply of thousands of pieces is a few in memory."""
        last = self.events[-1] if self.events else None
        before = last.body if last is not None else None
        if last is None or not isinstance(before, ev.TextAdded) or before.task != body.task or body.reset:
            return False
        if len(before.text) + len(body.text) > PROSE_PIECE:
            return False
        self.events[-1] = replace(last, body=replace(before, text=before.text + body.text))
        return True
