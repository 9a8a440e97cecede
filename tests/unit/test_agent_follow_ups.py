"""One request after another in a session, with decisions between them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kaaj_agent import events as ev
from kaaj_agent.changes import Proposed, Rejected
from kaaj_agent.failures import BadRequestError
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import (
    CART,
    FIX_COUNT,
    FIX_TOTAL,
    PLAN,
    Gate,
    SlowApplier,
    assert_whole,
    desk,
    endings,
    without,
)


async def test_no_request_goes_on_from_what_is_just_being_applied(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        await d.run()
        slow = d.agent.reviews.applier = SlowApplier(d.applier.apply)
        accepting = asyncio.create_task(d.agent.accept(d.change().id, d.change().digest))
        await slow.reached.wait()
        with pytest.raises(BadRequestError, match="being applied"):
            await d.agent.start(StartRequest("And count", session=d.session().id))
        slow.open.set()
        await accepting
        assert_whole(d)


async def test_what_a_task_goes_on_from_is_not_decided_meanwhile(tmp_path: Path) -> None:
    gate = Gate(FIX_COUNT)
    async with desk(tmp_path, FIX_TOTAL, "One.", gate, "Two.") as d:
        await d.run()
        first = d.change()
        second = await d.agent.start(StartRequest("And count", session=d.session().id))
        await gate.reached.wait()
        with pytest.raises(BadRequestError, match="goes on from"):
            await d.agent.accept(first.id, first.digest)
        gate.open.set()
        await d.agent.wait(second.task)
        await d.agent.accept(d.change().id, d.change().digest)
        assert d.text() == CART.replace(" - 1", "")


async def test_a_proposal_outlives_a_follow_up_that_was_cancelled(tmp_path: Path) -> None:
    gate = Gate("never")
    async with desk(tmp_path, FIX_TOTAL, "One.", gate, FIX_COUNT, "Three.") as d:
        await d.run()
        first = d.change()
        second = await d.agent.start(StartRequest("And count", session=d.session().id))
        await gate.reached.wait()
        await d.agent.cancel(second.task)
        assert isinstance(d.session().changes[first.id].state, Proposed)
        await d.run("Then count now", session=d.session().id)
        assert len(d.change().hunks) == 2  # it went on from the first
        assert isinstance(d.session().changes[first.id].state, Rejected)


async def test_a_follow_up_that_takes_everything_back_takes_the_proposal_back(tmp_path: Path) -> None:
    back = call("edit", path="cart.py", old="sum(items)", new="sum(items) - 1")
    async with desk(tmp_path, FIX_TOTAL, "One.", back, "Taken back.") as d:
        await d.run()
        first = d.change()
        await d.run("No, leave it", session=d.session().id)
        assert isinstance(d.session().changes[first.id].state, Rejected)
        assert d.session().proposed() == ()


async def test_new_settings_do_not_end_a_task_that_is_connecting(tmp_path: Path) -> None:
    async with desk(tmp_path, "Done.") as d:
        gate = asyncio.Event()
        connect, calls = d.agent.model, 0
        assert connect is not None

        async def slowly() -> object:
            nonlocal calls
            calls += 1
            await gate.wait()
            return await connect()

        d.agent.model = slowly  # type: ignore[assignment]  # a Model, by way of the fake
        started = await d.agent.start(StartRequest("Mend it"))
        while not calls:
            await asyncio.sleep(0)
        await d.agent.configure(AgentSettings(model="other", check="none"))
        gate.set()
        await d.agent.wait(started.task)
        assert endings(d) == [(started.task, "done")]


async def test_new_settings_do_not_close_the_model_of_a_running_task(tmp_path: Path) -> None:
    gate = Gate("Done.")
    async with desk(tmp_path, gate) as d:
        started = await d.agent.start(StartRequest("Mend it"))
        await gate.reached.wait()
        await d.agent.configure(AgentSettings(model="other", check="none"))
        assert not d.model.closed
        gate.open.set()
        await d.agent.wait(started.task)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert d.model.closed


async def test_a_follow_up_after_typing_in_the_proposal_begins_without_it(tmp_path: Path) -> None:
    async with desk(tmp_path, [FIX_TOTAL, FIX_COUNT], "Two.", FIX_COUNT, "One.") as d:
        await d.run()
        mine = CART.replace("sum(items) - 1", "sum(items) - 2")
        d.type(mine)
        await d.run("Then count only", session=d.session().id)
        assert isinstance(d.change().state, Proposed)
        assert [hunk.new for hunk in d.change().hunks] == ["    return len(items)\n"]
        assert "cart.py" in d.heard(2)[-1].content.partition("Then count")[0]
        await d.agent.accept(d.change().id, d.change().digest)
        assert d.text() == mine.replace("len(items) - 1", "len(items)")


async def test_the_check_of_the_whole_is_not_claimed_for_a_part(tmp_path: Path) -> None:
    async with desk(tmp_path, [FIX_TOTAL, FIX_COUNT], "Two.", [FIX_TOTAL, FIX_COUNT], "Two.") as d:
        for _ in range(2):
            await d.run(check="true")
        first, second = (change for session in d.agent._sessions.values() for change in session.changes.values())
        left = await d.agent.reject(first.id, first.digest, [first.hunks[0].id])
        assert left.check is not None
        assert left.check.status == "none"
        applied = await d.agent.accept(second.id, second.digest, [second.hunks[0].id])
        assert applied.check is not None
        assert applied.check.status == "none"
        whole = await d.agent.accept(left.id, left.digest)
        assert whole.check == left.check


async def test_every_listener_hears_events_in_order_also_of_what_a_listener_does(tmp_path: Path) -> None:
    async with desk(tmp_path, PLAN, "Done.") as d:
        heard: list[int] = []

        def edit(event: ev.Event) -> None:
            if isinstance(event.body, ev.TodoChanged) and event.body.by == "model":
                d.agent.edit_todo(event.body.task, without(d, event.body.task, "t2"))

        d.agent.subscribe(edit)
        d.agent.subscribe(lambda event: heard.append(event.seq))
        await d.run()
        assert heard == sorted(heard)
        assert_whole(d)
