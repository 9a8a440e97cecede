"""The to-do list follows evidence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent.todo import DONE_BEFORE, Evidence, Status, Todo, TodoList, from_model

PLAN = TodoList((Todo("t1", "Read"), Todo("t2", "Write", by="user"), Todo("t3", "Test")))


def rows(todo: TodoList) -> list[tuple[str, str, str]]:
    return [(item.id, item.title, item.status) for item in todo.items]


def test_one_item_runs_at_a_time() -> None:
    todo = PLAN.start("t1").start("t3")
    assert [item.status for item in todo.items] == ["pending", "pending", "running"]
    assert todo.running == todo.get("t3")
    assert TodoList().running is None


def test_done_needs_evidence() -> None:
    todo = from_model([("Read", "done"), ("Test", "done")], PLAN, {"t3": ("h1",)})
    assert rows(todo) == [("t1", "Read", "pending"), ("t3", "Test", "done"), ("t2", "Write", "pending")]
    item = todo.get("t3")
    assert item is not None
    assert item.evidence.hunks == ("h1",)


def test_a_note_or_a_check_is_evidence_too() -> None:
    noted = PLAN.mark("t1", "running", Evidence(note="nothing to change"))
    assert from_model([("read ", "done")], noted, {}).items[0].status == "done"
    assert Evidence(check="pytest").convincing
    assert not Evidence().convincing


def test_what_was_refused_is_open_again() -> None:
    todo = PLAN.mark("t1", "done", Evidence(hunks=("h1", "h2"))).mark("t3", "done", Evidence(hunks=("h3",)))
    assert todo.finished == 2
    again = todo.reopen(["h2", "h9"])
    assert [item.status for item in again.items] == ["pending", "pending", "done"]
    assert again.items[0].evidence == Evidence()


def test_the_model_can_neither_drop_nor_revive_what_the_user_decided() -> None:
    todo = from_model([("Write", "running"), ("New", "pending")], PLAN.mark("t2", "skipped"), {})
    assert rows(todo) == [("t2", "Write", "skipped"), ("t4", "New", "pending")]
    todo = from_model([], PLAN, {})
    assert rows(todo) == [("t2", "Write", "pending")]


def test_a_done_item_that_is_opened_again_loses_its_evidence() -> None:
    done = PLAN.mark("t1", "done", Evidence(hunks=("h1",)))
    assert from_model([("Read", "done")], done, {}).items[0].evidence.hunks == ("h1",)
    assert from_model([("Read", "running")], done, {}).items[0].evidence == Evidence()


def test_the_model_does_not_open_again_what_was_done_before() -> None:
    before = TodoList((Todo("t1", "Read", "done", "user", Evidence(note=DONE_BEFORE)), Todo("t2", "Write", by="user")))
    todo = from_model([("Read", "pending"), ("Write", "running")], before, {})
    assert rows(todo) == [("t1", "Read", "done"), ("t2", "Write", "running")]


STATUSES: st.SearchStrategy[Status] = st.sampled_from(["pending", "running", "done", "failed", "skipped"])
ROWS = st.lists(st.tuples(st.sampled_from(["Read", "read ", "Write", "x", "y"]), STATUSES), max_size=6)


@given(ROWS, ROWS)
def test_ids_are_unique_and_nothing_is_done_without_evidence(
    first: list[tuple[str, Status]], second: list[tuple[str, Status]]
) -> None:
    todo = from_model(second, from_model(first, PLAN, {"t1": ("h1",)}), {})
    ids = [item.id for item in todo.items]
    assert len(set(ids)) == len(ids)
    assert all(item.evidence.convincing for item in todo.items if item.status == "done")
    assert any(item.by == "user" for item in todo.items)
