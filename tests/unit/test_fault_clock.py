"""Clocks that jump, forth and back: ids, order, limits, leases and locks do not know the time of day."""

from __future__ import annotations

import os
import time
from itertools import cycle
from pathlib import Path

import pytest

from kaaj_agent.changes import Applied, Undone
from kaaj_agent.embedded.home import Home
from kaaj_agent.ignore import Ignore
from kaaj_agent.model.errors import retry_after
from kaaj_agent.session_log import SessionLog
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import CART, FIX_COUNT, FIX_TOTAL, assert_whole, desk
from kaaj_agent.world import Folders

DAY = 86_400.0
NOW = 1_800_000_000.0
JUMPS = (NOW, NOW + 400 * DAY, NOW - 3 * 365 * DAY, 0.0, NOW + 1, 4_000_000_000.0, NOW)


class Jumping:
    """A clock that is set at each look; what it measures by goes on as ever."""

    def __init__(self) -> None:
        self._times = cycle(JUMPS)

    def now(self) -> float:
        return next(self._times)

    def monotonic(self) -> float:
        return time.monotonic()


async def test_sessions_outlive_a_clock_that_jumps(tmp_path: Path) -> None:
    names: list[str] = []
    for number in range(len(JUMPS)):
        add = call("write", path=f"new{number}.py", content="x = 1\n")
        async with desk(tmp_path, FIX_TOTAL if number == 0 else add, "One.", FIX_COUNT, "Two.") as d:
            await d.agent.restore()
            d.agent.clock = d.agent.archive.clock = Jumping()
            for _ in range(number):
                d.agent.archive.clock.now()  # so that each session begins at another time
            await d.run()
            names.append(d.events[0].session)
            change = d.agent._sessions[names[-1]].proposed()[0]
            applied = await d.agent.accept(change.id, change.digest)
            assert isinstance(applied.state, Applied)
            await d.agent.undo(change.id)
            assert_whole(d)
    assert len(set(names)) == len(names)
    assert names == sorted(names), "the newest is the last by its name, whatever the clock said"
    async with desk(tmp_path) as d:
        found = await d.agent.overview()
        assert [one.id for one in found] == names
        assert all(isinstance(one.changes[0].state, Undone) for one in found)
        assert d.text() == CART


@pytest.mark.parametrize("jump", [-400 * DAY, 400 * DAY])
async def test_a_tasks_limit_does_not_know_the_time_of_day(
    tmp_path: Path, jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = time.time

    async def later(_: object) -> object:
        monkeypatch.setattr(time, "time", lambda: true() + jump)
        return FIX_TOTAL

    async with desk(tmp_path, later, "Mended.", max_seconds=60) as d:
        await d.run()
        await d.agent.accept(d.change().id, d.change().digest)
        assert d.ending().status == "done"


@pytest.mark.parametrize("stamp", [0.0, 1.0, NOW - 9 * 365 * DAY, 4_000_000_000.0])
def test_leases_and_locks_are_held_by_processes_and_not_by_time(tmp_path: Path, stamp: float) -> None:
    home = Home.of(tmp_path, "m")
    home.prepare()
    alive = home.alive_lock()
    alive.acquire()
    lease = home.take_lease()
    log = SessionLog.create(tmp_path / "s.jsonl", "s", (), stamp)
    for path in tmp_path.rglob("*"):
        os.utime(path, (stamp, stamp))
    assert home.is_alive()
    assert home.live_leases() == 1
    with pytest.raises(BlockingIOError):
        SessionLog.reopen(tmp_path / "s.jsonl")
    log.close()
    home.drop_lease(lease)
    alive.release()
    assert home.live_leases() == 0
    assert not home.is_alive()


@pytest.mark.parametrize("stamp", [0.0, 4_000_000_000.0])
def test_a_rule_file_of_another_time_counts_at_once(tmp_path: Path, stamp: float) -> None:
    """What was changed is seen by any difference of the stamp, not by a later one."""
    ignore = Ignore(Folders.of(tmp_path))
    rules = tmp_path / ".gitignore"
    rules.write_text("a.txt\n")
    assert ignore.ignored(tmp_path / "a.txt")
    rules.write_text("b.txt\n")
    os.utime(rules, (stamp, stamp))
    assert not ignore.ignored(tmp_path / "a.txt")
    assert ignore.ignored(tmp_path / "b.txt")


def test_a_date_to_try_again_at_is_bounded_by_patience_not_by_the_clock() -> None:
    assert retry_after({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}) == 0.0
    far = retry_after({"retry-after": "Thu, 01 Jan 2099 00:00:00 GMT"})
    assert far is not None
    assert far > 0
