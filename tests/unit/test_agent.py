"""The agent's facade from a request to an applied change, with a scripted model and real files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kaaj_agent import events as ev
from kaaj_agent.changes import Applied, Draft, Proposed, Rejected, Stale, Undone
from kaaj_agent.failures import BadRequestError, StaleError
from kaaj_agent.ports import Reply, Usage
from kaaj_agent.request import StartRequest
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import CART, FIX_COUNT, FIX_TOTAL, NEXT, PLAN, desk
from kaaj_agent.todo import Todo
from kaaj_agent.world import Folders


async def test_from_request_to_applied_change(tmp_path: Path) -> None:
    async with desk(tmp_path, PLAN, FIX_TOTAL, NEXT, FIX_COUNT, "Both mended.") as d:
        task = await d.run()
        change = d.change()
        assert isinstance(change.state, Proposed)
        assert [hunk.todo for hunk in change.hunks] == ["t1", "t2"]
        assert d.cart.read_text() == CART  # nothing was written
        assert [item.status for item in d.session().tasks[task].todo.items] == ["done", "done"]
        await d.agent.accept(change.id, change.digest)
        assert d.text() == CART.replace(" - 1", "")
        assert d.ending() == ev.TaskFinished(task, "done", "Both mended.")
        assert isinstance(d.change().state, Applied)
        assert [event.seq for event in d.events] == list(range(1, len(d.events) + 1))
        drafts = [
            e for e in d.events if isinstance(e.body, ev.ChangeChanged) and isinstance(e.body.change.state, Draft)
        ]
        assert len(drafts) == 2


async def test_the_buffer_is_the_truth(tmp_path: Path) -> None:
    async with desk(tmp_path, call("read", path="cart.py"), FIX_TOTAL, "Mended.") as d:
        d.type("# unsaved\n" + CART)
        await d.run()
        assert "# unsaved" in d.heard(1)[-1].content
        await d.agent.accept(d.change().id, d.change().digest)
        assert d.text() == "# unsaved\n" + CART.replace("sum(items) - 1", "sum(items)")


async def test_typing_elsewhere_is_carried_over(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run()
        d.type("import os\n\n" + CART)
        await d.agent.accept(d.change().id, d.change().digest)
        assert d.text() == "import os\n\n" + CART.replace("sum(items) - 1", "sum(items)")


async def test_typing_in_the_hunk_is_never_overwritten(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run()
        mine = CART.replace("sum(items) - 1", "sum(items) - 2")
        d.type(mine)
        with pytest.raises(StaleError, match="cart.py"):
            await d.agent.accept(d.change().id, d.change().digest)
        assert d.text() == mine
        assert isinstance(d.change().state, Stale)
        assert d.applier.applied == []


async def test_a_proposal_that_no_longer_fits_is_told_at_once(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run()

        async def notices(count: int) -> list[str]:
            while len(found := [e.body.text for e in d.events if isinstance(e.body, ev.Noticed)]) < count:
                await asyncio.sleep(0.01)
            return found

        d.type(CART.replace("sum(items) - 1", "sum(items) - 2"))
        assert "cart.py changed" in (await notices(1))[0]
        d.type(CART + "# below\n", 3)
        assert "fits again" in (await notices(2))[1]


async def test_what_is_not_chosen_stays_proposed_and_can_be_refused(tmp_path: Path) -> None:
    async with desk(tmp_path, PLAN, FIX_TOTAL, NEXT, FIX_COUNT, "Both.", "Hm.") as d:
        task = await d.run()
        change = d.change()
        applied = await d.agent.accept(change.id, change.digest, [change.hunks[0].id])
        assert d.text() == CART.replace("sum(items) - 1", "sum(items)")
        (rest,) = d.session().proposed()
        assert [hunk.id for hunk in rest.hunks] == [change.hunks[1].id]
        assert d.session().tasks[task].status is None
        assert [item.status for item in d.session().tasks[task].todo.items] == ["done", "done"]
        await d.agent.reject(rest.id, rest.digest)
        assert [item.status for item in d.session().tasks[task].todo.items] == ["done", "pending"]
        assert d.ending().status == "done"
        await d.agent.undo(applied.id)
        assert d.text() == CART
        await d.run("And now?", session=d.session().id)
        heard = d.heard()[-1].content
        assert "A part of your last change was applied" in heard
        assert "refused" in heard
        assert "-    return len(items) - 1" in heard


async def test_a_change_taken_hunk_by_hunk_is_taken_back_in_any_order(tmp_path: Path) -> None:
    async with desk(tmp_path, [FIX_TOTAL, FIX_COUNT], "Both.") as d:
        await d.run()
        first = d.change()
        await d.agent.accept(first.id, first.digest, [first.hunks[1].id])
        (rest,) = d.session().proposed()
        await d.agent.accept(rest.id, rest.digest)
        assert d.ending().status == "done"
        assert d.text() == CART.replace("sum(items) - 1", "sum(items)").replace("len(items) - 1", "len(items)")
        await d.agent.undo(first.id)
        assert d.text() == CART.replace("sum(items) - 1", "sum(items)")
        await d.agent.undo(rest.id)
        assert d.text() == CART


async def test_a_hunk_can_be_refused_and_the_model_hears_of_it(tmp_path: Path) -> None:
    async with desk(tmp_path, PLAN, FIX_TOTAL, NEXT, FIX_COUNT, "Both.", "Hm.") as d:
        task = await d.run()
        change = d.change()
        left = await d.agent.reject(change.id, change.digest, [change.hunks[1].id])
        assert [item.status for item in d.session().tasks[task].todo.items] == ["done", "pending"]
        await d.agent.accept(left.id, left.digest)
        assert d.text() == CART.replace("sum(items) - 1", "sum(items)")
        await d.run("And now?", session=d.session().id)
        assert "-    return len(items) - 1" in d.heard()[-1].content
        assert "refused" in d.heard()[-1].content


async def test_a_decision_names_what_was_seen(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run()
        with pytest.raises(StaleError):
            await d.agent.accept(d.change().id, "0" * 64)
        with pytest.raises(BadRequestError, match="no hunk nope"):
            await d.agent.accept(d.change().id, d.change().digest, ["nope"])
        await d.agent.reject(d.change().id, d.change().digest, reason="no")
        assert isinstance(d.change().state, Rejected)
        assert d.ending().status == "stopped"
        with pytest.raises(BadRequestError, match="rejected"):
            await d.agent.accept(d.change().id, d.change().digest)
        with pytest.raises(BadRequestError, match="no change"):
            await d.agent.undo("change-x")


async def test_undo_and_its_refusal_after_later_edits(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run()
        applied = await d.agent.accept(d.change().id, d.change().digest)
        after = d.text()
        d.type(after.replace("sum(items)", "sum(items) + 7"), 9)
        with pytest.raises(StaleError):
            await d.agent.undo(applied.id)
        d.type(after + "# mine\n", 10)
        await d.agent.undo(applied.id)
        assert d.text() == CART + "# mine\n"
        assert isinstance(d.change().state, Undone)


async def test_what_the_editor_took_back_itself_counts_as_undone(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run()
        await d.agent.accept(d.change().id, d.change().digest)
        writes = len(d.applier.applied)
        d.type(CART, 9)
        await d.agent.undo(d.change().id)
        assert isinstance(d.change().state, Undone)
        assert len(d.applier.applied) == writes


async def test_create_and_delete_through_the_whole_way(tmp_path: Path) -> None:
    async with desk(tmp_path, call("write", path="pkg/new.py", content="x = 1\n"), "Made.") as d:
        await d.run()
        await d.agent.accept(d.change().id, d.change().digest)
        made = d.world.buffer(d.root / "pkg/new.py")
        assert made is not None
        assert made.text == "x = 1\n"
        await d.agent.undo(d.change().id)
        assert d.world.buffer(d.root / "pkg/new.py") is None


async def test_a_cut_reply_is_never_executed(tmp_path: Path) -> None:
    cut = Reply("Now:", (FIX_TOTAL,), Usage(), "length")
    async with desk(tmp_path, cut, "I give up.") as d:
        task = await d.run()
        assert d.session().changes == {}
        assert "cut" in d.heard()[-1].content
        assert d.ending() == ev.TaskFinished(task, "done", "I give up.")


async def test_empty_replies_end_the_task(tmp_path: Path) -> None:
    async with desk(tmp_path, "", " ", "\n", "") as d:
        await d.run()
        assert d.ending().status == "stopped"
        assert "empty" in d.ending().summary


async def test_bad_calls_are_answered_and_change_nothing(tmp_path: Path) -> None:
    bad = [
        call("fly"),
        call("edit", path="cart.py", old="x"),
        call("edit", path="cart.py", old="nowhere", new="x"),
        call("edit", path="cart.py", old="items", new="x"),
        call("read", path="../secret"),
        call("read", path="nope.py"),
        call("read", path=".git/config"),
        call("write", path="cart.py", content=""),
        call("read", path="cart.py", start="two"),
        call("edit", path="cart.py", old="a", new="b", extra=1),
    ]
    async with desk(tmp_path, bad, "Enough.") as d:
        await d.run()
        answers = [m.content for m in d.heard() if m.role == "tool"]
        assert len(answers) == len(bad)
        wanted = [
            "no tool",
            "needs new",
            "not found in",
            "line",
            "outside",
            "does not exist",
            "version control",
            "has content",
        ]
        for answer, part in zip(answers, [*wanted, "must be an integer", "has no extra"], strict=True):
            assert part in answer, answer
        assert d.session().changes == {}


async def test_cancelling_closes_every_open_call(tmp_path: Path) -> None:
    slow = call("run", command="sleep 60")
    async with desk(tmp_path, [FIX_TOTAL, slow, FIX_COUNT], sandbox="off") as d:
        d.answers.answers = ["Run it"]
        started = await d.agent.start(StartRequest("Mend it"))
        while not d.answers.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        await d.agent.cancel(started.task)
        assert d.ending().status == "cancelled"
        assert [m.name for m in d.session().messages if m.role == "tool"] == ["edit", "run", "edit"]
        begun = [e.body.call for e in d.events if isinstance(e.body, ev.ToolStarted)]
        ended = [e.body.call for e in d.events if isinstance(e.body, ev.ToolFinished)]
        assert begun == ended
        assert d.text() == CART


async def test_repetition_and_steps_are_limited(tmp_path: Path) -> None:
    async with desk(tmp_path, *[call("read", path="nope.py") for _ in range(9)]) as d:
        await d.run()
        assert "same `read` call" in d.ending().summary
    async with desk(tmp_path, *[call("search", pattern=f"x{n}") for n in range(9)], max_steps=4) as d:
        await d.run()
        assert "4 steps" in d.ending().summary


async def test_plan_mode_writes_the_list_and_nothing_else(tmp_path: Path) -> None:
    async with desk(tmp_path, PLAN, FIX_TOTAL, "That is the plan.") as d:
        task = await d.run(mode="plan")
        assert d.ending() == ev.TaskFinished(task, "done", "That is the plan.")
        assert d.session().changes == {}
        assert len(d.session().tasks[task].todo.items) == 2


async def test_the_users_list_rules(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def wait(_: object) -> str:
        await gate.wait()
        return "Looking."

    async with desk(tmp_path, PLAN, wait, "There is nobody to say it to.") as d:
        started = await d.agent.start(StartRequest("Mend it"))
        while len(d.model.requests) < 2:
            await asyncio.sleep(0.01)
        d.agent.edit_todo(started.task, [Todo("t1", "Mend total", "skipped"), Todo("u1", "Say hello", by="user")])
        gate.set()
        await d.agent.wait(started.task)
    items = d.session().tasks[started.task].todo.items
    assert [(item.title, item.status) for item in items] == [("Mend total", "skipped"), ("Say hello", "pending")]


async def test_auto_mode_applies_only_what_is_checked(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.", sandbox="auto") as d:
        await d.run(mode="auto", check="true")
        assert d.ending().status == "done"
        assert d.text() == CART.replace("sum(items) - 1", "sum(items)")
    async with desk(tmp_path, FIX_COUNT, "One.", "Two.", "Three.", "Four.") as d:
        await d.run(mode="auto", check="echo broken; false")
        assert isinstance(d.change().state, Proposed)
        assert "broken" in d.heard()[-1].content
        assert d.text() == CART


async def test_a_proposal_outlives_the_process(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run()
        seen = d.change()
    async with desk(tmp_path) as d:
        (overview,) = await d.agent.overview()
        assert overview.changes[0].digest == seen.digest
        await d.agent.accept(seen.id, seen.digest)
        assert d.text() == CART.replace("sum(items) - 1", "sum(items)")


async def test_a_proposal_is_applied_only_in_folders_that_are_open(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run()
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        d.world.folders = Folders.of(elsewhere)
        with pytest.raises(BadRequestError, match="no open workspace folder"):
            await d.agent.accept(d.change().id, d.change().digest)
        assert isinstance(d.change().state, Proposed)
        d.world.folders = Folders.of(d.root)
        await d.agent.accept(d.change().id, d.change().digest)


async def test_what_the_person_did_by_hand_counts_as_applied_and_can_be_undone(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Mended.") as d:
        await d.run()
        d.type(CART.replace("sum(items) - 1", "sum(items)"))
        await d.agent.accept(d.change().id, d.change().digest)
        assert isinstance(d.change().state, Applied)
        assert d.applier.applied == []
        await d.agent.undo(d.change().id)
        assert d.text() == CART


async def test_a_new_request_goes_on_from_the_proposal(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.", FIX_COUNT, "Two.") as d:
        await d.run()
        first = d.change()
        await d.run("And count too", session=d.session().id)
        second = d.change()
        assert len(second.hunks) == 2
        assert isinstance(d.session().changes[first.id].state, Rejected)


async def test_a_session_does_one_thing_at_a_time_and_two_go_side_by_side(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def wait(_: object) -> str:
        await gate.wait()
        return "Done."

    async with desk(tmp_path, wait, wait) as d:
        first = await d.agent.start(StartRequest("One"))
        with pytest.raises(BadRequestError, match="busy"):
            await d.agent.start(StartRequest("Again", session=first.session))
        second = await d.agent.start(StartRequest("Two"))
        gate.set()
        await d.agent.wait(first.task)
        await d.agent.wait(second.task)
        ended = {e.body.task: e.body.status for e in d.events if isinstance(e.body, ev.TaskFinished)}
        assert ended == {first.task: "done", second.task: "done"}


@pytest.mark.parametrize("prompt", ["", "  \n", "x" * 200_001])
async def test_bad_prompts(tmp_path: Path, prompt: str) -> None:
    async with desk(tmp_path) as d:
        with pytest.raises(BadRequestError):
            await d.agent.start(StartRequest(prompt))


async def test_the_prompt_only_grows(tmp_path: Path) -> None:
    async with desk(tmp_path, PLAN, FIX_TOTAL, NEXT, FIX_COUNT, "Both.", "More.") as d:
        await d.run()
        await d.agent.accept(d.change().id, d.change().digest)
        await d.run("And now?", session=d.session().id)
        for shorter, longer in zip(d.model.requests, d.model.requests[1:], strict=False):
            assert tuple(longer.messages)[: len(shorter.messages)] == tuple(shorter.messages)
            assert longer.tools == shorter.tools
