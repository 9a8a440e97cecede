"""What comes back after a crash, and in which state."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kaaj_agent import events as ev
from kaaj_agent.ports import Message, Question
from kaaj_agent.request import StartRequest
from kaaj_agent.session_log import SessionLog, replay
from kaaj_agent.testing_desk import (
    FIX_COUNT,
    FIX_TOTAL,
    PLAN,
    Gate,
    assert_legal,
    desk,
)


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
