"""A working day in short; `make torture` spends a whole one (`tests/torture/test_load.py`)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kaaj_server.testing_load import told, work

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is looked at in /proc")


async def test_tasks_and_keystrokes_leave_nothing_over(tmp_path: Path) -> None:
    report = await work(tmp_path, tasks=30, keystrokes=1_500, files=20, runs_each=10)
    assert (report.tasks, report.keystrokes) == (30, 1_500), told(report)
    assert report.late.children == 0, told(report)
    assert report.late.threads <= report.early.threads + 4, told(report)
    assert report.late.memory <= report.early.memory + 48 * 1_048_576, told(report)
