"""Sessions that rest: what is idle leaves the memory beyond a number, and comes back whole when it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaaj_agent import agent as agent_module
from kaaj_agent import events as ev
from kaaj_agent.changes import Applied, Undone
from kaaj_agent.failures import BadRequestError
from kaaj_agent.request import Started, StartRequest
from kaaj_agent.session import PROSE_PIECE
from kaaj_agent.testing_desk import FIX_TOTAL, desk


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "LIVE_MAX", 3)


async def test_idle_sessions_beyond_the_newest_leave_the_memory_and_come_back(tmp_path: Path) -> None:
    async with desk(tmp_path, *["Nothing to do."] * 8) as d:
        rested: list[str] = []
        d.agent.rested = rested.append
        started: list[Started] = []
        for number in range(6):
            started.append(await d.agent.start(StartRequest(f"Look {number}")))
            await d.agent.wait(started[-1].task)
        assert len(d.agent._sessions) == 3
        assert rested == [one.session for one in started[:3]]
        first = (await d.agent.overview(started[0].session))[0]
        assert [task.prompt for task in first.tasks] == ["Look 0"]
        assert first.seq == len([e for e in d.events if e.session == first.id])
        again = await d.agent.start(StartRequest("Go on", session=started[0].session))
        await d.agent.wait(again.task)
        seqs = [event.seq for event in d.events if event.session == first.id]
        assert seqs == list(range(1, len(seqs) + 1))


async def test_an_applied_change_of_a_session_that_rests_is_undone(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Done.", *["Nothing."] * 6) as d:
        await d.run()
        change = d.change()
        applied = await d.agent.accept(change.id, change.digest)
        assert isinstance(applied.state, Applied)
        for number in range(6):
            await d.run(f"Look {number}")
        assert change.id not in {name for session in d.agent._sessions.values() for name in session.changes}
        undone = await d.agent.undo(change.id)
        assert isinstance(undone.state, Undone)
        assert "- 1" in d.text()


async def test_a_session_with_a_proposal_stays(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "Done.", *["Nothing."] * 6) as d:
        await d.run()
        change = d.change()
        for number in range(6):
            await d.run(f"Look {number}")
        assert change.id in d.session().changes
        assert len(d.agent._sessions) == 4


@pytest.mark.parametrize("name", ["../sessions/x", "/etc/passwd", "", ".", "no-such", "a\0b", "x" * 5_000])
async def test_a_session_is_named_by_its_id_alone(tmp_path: Path, name: str) -> None:
    async with desk(tmp_path, "Nothing.") as d:
        await d.run()
        with pytest.raises(BadRequestError):
            await d.agent._session(name)


async def test_a_session_of_another_workspace_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with desk(tmp_path / "one", "Nothing.") as d:
        await d.run()
        name = d.session().id
    async with desk(tmp_path / "two", "Nothing.") as other:
        other.agent.archive.folder = tmp_path / "one" / "state" / "sessions"
        with pytest.raises(BadRequestError, match="no session"):
            await other.agent._session(name)


async def test_only_so_many_tasks_are_at_work_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "TASKS_MAX", 2)
    async with desk(tmp_path, *["Nothing."] * 4) as d:
        first, second = await d.agent.start(StartRequest("One")), await d.agent.start(StartRequest("Two"))
        with pytest.raises(BadRequestError, match="at work already"):
            await d.agent.start(StartRequest("Three"))
        await d.agent.wait(first.task)
        await d.agent.wait(second.task)
        await d.run("Three")


async def test_prose_is_a_few_pieces_in_memory_and_all_of_them_in_the_stream(tmp_path: Path) -> None:
    words = [f"word {number} " for number in range(3_000)]
    async with desk(tmp_path) as d:
        session = d.agent._new_session()
        session.emit(ev.TaskStarted("task", "Talk", "ask"))
        for word in words:
            session.emit(ev.TextAdded("task", word))
        session.emit(ev.TextAdded("task", "anew", reset=True))
        kept = [event.body for event in session.events if isinstance(event.body, ev.TextAdded)]
        assert "".join(body.text for body in kept) == "".join(words) + "anew"
        assert kept[-1].reset
        assert len(kept) <= 2 + sum(map(len, words)) // (PROSE_PIECE - 20)
        assert session.seq == len(words) + 2 == len(d.events)
        assert [event.seq for event in d.events] == list(range(1, session.seq + 1))
