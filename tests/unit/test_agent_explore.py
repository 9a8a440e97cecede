"""Explorations have a context of their own; refused hunks are remembered."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kaaj_agent import events as ev
from kaaj_agent.ports import Reply, Request, Usage
from kaaj_agent.request import StartRequest
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import FIX_COUNT, FIX_TOTAL, SECONDS, assert_legal, assert_whole, desk

ASK = call("explore", question="Where is the sum made?")


def is_apart(request: Request) -> bool:
    return "colleague" in request.messages[0].content


async def test_a_question_is_answered_apart(tmp_path: Path) -> None:
    looks = [
        call("search", pattern="sum"),
        call("read", path="cart.py"),
        call("edit", path="cart.py", old="a", new="b"),
    ]
    usage = Usage(1_000, 0, 50, 1)
    async with desk(tmp_path, ASK, Reply("", tuple(looks), usage, "calls"), "In cart.py:2.", FIX_TOTAL, "Done.") as d:
        await d.run()
        apart = [request for request in d.model.requests if is_apart(request)]
        assert len(apart) == 2
        assert [spec.name for spec in apart[0].tools] == ["read", "search", "list", "diagnostics"]
        assert_legal(list(apart[1].messages))
        assert "There is no tool `edit` here" in apart[1].messages[-1].content
        mine = d.heard()
        assert [m.content for m in mine if m.role == "tool"] == ["In cart.py:2.", "Staged: cart.py line 2."]
        assert not any("return sum(items) - 1" in m.content for m in mine if m.role == "tool")
        begun = [e.body.title for e in d.events if isinstance(e.body, ev.ToolStarted)]
        assert begun[0] == "Explore: Where is the sum made?"
        assert begun[1:3] == ["Search `sum`", "Read cart.py"]
        used = [e.body for e in d.events if isinstance(e.body, ev.UsageAdded)]
        assert [one.used for one in used] == [110, 110, 110, 110, 110]  # the main prompt's; the others are not in it
        assert used[-1].total.requests == 5
        assert_whole(d)


async def test_what_was_read_apart_is_not_taken_for_shown(tmp_path: Path) -> None:
    read = call("read", path="cart.py")
    async with desk(tmp_path, ASK, read, "In cart.py:2.", read, "Done.") as d:
        await d.run()
        assert "return sum(items) - 1" in d.heard()[-1].content


async def test_an_exploration_ends(tmp_path: Path) -> None:
    """Its steps are few, it counts against the task's limits, and the last reply is taken whatever it is."""
    turns = [call("search", pattern=f"x{at}") for at in range(11)]
    async with desk(tmp_path, ASK, *turns, Reply("Half.", (turns[0],), Usage(1, 0, 1, 1), "calls"), "Done.") as d:
        await d.run()
        assert d.heard()[-1].content == "Half."
        asked = [request for request in d.model.requests if is_apart(request)]
        assert len(asked) == 12
        assert "Answer now" in asked[-1].messages[-1].content
    async with desk(tmp_path, ASK, *turns, max_steps=5) as d:
        await d.run()
        assert "5 steps" in d.ending().summary
        assert_whole(d)


async def test_an_exploration_is_cancelled_at_once(tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def hangs(_: Request) -> str:
        reached.set()
        await asyncio.Event().wait()
        return ""

    async with desk(tmp_path, [ASK, call("explore", question="And the count?")], hangs, hangs) as d:
        started = await d.agent.start(StartRequest("Mend it"))
        async with asyncio.timeout(SECONDS):
            await reached.wait()
            await d.agent.cancel(started.task)
        assert d.ending().status == "cancelled"
        assert_whole(d)
        assert_legal(d.session().messages)


async def test_two_questions_are_looked_into_at_the_same_time(tmp_path: Path) -> None:
    both = asyncio.Barrier(2)

    async def meet(request: Request) -> str:
        await both.wait()
        return f"Answer to {request.messages[1].content}"

    questions = [call("explore", question="one"), call("explore", question="two")]
    async with desk(tmp_path, questions, meet, meet, "Done.") as d:
        async with asyncio.timeout(SECONDS):
            await d.run()
        assert [m.content for m in d.heard() if m.role == "tool"] == ["Answer to one", "Answer to two"]


async def test_a_change_that_was_refused_is_noticed_when_it_is_made_again(tmp_path: Path) -> None:
    async with desk(tmp_path, [FIX_TOTAL, FIX_COUNT], "Both.", FIX_TOTAL, FIX_COUNT, "Again.") as d:
        await d.run()
        change = d.change()
        await d.agent.reject(change.id, change.digest, [change.hunks[0].id], "not that")
        await d.agent.reject(change.id, d.change().digest, reason="NEEDLE")
        await d.run("Go on", session=d.session().id)
        told = [m.content for m in d.heard() if m.role == "tool"][2:]
        assert all("The user refused this very change before" in text for text in told)
        assert "NEEDLE" in told[1]
        path = d.session().refused
    async with desk(tmp_path) as d:
        await d.agent.restore()
        assert d.session().refused == path


async def test_a_proposal_that_a_newer_one_replaced_was_refused_by_nobody(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.", FIX_COUNT, "Two.") as d:
        await d.run()
        await d.run("Go on", session=d.session().id)
        assert d.session().refused == []
