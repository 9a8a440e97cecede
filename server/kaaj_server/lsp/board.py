"""What lenses, code actions, papers and commands look at: tasks and changes as the events tell them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kaaj_agent import events as ev
from kaaj_agent.agent import SessionOverview
from kaaj_agent.changes import Applied, ChangeSet, Proposed
from kaaj_agent.todo import TodoList


@dataclass(slots=True)
class TaskView:
    """One task. `running` ends with the task, or while its proposal waits for the person."""

    id: str
    session: str
    prompt: str
    mode: ev.Mode
    path: Path | None
    todo: TodoList = TodoList()
    running: bool = True
    ended: bool = False


class Board:
    """A projection of all events, newest last; nothing but events changes it."""

    def __init__(self) -> None:
        self.tasks: dict[str, TaskView] = {}
        self.changes: dict[str, ChangeSet] = {}
        self.session: str | None = None

    def seed(self, sessions: Sequence[SessionOverview]) -> None:
        """Sessions of an earlier process, oldest first. What is known already is newer and stays."""
        for session in sessions:
            for task in session.tasks:
                ended = task.status is not None
                view = TaskView(task.id, session.id, task.prompt, task.mode, task.path, task.todo, not ended, ended)
                self.tasks.setdefault(task.id, view)
            for change in session.changes:
                self.changes.setdefault(change.id, change)
                if isinstance(change.state, Proposed) and change.task in self.tasks:
                    self.tasks[change.task].running = False
        if self.session is None and sessions:
            self.session = max(sessions, key=lambda one: one.events[-1].time if one.events else one.created).id

    def heard(self, event: ev.Event) -> None:
        body = event.body
        self.session = event.session
        if isinstance(body, ev.TaskStarted):
            self.tasks[body.task] = TaskView(body.task, event.session, body.prompt, body.mode, body.path)
            return
        task = self.tasks.get(body.task)
        match body:
            case ev.ChangeChanged(change=change):
                self.changes.pop(change.id, None)
                self.changes[change.id] = change
                if task is not None and isinstance(change.state, Proposed):
                    task.running = False
            case ev.TodoChanged(todo=todo) if task is not None:
                task.todo = todo
            case ev.TaskFinished() if task is not None:
                task.running, task.ended = False, True
            case _:
                pass

    def forget(self, session: str) -> None:
        """A session was deleted."""
        gone = {task.id for task in self.tasks.values() if task.session == session}
        self.tasks = {name: task for name, task in self.tasks.items() if name not in gone}
        self.changes = {name: change for name, change in self.changes.items() if change.task not in gone}
        if self.session == session:
            self.session = next((task.session for task in reversed(self.tasks.values())), None)

    def proposed(self, path: Path | None = None) -> list[ChangeSet]:
        """The changes that wait for a decision, newest first; those that touch `path`, if it is given."""
        return [one for one in self._newest(path) if isinstance(one.state, Proposed)]

    def applied(self, path: Path | None = None) -> list[ChangeSet]:
        """The changes in the user's files that can perhaps be undone, newest first."""
        return [one for one in self._newest(path) if isinstance(one.state, Applied)]

    def running(self, path: Path | None = None) -> list[TaskView]:
        """The tasks at work, newest first; those started from `path`, if it is given."""
        return [task for task in reversed(self.tasks.values()) if task.running and path in (None, task.path)]

    def latest_task(self) -> TaskView | None:
        return next(reversed(self.tasks.values()), None)

    def latest_change(self) -> ChangeSet | None:
        return next(reversed(self.changes.values()), None)

    def _newest(self, path: Path | None) -> list[ChangeSet]:
        return [
            change
            for change in reversed(self.changes.values())
            if path is None or any(path in (file.path, file.target) for file in change.files)
        ]


def counted(change: ChangeSet) -> str:
    """`3 hunks in 2 files`, for titles."""
    hunks, files = len(change.hunks), len(change.files)
    return f"{hunks} hunk{'s' * (hunks != 1)} in {files} file{'s' * (files != 1)}"
