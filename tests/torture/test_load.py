"""Eight hours of editing in minutes: 1,000 tasks, four at once, 100,000 keystrokes into 50 open files.

With KAAJ_TORTURE above 1,000 there are as many tasks, and a hundred keystrokes for each. The caps are those of
`docs/limits.md`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from kaaj_agent.request import StartRequest
from kaaj_agent.resting import LIVE_MAX
from kaaj_agent.testing_desk import CART, FIX_TOTAL, desk
from kaaj_server.testing_load import told, work

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is looked at in /proc"),
    pytest.mark.timeout(7_200),
]
TASKS = max(1_000, int(os.environ.get("KAAJ_TORTURE", "0")))
ALONE = TASKS // 10
MEGABYTE = 1_048_576


async def test_a_day_of_editing_keeps_within_the_caps_and_leaves_nothing_over(tmp_path: Path) -> None:
    """Events were in order and the texts the editor's: `work` has looked at each."""
    report = await work(tmp_path, tasks=TASKS, keystrokes=100 * TASKS, files=50)
    print("\n" + told(report))
    assert (report.tasks, report.keystrokes) == (TASKS, 100 * TASKS)
    assert report.peak <= 400 * MEGABYTE
    assert report.late.memory <= report.early.memory + 64 * MEGABYTE
    assert report.late.children == 0
    assert report.late.threads <= report.early.threads + 4
    assert report.late.descriptors <= 2 * LIVE_MAX + 60


async def test_no_task_of_asyncio_is_left_over(tmp_path: Path) -> None:
    """The agent alone, in this process: what it started has ended, whatever became of it."""
    before = asyncio.all_tasks()
    async with desk(tmp_path, *[turn for _ in range(ALONE) for turn in (FIX_TOTAL, "Done.")]) as d:
        for number in range(ALONE):
            started = await d.agent.start(StartRequest("Mend it"))
            if number % 5 == 0:
                await d.agent.cancel(started.task)
                continue
            await d.agent.wait(started.task)
            session = d.agent._sessions[started.session]
            change = list(session.changes.values())[-1]
            if number % 2:
                await d.agent.accept(change.id, change.digest)
                d.type(CART, version=number + 3)
            else:
                await d.agent.reject(change.id, change.digest)
        await asyncio.sleep(0.2)
        left = {task for task in asyncio.all_tasks() - before if not task.done()}
        assert len(left) == 0, left
        assert len(d.agent._sessions) <= LIVE_MAX + 1
        assert not d.agent._runners
