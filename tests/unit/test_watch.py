"""The watcher: changes on disk reach the world, ignored ones do not, and a system that cannot watch is no crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kaaj_agent.ignore import Ignore
from kaaj_agent.watch import Watcher
from kaaj_agent.world import Folders, World


class Ear:
    """What the world was told, and a way to wait for more of it."""

    def __init__(self, world: World) -> None:
        self.heard: set[Path] = set()
        self._news = asyncio.Event()
        world.listen(self._hear)

    def _hear(self, path: Path) -> None:
        self.heard.add(path)
        self._news.set()

    async def until(self, wanted: Callable[[set[Path]], bool]) -> None:
        async with asyncio.timeout(20):
            while not wanted(self.heard):
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def watching(*roots: Path) -> AsyncGenerator[tuple[Ear, Watcher], None]:
    world = World(Folders.of(*roots))
    ear = Ear(world)
    notices: list[str] = []
    watcher = Watcher(world, Ignore(world.folders), notices.append, delay=0.01)
    await watcher.start()
    try:
        assert notices == []
        assert watcher.watching
        yield ear, watcher
    finally:
        await watcher.close()
        assert not watcher.watching


async def test_changes_reach_the_world(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "sub" / "old.py").write_text("", encoding="utf-8")
    async with watching(root) as (ear, _):
        (root / "top.py").write_text("x", encoding="utf-8")
        (root / "sub" / "deep" / "a.py").write_text("x", encoding="utf-8")
        (root / "sub" / "old.py").rename(root / "sub" / "new.py")
        wanted = {root / "top.py", root / "sub/deep/a.py", root / "sub/old.py", root / "sub/new.py"}
        await ear.until(wanted.issubset)
        ear.heard.clear()
        (root / "sub" / "new.py").unlink()
        await ear.until(lambda heard: root / "sub/new.py" in heard)


async def test_a_new_folder_is_watched(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    async with watching(root) as (ear, _):
        (root / "fresh" / "inner").mkdir(parents=True)
        (root / "fresh" / "inner" / "a.py").write_text("x", encoding="utf-8")
        await ear.until(lambda heard: root / "fresh/inner/a.py" in heard)
        ear.heard.clear()
        (root / "fresh" / "b.py").write_text("x", encoding="utf-8")
        await ear.until(lambda heard: root / "fresh/b.py" in heard)


async def test_what_is_ignored_is_not_heard(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    for name in (".git", "node_modules", "build", "src/build"):
        (root / name).mkdir(parents=True)
    (root / ".gitignore").write_text("build/\n", encoding="utf-8")
    async with watching(root) as (ear, _):
        for name in (".git/index", "node_modules/a.js", "build/x", "src/build/y"):
            (root / name).write_text("x", encoding="utf-8")
        (root / "src" / "last.py").write_text("x", encoding="utf-8")
        await ear.until(lambda heard: root / "src/last.py" in heard)
        assert ear.heard <= {root / "src/last.py", root / "src"}


async def test_several_folders_and_many_inside(tmp_path: Path) -> None:
    one, two = tmp_path.resolve() / "one", tmp_path.resolve() / "two"
    for number in range(60):
        (one / f"d{number}").mkdir(parents=True)
    two.mkdir()
    async with watching(one, two) as (ear, _):
        (one / "d59" / "a.py").write_text("x", encoding="utf-8")
        (two / "b.py").write_text("x", encoding="utf-8")
        await ear.until({one / "d59/a.py", two / "b.py"}.issubset)


async def test_nothing_is_told_after_closing(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    async with watching(root) as (ear, watcher):
        (root / "a.py").write_text("x", encoding="utf-8")
        await ear.until(lambda heard: root / "a.py" in heard)
        await watcher.close()
        ear.heard.clear()
        (root / "b.py").write_text("x", encoding="utf-8")
        await asyncio.sleep(0.05)
        assert ear.heard == set()


async def test_a_system_that_cannot_watch_gives_a_notice(tmp_path: Path) -> None:
    world = World(Folders.of(tmp_path / "gone"))
    notices: list[str] = []
    watcher = Watcher(world, Ignore(world.folders), notices.append)
    await watcher.start()
    assert len(notices) == 1
    assert "not watched" in notices[0]
    assert not watcher.watching
    await watcher.close()


async def test_closing_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    world = World(Folders.of(tmp_path))
    watcher = Watcher(world, Ignore(world.folders), pytest.fail)
    starting = asyncio.create_task(watcher.start())
    await asyncio.sleep(0)
    await watcher.close()
    await starting
    assert not watcher.watching
