"""`kaaj undo`: without an editor, at any later time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kaaj_agent.agent import Agent
from kaaj_agent.history import History
from kaaj_agent.journal import DiskApplier
from kaaj_agent.ports import Model
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel, call
from kaaj_agent.testing_world import Answers, Problems
from kaaj_agent.world import Folders, World
from kaaj_server import __main__ as program

CART = "def total(items):\n    return sum(items) - 1\n"
FIXED = CART.replace(" - 1", "")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which `kaaj run` has applied a change to two files."""
    root, state = tmp_path / "shop", tmp_path / "state"
    root.mkdir()
    (root / "cart.py").write_text(CART)
    monkeypatch.setenv("KAAJ_STATE_DIR", str(state))
    monkeypatch.chdir(root)

    async def work() -> None:
        world = World(Folders.of(root))

        async def connect() -> Model:
            edit = call("edit", path="cart.py", old="sum(items) - 1", new="sum(items)")
            return ScriptedModel([edit, call("write", path="new.py", content="x = 1\n")], "Mended.")

        applier = DiskApplier(world, state)
        agent = Agent(world, AgentSettings(check="none"), Answers(), applier, Problems(), state, connect)
        started = await agent.start(StartRequest("Mend it", "auto"))
        await agent.wait(started.task)
        await agent.close()

    asyncio.run(work())
    assert (root / "cart.py").read_text() == FIXED
    return root


def test_the_newest_change_is_taken_back(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["undo"]) == 0
    assert "Taken back: " in capsys.readouterr().out
    assert (shop / "cart.py").read_text() == CART
    assert not (shop / "new.py").exists()
    assert program.main(["undo"]) == 1
    assert "no change" in capsys.readouterr().out


def test_one_file_of_a_listed_change(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["undo", "--list"]) == 0
    (row,) = capsys.readouterr().out.splitlines()
    assert "cart.py, new.py" in row
    assert program.main(["undo", row.split()[0], "--file", "new.py"]) == 0
    assert not (shop / "new.py").exists()
    assert (shop / "cart.py").read_text() == FIXED
    assert program.main(["undo"]) == 0
    assert (shop / "cart.py").read_text() == CART


def test_later_edits_are_kept_and_a_merge_is_shown_before_it_is_written(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = FIXED.replace("sum(items)", "sum(items) or 0")
    (shop / "cart.py").write_text(later)
    assert program.main(["undo"]) == 1
    assert "merge" in capsys.readouterr().err
    assert (shop / "cart.py").read_text() == later
    assert (shop / "new.py").exists()
    assert program.main(["undo", "--merge"]) == 1
    out = capsys.readouterr().out
    assert "+<<<<<<< as it is now" in out
    assert "Nothing was written" in out
    assert (shop / "cart.py").read_text() == later
    assert program.main(["undo", "--merge", "--yes"]) == 0
    assert "sum(items) or 0\n=======\n    return sum(items) - 1\n" in (shop / "cart.py").read_text()


def test_what_a_crash_cut_off_is_told_first(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kept,) = History(shop.parent / "state/history").entries()
    kept.file.rename(kept.file.with_suffix(".begun"))
    assert program.main(["undo"]) == 0
    out = capsys.readouterr().out
    assert "all of it is in your files" in out
    assert (shop / "cart.py").read_text() == CART


@pytest.mark.parametrize("words", [["change-nope"], ["../x"], ["--dir", "/nowhere/at/all"], ["--file", "other.py"]])
def test_bad_use(shop: Path, words: list[str]) -> None:
    assert program.main(["undo", *words]) == 2
    assert (shop / "cart.py").read_text() == FIXED
