"""What a task tells its session: notices, prose, its list, its draft, and what the harness itself is doing."""

from __future__ import annotations

import math
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from kaaj_agent import events as ev
from kaaj_agent.changes import ChangeSet, Draft
from kaaj_agent.session import Session
from kaaj_agent.staging import Staging
from kaaj_agent.todo import Author, TodoList

NOTE_SECONDS: Final = 0.5
"""The least time between two notes of one activity: nobody reads faster, and each is an event."""


@dataclass(slots=True)
class Activity:
    """What is being done by the harness; `summary` is one line for people, set before it ends."""

    session: Session
    task: str
    call: str
    summary: str = ""
    ok: bool = True
    _noted: float = -math.inf

    def note(self, text: str) -> None:
        """Say what it is just at, if the last time is long enough ago."""
        now = self.session.clock.monotonic()
        if now - self._noted >= NOTE_SECONDS:
            self._noted = now
            self.session.emit(ev.ToolProgressed(self.task, self.call, text))


@dataclass(slots=True)
class Reporting:
    """One task's voice. `staging` holds what is changed so far, `change_id` names it."""

    session: Session
    task: str
    change_id: str
    staging: Staging

    @property
    def todo(self) -> TodoList:
        return self.session.tasks[self.task].todo

    def set_todo(self, todo: TodoList, by: Author = "harness") -> None:
        """A new list. What is staged from now on serves the item that is running."""
        self.session.set_todo(self.task, todo, by)
        running = self.todo.running
        self.staging.todo = running.id if running else None

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
        activity = Activity(self.session, self.task, call)
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
