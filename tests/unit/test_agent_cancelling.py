"""Cancelling and applying: what has begun is brought to an end, and told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kaaj_agent import events as ev
from kaaj_agent import reviews
from kaaj_agent.changes import Applied, Proposed, Rejected
from kaaj_agent.failures import ApplyError, BadRequestError, SandboxError
from kaaj_agent.request import StartRequest
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import (
    CART,
    FIX_COUNT,
    FIX_TOTAL,
    PLAN,
    Desk,
    Gate,
    SlowApplier,
    assert_legal,
    assert_whole,
    desk,
    endings,
)

# --- cancelling ---------------------------------------------------------------------------------------------------


async def test_a_task_cancelled_before_its_first_step_ends_too(tmp_path: Path) -> None:
    async with desk(tmp_path, "Done.") as d:
        started = await d.agent.start(StartRequest("Mend it"))
        await d.agent.cancel(started.task)
        assert endings(d) == [(started.task, "cancelled")]
        again = await d.agent.start(StartRequest("Mend it", session=started.session))
        await d.agent.wait(again.task)
        assert endings(d)[1:] == [(again.task, "done")]


async def test_closing_before_the_first_step_ends_the_task(tmp_path: Path) -> None:
    async with desk(tmp_path, "Done.") as d:
        started = await d.agent.start(StartRequest("Mend it"))
    assert endings(d) == [(started.task, "cancelled")]


async def test_a_change_that_is_being_applied_is_not_torn_by_a_cancel(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        slow = d.agent.reviews.applier = SlowApplier(d.applier.apply)
        started = await d.agent.start(StartRequest("Mend it", "auto"))
        await slow.reached.wait()
        cancelling = asyncio.create_task(d.agent.cancel(started.task))
        await asyncio.sleep(0)
        slow.open.set()
        await cancelling
        assert d.text() != CART
        assert isinstance(d.change().state, Applied)
        assert endings(d) == [(started.task, "done")]
        await d.agent.undo(d.change().id)
        assert d.text() == CART


async def test_an_accept_that_is_abandoned_still_tells_what_became_of_it(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        task = await d.run()
        slow = d.agent.reviews.applier = SlowApplier(d.applier.apply)
        accepting = asyncio.create_task(d.agent.accept(d.change().id, d.change().digest))
        await slow.reached.wait()
        accepting.cancel()
        slow.open.set()
        await d.agent.reviews.settled()
        assert isinstance(d.change().state, Applied)
        assert endings(d) == [(task, "done")]


async def test_closing_waits_for_what_is_being_applied(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run()
        slow = d.agent.reviews.applier = SlowApplier(d.applier.apply)
        accepting = asyncio.create_task(d.agent.accept(d.change().id, d.change().digest))
        await slow.reached.wait()
        asyncio.get_running_loop().call_later(0.05, slow.open.set)
    await accepting
    async with desk(tmp_path) as d:
        (overview,) = await d.agent.overview()
        assert isinstance(overview.changes[0].state, Applied)


async def test_cancelling_what_waits_ends_it_as_cancelled(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        task = await d.run()
        await d.agent.cancel(task)
        assert endings(d) == [(task, "cancelled")]
        assert isinstance(d.change().state, Rejected)
        await d.agent.cancel(task)
        assert_whole(d)


async def test_cancelling_what_is_just_being_accepted_does_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        task = await d.run()
        slow = d.agent.reviews.applier = SlowApplier(d.applier.apply)
        accepting = asyncio.create_task(d.agent.accept(d.change().id, d.change().digest))
        await slow.reached.wait()
        cancelling = asyncio.create_task(d.agent.cancel(task))
        await asyncio.sleep(0)
        slow.open.set()
        await asyncio.gather(accepting, cancelling)
        assert endings(d) == [(task, "done")]


# --- an editor that does not answer ------------------------------------------------------------------------------


async def hanging(d: Desk, error: Exception | None = None) -> tuple[str, SlowApplier, asyncio.Task[object]]:
    """A task whose proposal was accepted, and whose editor says nothing until it is let."""
    task = await d.run()
    slow = d.agent.reviews.applier = SlowApplier(d.applier.apply, error)
    accepting: asyncio.Task[object] = asyncio.create_task(d.agent.accept(d.change().id, d.change().digest))
    await slow.reached.wait()
    return task, slow, accepting


async def test_a_cancel_does_not_wait_for_an_editor_that_never_answers(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        task, slow, accepting = await hanging(d, ApplyError("The editor has not applied the change."))
        await d.agent.cancel(task)
        assert endings(d) == [(task, "cancelled")]
        assert "if it still comes" in d.ending().summary
        assert not accepting.done()
        slow.open.set()
        await asyncio.wait([accepting])
        assert isinstance(accepting.exception(), ApplyError)
        assert isinstance(d.change().state, Rejected)
        assert d.text() == CART


async def test_an_edit_that_comes_after_the_cancel_is_told_and_can_be_undone(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        task, slow, accepting = await hanging(d)
        await d.agent.cancel(task)
        slow.open.set()
        await accepting
        assert isinstance(d.change().state, Applied)
        notices = [event.body.text for event in d.events if isinstance(event.body, ev.Noticed)]
        assert any("after all" in notice for notice in notices)
        assert endings(d) == [(task, "cancelled")]
        await d.agent.undo(d.change().id)
        assert d.text() == CART


async def test_a_part_that_came_after_the_cancel_keeps_the_change(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        task, slow, accepting = await hanging(d, ApplyError("Only in part."))
        await d.agent.cancel(task)
        d.type(CART + "# half\n")
        slow.open.set()
        await asyncio.wait([accepting])
        assert isinstance(d.change().state, Proposed)
        assert isinstance(accepting.exception(), ApplyError)


async def test_an_editor_that_never_answers_holds_up_nobody_else(tmp_path: Path) -> None:
    other = call("write", path="other.py", content="x = 1\n")
    third = call("write", path="third.py", content="x = 1\n")
    async with desk(tmp_path, FIX_TOTAL, "One.", other, "Two.", third, "Three.") as d:
        _, slow, accepting = await hanging(d)
        await d.run("Another file")
        (change,) = (c for s in await d.agent.overview() for c in s.changes if c.files[0].path.name == "other.py")
        slow.open, held = asyncio.Event(), slow.open
        slow.open.set()  # only the first one is held
        await d.agent.accept(change.id, change.digest)
        await d.agent.undo(change.id)
        await d.run("A third")
        (change,) = (c for s in await d.agent.overview() for c in s.changes if c.files[0].path.name == "third.py")
        await d.agent.reject(change.id, change.digest)
        assert not accepting.done()
        held.set()
        await accepting


async def test_decisions_on_one_file_take_turns(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.", FIX_COUNT, "Two.") as d:
        _, slow, accepting = await hanging(d)
        await d.run("The other one")
        (change,) = (c for s in await d.agent.overview() for c in s.changes if c.id != d.change().id)
        later = asyncio.create_task(d.agent.accept(change.id, change.digest))
        await asyncio.sleep(0.01)
        assert d.applier.applied == []
        slow.open.set()
        await asyncio.gather(accepting, later)
        assert d.text() == CART.replace(" - 1", "")


@pytest.mark.parametrize("way", ["accept", "reject", "undo"])
async def test_a_second_decision_does_not_wait_for_an_editor_that_never_answers(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "PATIENCE", 0.01)
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        _, slow, accepting = await hanging(d)
        change = d.change()
        decisions = {
            "accept": lambda: d.agent.accept(change.id, change.digest),
            "reject": lambda: d.agent.reject(change.id, change.digest),
            "undo": lambda: d.agent.undo(change.id),
        }
        with pytest.raises(BadRequestError, match="being applied or taken back by the editor"):
            await decisions[way]()
        assert not accepting.done()
        slow.open.set()
        await accepting
        assert isinstance(d.change().state, Applied), "the first decision counts"
        await d.agent.undo(change.id)
        assert d.text() == CART


async def test_a_second_decision_meets_the_state_that_the_first_one_made(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        _, slow, accepting = await hanging(d)
        change = d.change()
        second = asyncio.create_task(d.agent.reject(change.id, change.digest))
        await asyncio.sleep(0)
        slow.open.set()
        with pytest.raises(BadRequestError, match="applied, so there is nothing to decide"):
            await second
        await accepting


async def test_a_decision_that_waits_for_its_turn_can_be_taken_back(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.", FIX_COUNT, "Two.") as d:
        _, slow, accepting = await hanging(d)
        second = await d.run("The other one")
        (change,) = (c for s in await d.agent.overview() for c in s.changes if c.id != d.change().id)
        later = asyncio.create_task(d.agent.accept(change.id, change.digest))
        await asyncio.sleep(0)
        await d.agent.cancel(second)
        assert endings(d)[-1] == (second, "cancelled")
        slow.open.set()
        with pytest.raises(BadRequestError, match="rejected"):
            await later
        await accepting


@pytest.mark.parametrize("turns", [(), (PLAN,), (PLAN, FIX_TOTAL)])
async def test_the_prompt_is_legal_after_a_cancel_anywhere(tmp_path: Path, turns: tuple[object, ...]) -> None:
    gate = Gate("never")
    async with desk(tmp_path, *turns, gate, "Now done.") as d:
        started = await d.agent.start(StartRequest("Mend it"))
        await gate.reached.wait()
        await d.agent.cancel(started.task)
        await d.run("And now?", session=started.session)
        assert_legal(d.heard())
        assert_whole(d)


# --- applying by itself -------------------------------------------------------------------------------------------


async def test_an_automatic_apply_that_fails_leaves_the_proposal(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        slow = d.agent.reviews.applier = SlowApplier(d.applier.apply, ApplyError("The editor refused the change."))
        slow.open.set()
        task = await d.run(mode="auto")
        assert isinstance(d.change().state, Proposed)
        assert endings(d) == []
        d.agent.reviews.applier = d.applier
        await d.agent.accept(d.change().id, d.change().digest)
        assert endings(d) == [(task, "done")]


async def test_nothing_is_told_of_a_task_after_its_end(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        started = await d.agent.start(StartRequest("Mend it", "auto"))

        def spoil(event: ev.Event) -> None:
            if isinstance(event.body, ev.ChangeChanged) and isinstance(event.body.change.state, Proposed):
                d.type(CART.replace("sum(items) - 1", "sum(items) - 2"))

        d.agent.subscribe(spoil)
        await d.agent.wait(started.task)
        assert d.ending().status == "stopped"


async def test_what_could_not_be_checked_is_not_applied_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_shadow(*_: object, **__: object) -> None:
        raise SandboxError("The shadow workspace cannot be laid out: No space left on device.")

    monkeypatch.setattr("kaaj_agent.workshop.Shadow.open", no_shadow)
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run(mode="auto", check="true")
        assert isinstance(d.change().state, Proposed)
        assert d.text() == CART


async def test_what_does_not_parse_is_told_also_without_a_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_shadow(*_: object, **__: object) -> None:
        raise SandboxError("No command may run.")

    monkeypatch.setattr("kaaj_agent.workshop.Shadow.open", no_shadow)
    broken = call("edit", path="cart.py", old="sum(items) - 1", new="sum(items")
    async with desk(tmp_path, broken, "Mended.", "So.", "So.", "So.", check="") as d:
        (d.root / "pytest.ini").write_text("[pytest]\n")
        (d.root / "test_cart.py").write_text("def test_it():\n    pass\n")
        await d.run()
        state = d.change().state
        assert isinstance(state, Proposed)
        assert not state.check.parsed
