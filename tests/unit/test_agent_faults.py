"""What may go wrong around the agent: cancelling, crossing decisions, edits of the list, crashes, bad calls."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from kaaj_agent import events as ev
from kaaj_agent import hunks
from kaaj_agent.changes import Applied, ChangeSet, Proposed, Rejected
from kaaj_agent.failures import ApplyError, BadRequestError, SandboxError
from kaaj_agent.journal import DiskApplier
from kaaj_agent.ports import Message, Question, Reply, Usage, Written
from kaaj_agent.request import StartRequest
from kaaj_agent.session_log import SessionLog, replay
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedEndpoint, answer_error, call
from kaaj_agent.testing_desk import CART, Desk, desk
from kaaj_agent.todo import Todo
from kaaj_agent.world import Folders

FIX_TOTAL = call("edit", path="cart.py", old="sum(items) - 1", new="sum(items)")
FIX_COUNT = call("edit", path="cart.py", old="len(items) - 1", new="len(items)")
PLAN = call("todo", items=[{"title": "Mend total", "status": "running"}, {"title": "Mend count", "status": "pending"}])
NEXT = call("todo", items=[{"title": "Mend total", "status": "done"}, {"title": "Mend count", "status": "running"}])
SECONDS = 5.0
"""After which something that should happen is taken never to."""


def endings(d: Desk) -> list[tuple[str, str]]:
    return [(e.body.task, e.body.status) for e in d.events if isinstance(e.body, ev.TaskFinished)]


def assert_whole(d: Desk) -> None:
    """What holds of every stream of events: no gaps, every tool that began ended, one ending a task."""
    for session in {event.session for event in d.events}:
        rows = [event for event in d.events if event.session == session]
        assert [event.seq for event in rows] == list(range(rows[0].seq, rows[0].seq + len(rows)))
    begun = sorted(e.body.call for e in d.events if isinstance(e.body, ev.ToolStarted))
    assert begun == sorted(e.body.call for e in d.events if isinstance(e.body, ev.ToolFinished))
    ended = [task for task, _ in endings(d)]
    assert len(ended) == len(set(ended))


def assert_legal(messages: list[Message]) -> None:
    """What the strictest templates ask for: user (or results) and assistant in turn, calls answered, no empty text."""
    assert messages[0].role == "system"
    before = "system"
    waiting: list[str] = []
    for message in messages[1:]:
        if message.role == "tool":
            assert message.call_id in waiting
            waiting.remove(message.call_id)
            before = "user"
            continue
        assert not waiting, waiting
        assert message.role != before, (message, before)
        assert message.content.strip() or message.calls
        waiting = [call.id for call in message.calls]
        before = message.role
    assert not waiting


class Gate:
    """A turn of the model that says when it is asked, and answers once it may."""

    def __init__(self, answer: object) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self._answer = answer

    async def __call__(self, _: object) -> object:
        self.reached.set()
        await self.open.wait()
        return self._answer


class SlowApplier:
    """An applier that waits at a gate before it hands on, or fails with `error`."""

    def __init__(self, apply: Callable[[ChangeSet], Awaitable[Written]], error: Exception | None = None) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self._apply = apply
        self._error = error

    async def apply(self, change: ChangeSet) -> Written:
        self.reached.set()
        await self.open.wait()
        if self._error is not None:
            raise self._error
        return await self._apply(change)


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
        await asyncio.wait([accepting])
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


# --- one request after another ------------------------------------------------------------------------------------


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


# --- the to-do list -----------------------------------------------------------------------------------------------


async def until_asked(d: Desk, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while len(d.model.requests) < count:
            await asyncio.sleep(0)


def without(d: Desk, task: str, *ids: str) -> list[Todo]:
    return [item for item in d.session().tasks[task].todo.items if item.id not in ids]


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


# --- limits and odd replies ---------------------------------------------------------------------------------------


async def test_the_prompt_is_legal_after_a_limit_and_odd_replies(tmp_path: Path) -> None:
    cut = Reply("", (FIX_TOTAL,), Usage(), "length")
    async with desk(tmp_path, "", cut, PLAN, "Two.", max_steps=3) as d:
        await d.run()
        assert "3 steps" in d.ending().summary
        d.agent.settings = AgentSettings(check="none")
        await d.run("Go on", session=d.session().id)
        assert_legal(d.heard())


async def test_a_call_that_reached_a_limit_keeps_its_own_result(tmp_path: Path) -> None:
    async with desk(tmp_path, *[call("read", path="nope.py") for _ in range(9)]) as d:
        await d.run()
        answers = [m.content for m in d.session().messages if m.role == "tool"]
        assert all("does not exist" in answer for answer in answers)


async def test_a_reply_without_end_meets_the_limit_of_seconds(tmp_path: Path) -> None:
    async with desk(tmp_path, Gate("never"), max_seconds=0.2) as d:
        async with asyncio.timeout(SECONDS):
            await d.run()
        assert d.ending().status == "stopped"
        assert "maxSeconds" in d.ending().summary


@pytest.mark.parametrize(
    "bad",
    [
        call("todo", items=7),
        call("todo", items=[{"title": None, "status": {"a": 1}}]),
        call("todo", items=[]),
        call("read", path="cart.py", start=-3, end=-1),
        call("read", path="cart.py", start=10**30),
        call("read", path="\ud800"),
        call("read", path="x" * 5000),
        call("read", path="a\0b"),
        call("edit", path="cart.py", old="", new=""),
        call("edit", path=".", old="a", new="b"),
        call("write", path="cart.py/x.py", content="a\n"),
        call("write", path="new.py", content="a = '\ud800'\n"),
        call("write", path=".", content="a"),
        call("search", pattern="("),
        call("search", pattern="", path="nope"),
        call("search", pattern="x" * 2000),
        call("list", path="nope"),
        call("list", path="cart.py"),
        call("run", command="a\0b"),
        call("run", command="\n"),
        call("run", command="echo " + "x" * 300_000),
        call("run", command="echo '\ud800'"),
        call("diagnostics", path="/etc/passwd"),
        call("\ud800", path="cart.py"),
    ],
    ids=lambda bad: f"{bad.name!a} {dict(bad.arguments)!a}"[:60],
)
async def test_no_call_ends_the_task(tmp_path: Path, bad: object) -> None:
    async with desk(tmp_path, bad, "Enough.") as d:
        task = await d.run()
        found = d.session().changes
        if found:
            await d.agent.reject(d.change().id, d.change().digest)
        assert endings(d)[0][1] in ("done", "stopped")
        assert endings(d)[0][0] == task
        assert "inside" not in d.ending().summary
        for message in d.session().messages:
            (
                message.content
                + "".join(f"{c.name}{json.dumps(c.arguments, ensure_ascii=False)}" for c in message.calls)
            ).encode()
        assert_whole(d)


# --- after a crash ------------------------------------------------------------------------------------------------


async def crashed(tmp_path: Path, *turns: object) -> str:
    """A session whose process died in the middle of a call; its name."""
    gate = Gate("never")
    async with desk(tmp_path, *turns, gate) as d:
        started = await d.agent.start(StartRequest("Mend it"))
        await gate.reached.wait()
        d.session().log.close()
    return started.session


async def test_what_a_crash_interrupted_is_closed_in_events_and_prompt(tmp_path: Path) -> None:
    name = await crashed(tmp_path, PLAN, FIX_TOTAL)
    path = tmp_path / "state" / "sessions" / f"{name}.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    begins = next(i for i, line in enumerate(lines) if b'"ToolStarted"' in line and b'"edit"' in line)
    path.write_bytes(b"".join(lines[: begins + 1]))
    async with desk(tmp_path, "Here again.") as d:
        (overview,) = await d.agent.overview()
        begun = [e.body.call for e in overview.events if isinstance(e.body, ev.ToolStarted)]
        assert begun == [e.body.call for e in overview.events if isinstance(e.body, ev.ToolFinished)]
        assert [event.seq for event in overview.events] == list(range(1, len(overview.events) + 1))
        await d.run("Go on", session=name)
        assert_legal(d.heard())


async def test_a_call_with_an_id_that_was_used_before_is_answered_after_a_crash(tmp_path: Path) -> None:
    name = await crashed(tmp_path, PLAN)
    path = tmp_path / "state" / "sessions" / f"{name}.jsonl"
    log = SessionLog.reopen(path)
    log.message(Message("assistant", "", (PLAN,)))
    log.close()
    async with desk(tmp_path, "Here again.") as d:
        await d.run("Go on", session=name)
        assert_legal(d.heard())


async def test_an_interrupted_question_is_closed(tmp_path: Path) -> None:
    name = await crashed(tmp_path)
    path = tmp_path / "state" / "sessions" / f"{name}.jsonl"
    task = next(r.body.task for r in replay(path) if isinstance(r, ev.Event))
    log = SessionLog.reopen(path)
    log.event(ev.Event(name, 3, 1.0, ev.ApprovalAsked(task, Question("command", task, "Run?", "", ("Run it",), "q9"))))
    log.close()
    async with desk(tmp_path) as d:
        (overview,) = await d.agent.overview()
        answered = [e.body.question for e in overview.events if isinstance(e.body, ev.ApprovalAnswered)]
        assert answered == ["q9"]


async def test_numbers_go_on_after_a_line_that_cannot_be_read(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        await d.run()
        last = d.events[-1].seq
        path = d.session().log.path
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = b'{"event": {"$": "Event", "session": "s", "seq": 3, "time": 1, "body": 5}}\n'
    lines[5] = b'{"event": {"a": 1}}\n'
    path.write_bytes(b"".join(lines))
    async with desk(tmp_path) as d:
        (overview,) = await d.agent.overview()
        assert overview.seq == last
        await d.agent.reject(overview.changes[0].id, overview.changes[0].digest)
        assert d.events[0].seq == last + 1


async def test_sessions_can_be_brought_back_again_and_again_in_one_process(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        await d.run()
    for _ in range(3):
        async with desk(tmp_path) as d:
            assert len(await d.agent.overview()) == 1


async def test_everybody_waits_until_the_sessions_are_back(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        await d.run()
        seen = d.change()
    async with desk(tmp_path) as d:
        first = asyncio.create_task(d.agent.overview())
        await asyncio.sleep(0)
        await d.agent.accept(seen.id, seen.digest)
        await first


async def test_the_model_hears_of_a_decision_also_after_a_restart(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        await d.run()
        await d.agent.reject(d.change().id, d.change().digest, reason="too short")
        name = d.session().id
    async with desk(tmp_path, "I see.") as d:
        await d.run("Well?", session=name)
        assert "refused" in d.heard()[-1].content
        assert "too short" in d.heard()[-1].content


async def test_drafts_do_not_pile_up_in_memory(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, FIX_COUNT, "Both.") as d:
        await d.run()
        kept = [e.body.change for e in d.session().events if isinstance(e.body, ev.ChangeChanged)]
        assert [bool(change.files) for change in kept] == [False, False, True, True]
        assert all(e.body.change.files for e in d.events if isinstance(e.body, ev.ChangeChanged))


# --- size, and commands that change files -------------------------------------------------------------------------


async def test_comparing_large_texts_does_not_hold_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where: list[str] = []
    plain = hunks.diff

    def diff(path: str, base: str, text: str) -> tuple[hunks.Hunk, ...]:
        if len(base) > 30_000:
            where.append(threading.current_thread().name)
        return plain(path, base, text)

    monkeypatch.setattr("kaaj_agent.hunks.diff", diff)
    text = "".join(f"value_{n} = {n}\n" for n in range(4000))
    async with desk(tmp_path, call("write", path="cart.py", content=text.replace("1", "2")), "Done.") as d:
        d.type(text)
        await d.run()
        d.type("import os\n" + text, 3)
        await d.agent.accept(d.change().id, d.change().digest)
        await d.agent.undo(d.change().id)
    assert len(where) > 2
    assert "MainThread" not in where


async def test_a_range_that_was_cut_is_not_said_to_have_been_read(tmp_path: Path) -> None:
    read = call("read", path="long.py")
    async with desk(tmp_path, read, read, "Done.") as d:
        (d.root / "long.py").write_text("x = 1\n" * 1000)
        await d.run()
        again = [m.content for m in d.heard() if m.role == "tool"][1]
        assert "lines 1-400 are unchanged" in again
        assert "start=401" in again


async def test_a_line_that_is_cut_says_so(tmp_path: Path) -> None:
    async with desk(tmp_path, call("read", path="min.js"), "Done.") as d:
        (d.root / "min.js").write_text("x" * 50_000)
        await d.run()
        assert "line 1 is cut" in d.heard()[-1].content


async def test_what_a_command_does_is_staged_file_by_file(tmp_path: Path) -> None:
    command = "mv cart.py shop.py; rm old.py; echo 'a = 1' > new.py; echo 'b = 1' > blob.py"
    async with desk(tmp_path, call("run", command=command), "Done.", sandbox="off") as d:
        d.answers.answers = ["Run it"]
        d.agent.reviews.applier = DiskApplier(d.world, tmp_path / "state")
        (d.root / "old.py").write_text("old = 1\n")
        (d.root / "blob.py").write_bytes(b"\0\1\2")
        await d.run()
        kinds = {file.path.name: (file.kind, file.target.name) for file in d.change().files}
        assert kinds == {
            "cart.py": ("rename", "shop.py"),
            "old.py": ("delete", "old.py"),
            "new.py": ("create", "new.py"),
        }
        assert any(isinstance(e.body, ev.Noticed) and "blob.py" in e.body.text for e in d.events)
        await d.agent.accept(d.change().id, d.change().digest)
        await d.agent.undo(d.change().id)
        assert {path.name for path in d.root.iterdir()} == {"cart.py", "old.py", "blob.py"}
        assert d.cart.read_text() == CART


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbfa = 1\r\nb = 1\r\n", "a = 'ä'\nb = 1".encode("latin-1"), "a = 1\nb = 1\n".encode("utf-16")],
    ids=["bom and crlf", "latin-1", "utf-16"],
)
async def test_bytes_that_no_edit_touches_stay_through_accept_and_undo(tmp_path: Path, data: bytes) -> None:
    fix = call("edit", path="old.py", old="b = 1", new="b = 2")
    async with desk(tmp_path, fix, "Done.") as d:
        d.agent.reviews.applier = DiskApplier(d.world, tmp_path / "state")
        (d.root / "old.py").write_bytes(data)
        await d.run()
        await d.agent.accept(d.change().id, d.change().digest)
        style = "utf-16" if data[:1] == b"\xff" else "latin-1"
        now = (d.root / "old.py").read_bytes()
        assert now.decode(style) == data.decode(style).replace("b = 1", "b = 2")
        await d.agent.undo(d.change().id)
        assert (d.root / "old.py").read_bytes() == data


async def test_a_deletion_is_undone_in_its_encoding(tmp_path: Path) -> None:
    async with desk(tmp_path, call("run", command="rm old.py"), "Done.", sandbox="off") as d:
        d.answers.answers = ["Run it"]
        d.agent.reviews.applier = DiskApplier(d.world, tmp_path / "state")
        (d.root / "old.py").write_bytes("a = 'ä'\r\n".encode("latin-1"))
        await d.run()
        await d.agent.accept(d.change().id, d.change().digest)
        assert not (d.root / "old.py").exists()
        await d.agent.undo(d.change().id)
        assert (d.root / "old.py").read_bytes() == "a = 'ä'\r\n".encode("latin-1")


async def test_the_key_stands_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = "kaaj-very-secret-key"
    error = answer_error(401, f"Incorrect API key provided: {key}")
    async with ScriptedEndpoint(error, last=error) as endpoint, desk(tmp_path, base_urls=(), api_key=key) as d:
        d.agent.model = None
        d.agent.settings = AgentSettings(base_urls=(endpoint.base_url,), api_key=key, model="scripted", check="none")
        with caplog.at_level("DEBUG"):
            await d.run()
        assert d.ending().status == "failed"
        told = repr(d.events) + caplog.text + d.session().log.path.read_text()
        assert key not in told


async def test_files_of_two_folders_are_edited_in_one_change(tmp_path: Path) -> None:
    other = tmp_path / "lib"
    other.mkdir()
    (other / "cart.py").write_text("a = 1\n")
    edits = [call("edit", path="lib/cart.py", old="a = 1", new="a = 2"), FIX_TOTAL]
    async with desk(tmp_path, edits, "Done.") as d:
        d.world.folders = Folders.of(d.root, other)
        await d.run(check="grep 2 ../lib/cart.py || true")
        assert {file.path for file in d.change().files} == {d.cart, other / "cart.py"}
        await d.agent.accept(d.change().id, d.change().digest)
        assert d.text() == CART.replace("sum(items) - 1", "sum(items)")
