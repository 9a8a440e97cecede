"""One session: its events, the prompt that only grows, its to-do list and changes. The one owner of each.

Everything here is rebuilt from the log by `restore`. Nothing outside calls anything but these methods to change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kaaj_agent import events as ev
from kaaj_agent.changes import ChangeSet, Proposed
from kaaj_agent.ports import Clock, Message, Usage
from kaaj_agent.session_log import SessionLog
from kaaj_agent.todo import Author, TodoList


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


@dataclass(slots=True)
class Session:
    """Append with `emit` and `say`; read the projections.

    `feedback` is what the model is to hear of the person's decisions at the beginning of the next turn.
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
    _told_problem: bool = False

    def emit(self, body: ev.Body) -> None:
        """Append one event, log it, and tell every listener, in this order."""
        event = ev.Event(self.id, len(self.events) + 1, self.clock.now(), body)
        self._project(event)
        self.log.event(event)
        for listener in tuple(self.listeners):
            listener(event)
        if self.log.problem and not self._told_problem:
            self._told_problem = True
            self.emit(ev.Noticed(body.task, "warning", self.log.problem))

    def say(self, message: Message) -> None:
        """Append one message to the prompt."""
        self.messages.append(message)
        self.log.message(message)

    def set_todo(self, task: str, todo: TodoList, by: Author) -> None:
        """The list of a task has changed; nothing happens if it has not."""
        if todo != self.tasks[task].todo:
            self.emit(ev.TodoChanged(task, todo, by))

    @property
    def running(self) -> TaskState | None:
        return next((task for task in self.tasks.values() if task.status is None), None)

    def proposed(self) -> tuple[ChangeSet, ...]:
        return tuple(change for change in self.changes.values() if isinstance(change.state, Proposed))

    def restore(self, records: Iterable[ev.Event | Message]) -> None:
        for record in records:
            if isinstance(record, Message):
                self.messages.append(record)
            else:
                self._project(record)

    def _project(self, event: ev.Event) -> None:
        self.events.append(event)
        body = event.body
        if isinstance(body, ev.TaskStarted):
            self.tasks[body.task] = TaskState(body.task, body.prompt, body.mode, body.path, body.model)
            return
        task = self.tasks.get(body.task)
        if task is None:
            return
        match body:
            case ev.TodoChanged(todo=todo):
                task.todo = todo
            case ev.ChangeChanged(change=change):
                self.changes[change.id] = change
            case ev.UsageAdded(total=total, used=used, window=window):
                task.usage, task.used, task.window = total, used, window
            case ev.TaskFinished(status=status, summary=summary):
                task.status, task.summary = status, summary
            case _:
                pass
