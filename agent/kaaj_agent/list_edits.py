"""The user's edits of the to-do list while a task works: heard once, followed, and never undone by the model."""

from __future__ import annotations

from dataclasses import dataclass

from kaaj_agent.prompt import todo_edited, todo_given
from kaaj_agent.reporting import Reporting
from kaaj_agent.request import StartRequest
from kaaj_agent.todo import Todo
from kaaj_agent.tools.bench import Bench


@dataclass(slots=True)
class ListEdits:
    """Owned by one task."""

    report: Reporting
    request: StartRequest
    bench: Bench
    _heard: int = 0

    def hear_plan(self) -> str:
        """What the model has to hear of the list that the user gave the task to begin with; empty where it has none."""
        if not self.request.todo:
            return ""
        self._heard = self.report.session.tasks[self.report.task].edits
        self._begin_first()
        return todo_given(self.report.todo)

    @property
    def left(self) -> tuple[Todo, ...]:
        """The user's items that are open, and for which nothing is staged and nothing was looked up."""
        served = {hunk.todo for file in self.report.staging.files for hunk in file.hunks}
        return tuple(
            item
            for item in self.report.todo.open
            if item.by == "user" and item.id not in served and not self.bench.notes.get(item.id)
        )

    def hear(self, first: Todo | None = None) -> str:
        """What the model has to hear of the user's edits of the list, once; empty where there are none.

        What was staged for items that the user does not want any more is taken out.
        """
        state = self.report.session.tasks[self.report.task]
        if state.edits == self._heard:
            return ""
        self._heard = state.edits
        dropped = self.drop_unwanted()
        self._begin_first(first)
        self.report.set_todo(self.report.todo)
        return todo_edited(self.report.todo, dropped)

    def drop_unwanted(self) -> tuple[str, ...]:
        """Take out what is staged for items that the user skipped or removed; their titles."""
        unwanted = self.unwanted()
        staging = self.report.staging
        hunks = [hunk for file in staging.files for hunk in file.hunks if hunk.todo in unwanted]
        if not hunks:
            return ()
        staging.drop([hunk.id for hunk in hunks])
        titles = tuple(unwanted[name] for name in dict.fromkeys(hunk.todo for hunk in hunks) if name is not None)
        self.report.notice(f"Taken out of the change, as you do not want it: {', '.join(titles)}.")
        self.report.show_draft()
        return titles

    def unwanted(self) -> dict[str, str]:
        """The titles of the items that the user skipped or removed, by id."""
        state = self.report.session.tasks[self.report.task]
        skipped = [item for item in state.todo.items if item.status == "skipped"]
        removed = [item for item in state.removed if state.todo.get(item.id) is None]
        return {item.id: item.title for item in (*skipped, *removed)}

    def _begin_first(self, first: Todo | None = None) -> None:
        """The order is the user's: the first open item is the one that is worked on, or the `first` that is left."""
        first = first or next(iter(self.report.todo.open), None)
        if first is not None and first.status != "running":
            self.report.set_todo(self.report.todo.start(first.id))
