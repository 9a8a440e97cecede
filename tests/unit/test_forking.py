"""Candidates judged in forks of the check's own command, in the sandbox."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from kaaj_agent.guided.evidence import failing_cases
from kaaj_agent.guided.forking import ForkRunner
from kaaj_agent.guided.narrow import forkable
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.shadow import Shadow
from kaaj_agent.world import Folders, World

CODE = "def double(x):\n    return x + 2\n"
TEST = """\
import json
import shop

def test_three():
    assert shop.double(3) == 6

def test_two():
    assert shop.double(2) == 4
"""
PYTEST = f"{sys.executable} -m pytest -q -W error -p no:asyncio -p no:cacheprovider test_shop.py"


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


def failing(output: str) -> list[str]:
    return [case.name for case in failing_cases(output)]


@pytest.mark.parametrize("command", [PYTEST, f"SOME=thing {PYTEST}"])
async def test_each_candidate_is_judged_by_itself(shadow: Shadow, command: str) -> None:
    code = shadow.root / "shop.py"
    runner = await ForkRunner.start(shadow, command)
    assert runner is not None
    try:
        for text, names in (
            (None, ["test_three"]),
            ("def double(x):\n    return x * 2\n", []),
            ("def double(x):\n    return x * 3\n", ["test_three", "test_two"]),
            ("import nothing_of_the_kind\n", ["test_shop"]),
            (None, ["test_three"]),
        ):
            result = await runner.run({code: text.encode()} if text else {}, 60)
            assert result is not None
            assert failing(result.output) == names, result.output
            assert result.ok is (not names)
        assert shadow.place_of(code).read_text() == CODE, "what stood there is put back"
    finally:
        await runner.close()
    assert not runner.alive
    assert await runner.run({}, 1) is None


async def test_one_that_hangs_or_leaves_something_running_is_ended(shadow: Shadow) -> None:
    code = shadow.root / "shop.py"
    runner = await ForkRunner.start(shadow, PYTEST)
    assert runner is not None
    try:
        hung = await runner.run({code: b"while True:\n    pass\n"}, 1)
        assert hung is not None
        assert hung.exit_code == -1
        good = await runner.run({code: b"def double(x):\n    return 2 * x\n"}, 60)
        assert good is not None
        assert good.ok
    finally:
        await runner.close()


async def test_nothing_is_written_or_removed_where_the_command_puts_a_link(shadow: Shadow, tmp_path: Path) -> None:
    """The folder of requests lies where the command can write: it moves it away, and lays a link in its place."""
    victim = tmp_path / "victim"
    victim.mkdir()
    kept = {f"{number}{suffix}" for number in range(1, 4) for suffix in (".out", ".json", ".lines", ".cover.json")}
    for name in kept:
        (victim / name).write_text("mine")
    code = shadow.root / "shop.py"
    hostile = f"""
import glob, os
for place in glob.glob(os.path.expanduser("~/.check-*")):
    if not os.path.islink(place):
        os.rename(place, place.replace(".check", ".moved"))
        os.symlink({str(victim)!r}, place)
{CODE}"""
    runner = await ForkRunner.start(shadow, PYTEST)
    assert runner is not None
    try:
        for _ in range(2):
            await runner.run({code: hostile.encode()}, 60)
        await runner.covered([shadow.root], ["test_three"], 60)
    finally:
        await runner.close()
    assert {path.name for path in victim.iterdir()} == kept
    assert all((victim / name).read_text() == "mine" for name in kept)


async def test_cancelling_ends_it_at_once(shadow: Shadow) -> None:
    runner = await ForkRunner.start(shadow, PYTEST)
    assert runner is not None
    running = asyncio.create_task(runner.run({shadow.root / "shop.py": b"while True:\n    pass\n"}, 3600))
    await asyncio.sleep(0.3)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not runner.alive


async def test_a_command_that_does_not_wait_is_none(shadow: Shadow) -> None:
    assert await ForkRunner.start(shadow, "true") is None


@pytest.mark.parametrize(
    ("command", "good"),
    [
        ("pytest", True),
        ("python3 -m pytest -q tests", True),
        ("A=b .venv/bin/pytest -x", True),
        ("python -m unittest", True),
        ("python check.py", False),
        ("make test", False),
        ("pytest; rm x", False),
        ("pytest 'a", False),
    ],
)
def test_what_is_forked(command: str, *, good: bool) -> None:
    assert forkable(command) is good
