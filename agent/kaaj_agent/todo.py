"""The to-do list: immutable items, and the rules by which their status follows evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Status: TypeAlias = Literal["pending", "running", "done", "failed", "skipped"]
Author: TypeAlias = Literal["model", "user", "harness"]

DONE_BEFORE: Final = "Done by an earlier task."
"""The note of what was done when a task began with the person's list: the model does not open it again."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why an item counts as done: the hunks that serve it, the check that passed, or a reason why none was needed."""

    hunks: tuple[str, ...] = ()
    check: str = ""
    note: str = ""

    @property
    def convincing(self) -> bool:
        return bool(self.hunks or self.check or self.note)


@dataclass(frozen=True, slots=True)
class Todo:
    """One item. `by` says who wrote it: the `model`, the `user`, or Kaaj itself (`harness`)."""

    id: str
    title: str
    status: Status = "pending"
    by: Author = "model"
    evidence: Evidence = Evidence()


@dataclass(frozen=True, slots=True)
class TodoList:
    """The items in the order in which they are worked on."""

    items: tuple[Todo, ...] = ()

    @property
    def running(self) -> Todo | None:
        return next((item for item in self.items if item.status == "running"), None)

    @property
    def open(self) -> tuple[Todo, ...]:
        return tuple(item for item in self.items if item.status in ("pending", "running"))

    @property
    def finished(self) -> int:
        return sum(item.status in ("done", "skipped") for item in self.items)

    def get(self, item_id: str) -> Todo | None:
        return next((item for item in self.items if item.id == item_id), None)

    def titled(self, title: str) -> bool:
        """Whether there is an item of this title, however it is capitalised."""
        return any(_key(item.title) == _key(title) for item in self.items)

    def with_item(self, item: Todo) -> TodoList:
        """The list with the item of the same id replaced, or the item added at the end."""
        if self.get(item.id) is None:
            return TodoList((*self.items, item))
        return TodoList(tuple(item if old.id == item.id else old for old in self.items))

    def start(self, item_id: str) -> TodoList:
        """The item becomes the running one; another that ran waits again."""
        return TodoList(
            tuple(
                replace(item, status="running")
                if item.id == item_id
                else replace(item, status="pending")
                if item.status == "running"
                else item
                for item in self.items
            )
        )

    def mark(self, item_id: str, status: Status, evidence: Evidence | None = None) -> TodoList:
        item = self.get(item_id)
        if item is None:
            return self
        return self.with_item(replace(item, status=status, evidence=evidence or item.evidence))

    def reopen(self, hunks: Iterable[str]) -> TodoList:
        """Items whose evidence is among `hunks` (refused or undone) are pending again."""
        gone = set(hunks)
        return TodoList(
            tuple(
                replace(item, status="pending", evidence=Evidence())
                if item.status == "done" and gone.intersection(item.evidence.hunks)
                else item
                for item in self.items
            )
        )


def _key(title: str) -> str:
    return title.strip().casefold()


def from_model(
    rows: Iterable[tuple[str, Status]],
    before: TodoList,
    hunks: Mapping[str, tuple[str, ...]],
    notes: Mapping[str, str] = MappingProxyType({}),
    removed: Collection[Todo] = (),
    *,
    keep_order: bool = False,
) -> TodoList:
    """The list that the model wrote as (title, status), with ids kept for titles that stood there before.

    An item that the model calls done stays open until evidence is there: `hunks` maps item ids to the hunks that
    serve them now, `notes` to what was looked up for them. Items that the user wrote or skipped cannot be dropped
    or revived by the model, and those that the user `removed` do not come back. `keep_order`: the user ordered the
    list, so what stood there stays in that order.
    """
    known: dict[str, list[Todo]] = {}
    for item in before.items:
        known.setdefault(_key(item.title), []).append(item)
    gone = {_key(item.title) for item in removed}
    taken = [int(item.id[1:]) for item in (*before.items, *removed) if item.id[1:].isdigit()]
    fresh = max(taken, default=0)
    items: list[Todo] = []
    for title, status in rows:
        if _key(title) in gone and _key(title) not in known:
            continue
        same = known.get(_key(title))
        if same:
            old = same.pop(0)
        else:
            fresh += 1
            old = Todo(f"t{fresh}", title.strip())
        if old.status == "skipped" or (old.status == "done" and old.evidence.note == DONE_BEFORE):
            items.append(old)
            continue
        if status == "done" and old.status != "done":
            note = old.evidence.note or notes.get(old.id, "")
            evidence = Evidence(hunks.get(old.id, ()), old.evidence.check, note)
            items.append(replace(old, status="done" if evidence.convincing else "pending", evidence=evidence))
        elif old.status == "done" and status != "done":
            items.append(replace(old, status=status, evidence=Evidence()))
        else:
            items.append(replace(old, status=status))
    left = (item for same in known.values() for item in same)
    items.extend(item for item in left if item.by == "user" or item.status in ("done", "skipped"))
    if keep_order:
        place = {item.id: at for at, item in enumerate(before.items)}
        ordered = iter(sorted((item for item in items if item.id in place), key=lambda item: place[item.id]))
        items = [next(ordered) if item.id in place else item for item in items]
    return TodoList(tuple(items))
