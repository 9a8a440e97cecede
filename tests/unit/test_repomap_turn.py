"""The repository map in a session's first turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaaj_agent import opening
from kaaj_agent.ignore import Ignore
from kaaj_agent.repomap.large import LEAST, is_large
from kaaj_agent.request import StartRequest
from kaaj_agent.testing_desk import FIX_TOTAL, Desk, desk
from kaaj_agent.world import Folders

HEAD = "What is referred to most here"


def fill(root: Path) -> None:
    for n in range(LEAST + 1):
        (root / f"part{n}.py").write_text(
            f"from central import central_thing\n\n\ndef use_{n}():\n    central_thing({n})\n"
        )
    (root / "central.py").write_text("def central_thing(count):\n    return count\n")


def root_of(d: Desk) -> Path:
    return d.agent.world.folders.roots[0]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MAP_SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
async def test_a_large_workspace_is_mapped_in_the_first_turn_only(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.", "Two.") as d:
        fill(root_of(d))
        await d.run()
        first = d.heard()[1].content
        assert (
            f"{HEAD} (a part of the workspace; search for the rest):\ncentral.py\n  def central_thing(count)" in first
        )
        assert first.index(HEAD) < first.index("Mend it")
        await d.agent.accept(d.change().id, d.change().digest)
        await d.agent.wait((await d.agent.start(StartRequest("And then?", session=d.session().id))).task)
        assert sum(HEAD in message.content for message in d.heard()) == 1


@pytest.mark.usefixtures("patient")
async def test_no_map_where_a_listing_tells_as_much_or_nobody_asked(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        await d.run()
        assert HEAD not in d.heard()[1].content
        assert d.agent._repo_map is None
    (tmp_path / "other").mkdir()
    async with desk(tmp_path / "other", "One.", restricted=True) as d:
        fill(root_of(d))
        await d.run()
        assert d.agent._repo_map is None


async def test_a_task_does_not_wait_for_a_map_that_takes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MAP_SECONDS", 0.0)
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        fill(root_of(d))
        await d.run()
        assert HEAD not in d.heard()[1].content
        assert d.change().files


def test_when_a_workspace_is_large(tmp_path: Path) -> None:
    ignore = Ignore(Folders.of(tmp_path))
    for n in range(200):
        (tmp_path / f"note{n}.md").write_text("x")
    assert not is_large(ignore)
    for n in range(LEAST):
        (tmp_path / f"part{n}.go").write_text("package p\n")
    assert not is_large(ignore)
    (tmp_path / "one.ts").write_text("")
    assert is_large(ignore)
    (tmp_path / ".gitignore").write_text("*.go\n")
    assert not is_large(Ignore(Folders.of(tmp_path)))
