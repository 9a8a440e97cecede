"""Suspects by what tests execute: traced in a fork of the check, read with care."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from kaaj_agent.guided import coverage, localise
from kaaj_agent.guided.coverage import Coverage, Test, read
from kaaj_agent.guided.evidence import Case, Place
from kaaj_agent.guided.forking import ForkRunner
from kaaj_agent.guided.localise import Focus
from kaaj_agent.guided.sources import Sources
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.shadow import Shadow
from kaaj_agent.world import Folders, World

ROOT = Path("/project")
CODE = """\
TABLE = {}


def known(name):
    def kept(function):
        TABLE[name] = function
        return function
    return kept


@known("double")
def twice(x):
    if x > 2:
        return x + 2
    y = x * 2
    return y


@known("half")
def halved(x):
    return x / 2


def run(name, x):
    return TABLE[name](x)
"""
TEST = """\
import unittest
import shop


class Prices(unittest.TestCase):
    def test_three(self):
        self.assertEqual(shop.run("double", 3), 6)

    def test_half(self):
        self.assertEqual(shop.run("half", 4), 2)
"""
PYTEST = f"{sys.executable} -m pytest -q -p no:asyncio -p no:cacheprovider"
UNITTEST = f"{sys.executable} -m unittest"


def sources(root: Path = ROOT) -> Sources:
    return Sources(Folders.of(root), {root / "shop.py": CODE, root / "test_shop.py": TEST})


def record(test: str, ok: bool, lines: dict[str, list[int]]) -> str:  # noqa: FBT001 - as the report has it
    return json.dumps({"test": test, "file": "/project/test_shop.py", "ok": ok, "lines": lines})


@pytest.fixture
async def shadow(tmp_path: Path) -> AsyncGenerator[Shadow]:
    root = (tmp_path / "project").resolve()
    root.mkdir()
    (root / "shop.py").write_text(CODE)
    (root / "test_shop.py").write_text(TEST)
    state = tmp_path / "state"
    sandbox = await Sandbox.find([state])
    if not sandbox.available:
        pytest.skip("forks are made in bubblewrap alone")
    opened = await Shadow.open(Folders.of(root), state, sandbox=sandbox)
    await opened.sync(World(Folders.of(root)).snapshot())
    yield opened
    await opened.close()


@pytest.mark.parametrize("command", [PYTEST, UNITTEST])
async def test_a_function_that_is_found_in_a_table_is_suspected_by_what_runs(shadow: Shadow, command: str) -> None:
    where = sources(shadow.root)
    case = Case("x", "test_three")
    runner = await ForkRunner.start(shadow, command)
    assert runner is not None
    try:
        data = await runner.covered([shadow.root], ["test_three"], 60)
        again = await runner.run({}, 60)
    finally:
        await runner.close()
    assert again is not None
    assert not again.ok, "later runs are as before"
    held = read(data, where.known, {"test_three"})
    assert held is not None
    assert [test.name for test in held.failing] == ["test_three"]
    assert [test.name for test in held.passing] == ["test_half"]
    static = localise.suspects(where, [case], [], Focus(""))
    assert "twice" not in [suspect.span.name for suspect in static]
    found = localise.suspects(where, [case], [], Focus(""), coverage=held)
    names = [suspect.span.name for suspect in found if suspect.span.name]
    assert "twice" in names[:2]
    assert "halved" not in names
    assert (shadow.root / "shop.py", next(s.span for s in found if s.span.name == "twice")) in localise.led_to(
        where, case, held
    )


def test_what_no_failing_test_executes_comes_last() -> None:
    where = sources()
    path = str(ROOT / "shop.py")
    held = read("\n".join([record("test_three", False, {path: [13, 14, 25]})]).encode(), where.known, {"test_three"})
    assert held is not None
    places = [Place(ROOT / "shop.py", 21)]
    named = [s.span.name for s in localise.suspects(where, [Case("x", "test_three")], places, Focus(""))]
    assert named[0] == "halved"
    found = localise.suspects(where, [Case("x", "test_three")], places, Focus(""), coverage=held)
    names = [suspect.span.name for suspect in found if suspect.span.name]
    assert set(names[:2]) == {"twice", "run"}
    assert "halved" in names[2:]


def test_branches_that_no_failing_test_takes_are_idle() -> None:
    path = ROOT / "shop.py"
    text = "def f(x):\n    if x:\n        a = 1\n        b = (\n            2)\n    else:\n        a = 3\n"
    text += "    g(a)\n    return a\n"
    test = Test("t", "", False, {path: frozenset({2, 7, 8})})
    held = Coverage([test], [], {})
    assert held.idle(path, text, {"t"}) == {3, 4, 5}, "what comes after a line that raised is not idle"
    assert held.idle(path, text, {"t", "not seen"}) == frozenset()
    stopped = Coverage([Test("t", "", False, {path: frozenset({2})})], [], {})
    assert stopped.idle(path, text, {"t"}) == frozenset(), "the condition itself may have raised"
    fixture = Coverage([test], [], {path: frozenset({3})})
    assert fixture.idle(path, text, {"t"}) == frozenset()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe{}[",
        b"[" * 100_000,
        b'{"test": "t", "file": 3, "ok": false, "lines": {"/project/shop.py": [1]}}',
        b'{"test": "t", "file": "x", "ok": false, "lines": {"/project/shop.py": "1"}}',
        b'{"test": "t", "file": "x", "ok": false, "lines": {"/etc/passwd": [1]}}',
        b'{"test": "t", "file": "x", "ok": false, "lines": []}',
        b'{"lines": {"/project/shop.py": [1]}}',
    ],
)
def test_a_damaged_report_is_none(data: bytes) -> None:
    held = read(data, sources().known, {"t"})
    assert held is None


def test_of_a_hostile_report_only_known_files_and_lines_count() -> None:
    path = str(ROOT / "shop.py")
    lines = {path: [14, -1, True, 10**9, 2.5, None], "/etc/passwd": [1], "../shop.py": [2]}
    data = "\n".join([json.dumps({"test": "t", "file": "", "ok": False, "lines": lines}), "{", record("u", True, {})])
    held = read(data.encode(), sources().known, {"t"})
    assert held is not None
    assert held.failing[0].lines == {Path(path): frozenset({14})}


def test_a_report_that_is_too_long_is_cut() -> None:
    path = str(ROOT / "shop.py")
    good = record("t", False, {path: [14]})
    more = [record(f"u{number}", True, {path: [1]}) for number in range(10_000)]
    held = read("\n".join([good, *more]).encode(), sources().known, {"t"})
    assert held is not None
    assert len(held.passing) == coverage.TESTS_MAX
