"""The user's edits of the to-do list, while the agent works."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kaaj_agent import events as ev
from kaaj_agent.request import StartRequest
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import (
    CART,
    FIX_COUNT,
    FIX_TOTAL,
    NEXT,
    PLAN,
    SECONDS,
    Desk,
    Gate,
    assert_legal,
    desk,
    without,
)
from kaaj_agent.todo import Todo


async def until_asked(d: Desk, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while len(d.model.requests) < count:
            await asyncio.sleep(0)


def skipping(d: Desk, task: str, item: str) -> list[Todo]:
    return [Todo(i.id, i.title, "skipped" if i.id == item else i.status, i.by, i.evidence) for i in without(d, task)]


@pytest.mark.parametrize("way", ["skip", "remove"])
async def test_what_the_user_takes_off_the_list_while_it_is_written_is_not_done(tmp_path: Path, way: str) -> None:
    gate = Gate(FIX_TOTAL)
    async with desk(tmp_path, PLAN, gate, PLAN, FIX_COUNT, "Count mended.") as d:
        started = await d.agent.start(StartRequest("Mend it"))
        await gate.reached.wait()
        edit = skipping(d, started.task, "t1") if way == "skip" else without(d, started.task, "t1")
        d.agent.edit_todo(started.task, edit)
        gate.open.set()
        await d.agent.wait(started.task)
        assert [hunk.new for hunk in d.change().hunks] == ["    return len(items)\n"]
        assert "skip" in d.heard(2)[-1].content
        listed = {item.title: item.status for item in d.session().tasks[started.task].todo.items}
        assert listed.get("Mend total", "skipped") == "skipped"
        assert listed["Mend count"] == "done"
        assert_legal(d.heard())


async def test_what_was_staged_for_an_item_goes_when_the_user_skips_it(tmp_path: Path) -> None:
    gate = Gate(NEXT)
    async with desk(tmp_path, PLAN, FIX_TOTAL, gate, FIX_COUNT, "Both.") as d:
        started = await d.agent.start(StartRequest("Mend it"))
        await gate.reached.wait()
        d.agent.edit_todo(started.task, skipping(d, started.task, "t1"))
        gate.open.set()
        await d.agent.wait(started.task)
        assert [hunk.new for hunk in d.change().hunks] == ["    return len(items)\n"]
        assert "taken out" in "\n".join(message.content for message in d.heard())


async def test_a_skip_just_before_the_proposal_counts(tmp_path: Path) -> None:
    gate = Gate("Both mended.")
    async with desk(tmp_path, PLAN, FIX_TOTAL, NEXT, FIX_COUNT, gate) as d:
        started = await d.agent.start(StartRequest("Mend it"))
        await gate.reached.wait()
        d.agent.edit_todo(started.task, skipping(d, started.task, "t2"))
        gate.open.set()
        await d.agent.wait(started.task)
        assert [hunk.new for hunk in d.change().hunks] == ["    return sum(items)\n"]
        statuses = [item.status for item in d.session().tasks[started.task].todo.items]
        assert statuses == ["done", "skipped"]


async def test_an_edit_of_the_list_during_a_check_is_not_forgotten(tmp_path: Path) -> None:
    async with desk(tmp_path, PLAN, FIX_TOTAL, "One.", "Two.", "Three.", "Four.") as d:

        def add(event: ev.Event) -> None:
            body = event.body
            if isinstance(body, ev.Noticed) and "fails" in body.text and len(d.model.requests) == 3:
                items = [*d.session().tasks[body.task].todo.items, Todo("u1", "Say hello", by="user")]
                d.agent.edit_todo(body.task, items)

        d.agent.subscribe(add)
        await d.run(check="false")
        assert "Say hello" in "\n".join(message.content for message in d.heard())
        assert_legal(d.heard())


async def test_a_new_order_is_followed_and_the_model_does_not_undo_it(tmp_path: Path) -> None:
    gate = Gate(PLAN)
    async with desk(tmp_path, PLAN, gate, FIX_COUNT, PLAN, FIX_TOTAL, "Both.", "Both.") as d:
        started = await d.agent.start(StartRequest("Mend it"))
        await gate.reached.wait()
        d.agent.edit_todo(started.task, without(d, started.task)[::-1])
        gate.open.set()
        await d.agent.wait(started.task)
        assert "Go on with: Mend count" in d.heard(2)[-1].content
        items = d.session().tasks[started.task].todo.items
        assert [item.title for item in items] == ["Mend count", "Mend total"]
        first = next(hunk for hunk in d.change().hunks if "len" in hunk.new)
        assert first.todo == items[0].id, "what comes next is for what stands first"
        assert_legal(d.heard())


@pytest.mark.parametrize("when", ["reply", "check"])
async def test_what_is_added_at_the_very_end_is_worked_on(tmp_path: Path, when: str) -> None:
    gate = Gate("Mended.")
    one = call("todo", items=[{"title": "Mend total", "status": "running"}])
    turns = [one, FIX_TOTAL, gate, FIX_COUNT, "Both."]
    async with desk(tmp_path, *turns, check="sleep 0.2" if when == "check" else "none", sandbox="off") as d:
        d.answers.answers.append("Run it")

        def add(task: str) -> None:
            d.agent.edit_todo(task, [*without(d, task), Todo("u1", "Mend count", by="user")])

        started = await d.agent.start(StartRequest("Mend it"))
        await gate.reached.wait()
        if when == "reply":
            add(started.task)
            gate.open.set()
        else:
            gate.open.set()
            async with asyncio.timeout(SECONDS):
                while d.session().messages[-1].content != "Mended.":
                    await asyncio.sleep(0)
            add(started.task)
        await d.agent.wait(started.task)
        assert {hunk.new for hunk in d.change().hunks} == {"    return sum(items)\n", "    return len(items)\n"}
        statuses = {item.title: item.status for item in d.session().tasks[started.task].todo.items}
        assert statuses == {"Mend total": "done", "Mend count": "done"}
        assert "Mend count" in d.heard(3)[-1].content
        assert_legal(d.heard())


async def test_an_earlier_tasks_hunks_are_no_evidence_for_this_ones_items(tmp_path: Path) -> None:
    plan = call("todo", items=[{"title": "Write docs", "status": "running"}])
    async with desk(tmp_path, PLAN, FIX_TOTAL, "One.", plan, FIX_COUNT, plan, "Two.") as d:
        await d.run()
        second = await d.run("And count", session=d.session().id)
        by_text = {hunk.new: hunk.todo for hunk in d.change().hunks}
        assert by_text == {"    return sum(items)\n": None, "    return len(items)\n": "t1"}
        assert len(d.session().tasks[second].todo.items[0].evidence.hunks) == 1


async def test_an_item_reopens_when_its_change_is_taken_back_after_typing_above(tmp_path: Path) -> None:
    async with desk(tmp_path, PLAN, FIX_TOTAL, "One.") as d:
        task = await d.run()
        d.type("import os\n\n" + CART)
        await d.agent.accept(d.change().id, d.change().digest)
        assert d.session().tasks[task].todo.items[0].status == "done"
        await d.agent.undo(d.change().id)
        assert d.session().tasks[task].todo.items[0].status == "pending"


async def test_that_the_list_was_written_is_no_evidence_for_its_items(tmp_path: Path) -> None:
    """Nor is it for what the user asks for: the model is reminded of that."""
    everything = call("todo", items=[{"title": title, "status": "done"} for title in ("Mend total", "Mend count")])
    async with desk(tmp_path, PLAN, everything, "All done.") as d:
        task = await d.run("Mend it")
        assert [item.status for item in d.session().tasks[task].todo.items] == ["pending", "pending"]
        assert "Still open" in d.heard()[-1].content
