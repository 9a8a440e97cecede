"""The to-do list of the guided loop: written by the harness in the request's terms, obeyed where the user edits it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from kaaj_agent.todo import Evidence, Todo, TodoList
from kaaj_agent.work import Work

TITLE_MAX: Final = 120


@dataclass(slots=True)
class Plan:
    """Items by id. An item that the user skipped or took away is not worked on, and never comes back."""

    work: Work
    _mine: list[str] = field(default_factory=list[str])
    _tried: set[str] = field(default_factory=set[str])

    def add(self, title: str, *, before: str | None = None) -> str:
        """A new item, at the end or before another; its id."""
        todo = self.work.todo
        taken = [int(item.id[1:]) for item in todo.items if item.id[1:].isdigit()]
        taken += [int(known[1:]) for known in self._mine]
        item = Todo(f"t{max(taken, default=0) + 1}", _cut(title), by="harness")
        items = list(todo.items)
        at = next((index for index, other in enumerate(items) if other.id == before), len(items))
        items.insert(at, item)
        self._mine.append(item.id)
        self.work.set_todo(TodoList(tuple(items)))
        return item.id

    def name(self, item_id: str, title: str) -> None:
        """A better title, now that more is known; one that the user worded stays."""
        item = self.work.todo.get(item_id)
        if item is not None and item.by == "harness":
            self.work.set_todo(self.work.todo.with_item(replace(item, title=_cut(title))))

    def wanted(self, item_id: str) -> bool:
        item = self.work.todo.get(item_id)
        return item is not None and item.status != "skipped"

    def start(self, item_id: str) -> bool:
        """Make it the running item. False where the user does not want it."""
        if not self.wanted(item_id):
            return False
        self.work.set_todo(self.work.todo.start(item_id))
        return True

    def done(self, item_id: str, *, note: str = "", check: str = "") -> None:
        """Done, by what is staged for it, a check, or a note."""
        hunks = tuple(h.id for file in self.work.staging.files for h in file.hunks if h.todo == item_id)
        if self.wanted(item_id):
            evidence = Evidence(hunks, check, note)
            if note:
                self.work.bench.notes[item_id] = note
            self.work.set_todo(self.work.todo.mark(item_id, "done" if evidence.convincing else "pending", evidence))

    def failed(self, item_id: str, note: str) -> None:
        if self.wanted(item_id):
            self.work.set_todo(self.work.todo.mark(item_id, "failed", Evidence(note=note)))

    def withdraw(self) -> None:
        """Take the harness's own items that came to nothing off the list: somebody else plans from here on."""
        items = self.work.todo.items
        self.work.set_todo(TodoList(tuple(i for i in items if i.id not in self._mine or i.status == "done")))

    def next(self, own: str = "") -> Todo | None:
        """The first open item, in the list's order of now, that was not tried yet: of those that the user wrote, and
        the harness's `own`.
        """
        for item in self.work.todo.open:
            mine = item.id in self._mine or item.by != "user"
            if item.id not in self._tried and (item.id == own or not mine):
                self._tried.add(item.id)
                return item
        return None

    def closing(self) -> str:
        """The item of the last check: the user's own where their list ends with one, else a new one at the end."""
        last = self.work.todo.items[-1:]
        if last and last[0].status == "pending" and asks_for_check(last[0].title):
            self._tried.add(last[0].id)
            return last[0].id
        return self.add("Check again")

    def in_order(self, items: Iterable[str]) -> list[str]:
        """Items in the order in which they stand on the list now; what is not on it comes last."""
        place = {item.id: at for at, item in enumerate(self.work.todo.items)}
        return sorted(items, key=lambda item: place.get(item, len(place)))


_CHECK: Final = re.compile(
    r"(?:re-?)?(?:run|execute)\b.*(?:\bchecks?\b|\btests?\b|\bsuite\b|`[^`]+`)"
    r"|(?:re-?)?(?:check|verify|test)(?: it)?(?: again)?\.?$",
    re.IGNORECASE,
)


def asks_for_check(title: str) -> bool:
    """Whether an item asks for the check to be run, and for nothing else."""
    return _CHECK.match(title.strip()) is not None


def _cut(title: str) -> str:
    line = " ".join(title.split())
    return line if len(line) <= TITLE_MAX else line[: TITLE_MAX - 1] + "…"
