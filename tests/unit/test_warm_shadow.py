"""A shadow that goes from one task to the next: nothing of the first is left in it but what was laid down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kaaj_agent.document import Document
from kaaj_agent.ignore import Ignore
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.shadow import Shadow, sweep
from kaaj_agent.shadow_removal import remove
from kaaj_agent.warm_shadow import WarmShadow
from kaaj_agent.world import Folders, World


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = (tmp_path / "w").resolve()
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "a.py").write_text("a = 1\n")
    (folder / "b.txt").write_text("b\n")
    (folder / ".gitignore").write_text("*.log\nhidden.txt\n")
    (folder / "link").symlink_to("b.txt")
    return folder


@pytest.fixture
async def shadow(root: Path, tmp_path: Path) -> AsyncIterator[Shadow]:
    made = await Shadow.open(Folders.of(root), tmp_path / "state")
    await made.sync(World(Folders.of(root)).snapshot())
    yield made
    await made.close()


def inside(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


async def gone(shadow: Shadow) -> None:
    """Removed beside what goes on."""
    async with asyncio.timeout(20):
        while shadow.folder.exists():
            await asyncio.sleep(0.01)


MESSES = [
    "echo x > new.txt",
    "mkdir -p build/deep && echo x > build/deep/out.o",
    "mkdir -p pkg/__pycache__ && echo evil > pkg/__pycache__/a.cpython-311.pyc",
    "echo 'import os' > sitecustomize.py",
    "echo a = 2 > pkg/a.py",
    "cp -p pkg/a.py keep && echo a = 3 > pkg/a.py && touch -r keep pkg/a.py",
    "mv b.txt c.txt && cp -p c.txt b.txt",
    "rm -r pkg && ln -s /etc pkg",
    "rm link && ln -s /etc/passwd link",
    "ln b.txt debug.log",
    "mkdir -p closed/in && echo x > closed/in/f && chmod 000 closed",
    "mkfifo pipe.log",
    "mkdir -p .git && echo '[core] fsmonitor = evil' > .git/config",
    "echo secret > $HOME/.bashrc",
    "rm -rf * .gitignore",
    "chmod 755 b.txt",
]


@pytest.mark.parametrize("mess", MESSES)
async def test_what_a_command_left_is_gone(shadow: Shadow, root: Path, tmp_path: Path, mess: str) -> None:
    place = shadow.place_of(root)
    fresh = {name: (place / name).lstat().st_mode for name in inside(place)}
    await shadow.shell.run(mess)
    assert await shadow.scrub()
    assert not [name for name in inside(place) if name not in fresh]
    assert not (shadow.folder / "home" / ".bashrc").exists()
    await shadow.sync(World(Folders.of(root)).snapshot())
    assert {name: (place / name).lstat().st_mode for name in inside(place)} == fresh
    assert (place / "pkg" / "a.py").read_text() == "a = 1\n"
    assert (place / "b.txt").read_text() == "b\n"
    assert (place / "link").readlink() == Path("b.txt")
    assert await shadow.changed_files() == []


async def test_what_did_not_change_is_not_laid_down_again(shadow: Shadow, root: Path) -> None:
    before = shadow.place_of(root / "pkg" / "a.py").stat()
    await shadow.shell.run("echo x > new.txt")
    await shadow.scrub()
    await shadow.sync(World(Folders.of(root)).snapshot())
    assert shadow.place_of(root / "pkg" / "a.py").stat() == before


async def test_what_a_task_staged_is_not_there_for_the_next(shadow: Shadow, root: Path) -> None:
    world = World(Folders.of(root))
    world.put(Document(root / "fresh" / "new.py", "new = 1\n", 1))
    world.put(Document(root / "pkg" / "a.py", "a = 9\n", 1))
    await shadow.sync(world.snapshot())
    assert shadow.place_of(root / "pkg" / "a.py").read_text() == "a = 9\n"
    await shadow.scrub()
    await shadow.sync(World(Folders.of(root)).snapshot())
    assert shadow.place_of(root / "pkg" / "a.py").read_text() == "a = 1\n"
    assert not shadow.place_of(root / "fresh").exists()


async def test_the_next_task_has_its_own_rules(root: Path, tmp_path: Path) -> None:
    """What one task was allowed to see is not there for the next."""
    (root / ".env").write_text("KEY=1\n")
    folders = Folders.of(root)
    shadow = await Shadow.open(folders, tmp_path / "state", ignore=Ignore(folders, secrets=True))
    try:
        await shadow.sync(World(folders).snapshot())
        assert shadow.place_of(root / ".env").exists()
        await shadow.scrub()
        shadow.serve(Ignore(folders))
        await shadow.sync(World(folders).snapshot())
        assert not shadow.place_of(root / ".env").exists()
    finally:
        await shadow.close()


async def test_one_is_kept_for_a_task_that_fits(root: Path, tmp_path: Path) -> None:
    warm = WarmShadow()
    folders = Folders.of(root)
    one, two = [await Shadow.open(folders, tmp_path / "state") for _ in range(2)]
    if not one.sandbox.available:
        pytest.skip("without a sandbox none is kept")
    await asyncio.gather(warm.give(one, "key"), warm.give(two, "key"))
    kept = await warm.take("key")
    assert kept in (one, two)
    await gone(two if kept is one else one)
    assert [place.name for place in (tmp_path / "state" / "shadows").iterdir() if place.is_dir()] == [kept.folder.name]
    await warm.give(kept, "key")
    assert await warm.take("another") is None
    await gone(kept)
    three = await Shadow.open(folders, tmp_path / "state")
    await warm.give(three, "key")
    await warm.close()
    assert not three.folder.exists()
    four = await Shadow.open(folders, tmp_path / "state")
    await warm.give(four, "key")
    assert not four.folder.exists()


async def test_one_that_nobody_uses_is_removed(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaaj_agent.warm_shadow.IDLE_SECONDS", 0.05)
    warm = WarmShadow()
    shadow = await Shadow.open(Folders.of(root), tmp_path / "state")
    await warm.give(shadow, "key")
    await gone(shadow)
    assert await warm.take("key") is None
    await warm.close()


async def test_the_end_of_the_process_does_not_wait_for_a_large_one(shadow: Shadow, root: Path, tmp_path: Path) -> None:
    """What is left of it the next start sweeps away."""
    await shadow.leave(-1.0)
    assert shadow.folder.exists()
    await sweep(tmp_path / "state")
    assert not shadow.folder.exists()
    other = await Shadow.open(Folders.of(root), tmp_path / "state")
    await other.sync(World(Folders.of(root)).snapshot())
    await other.leave(20.0)
    assert list((tmp_path / "state" / "shadows").iterdir()) == []


async def test_no_task_waits_for_a_removal(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the one that ends nor the next one; and the end of the process cuts it short."""
    begun = threading.Event()

    def endless(folder: Path, stop: threading.Event | None = None) -> bool:
        assert stop is not None
        begun.set()
        stop.wait(60)
        return not folder.exists()

    monkeypatch.setattr("kaaj_agent.shadow.remove", endless)
    monkeypatch.setattr("kaaj_agent.warm_shadow.LEAVE_SECONDS", 0.05)
    warm = WarmShadow()
    plain = await Sandbox.find(wanted=False)
    one = await Shadow.open(Folders.of(root), tmp_path / "state", sandbox=plain)
    two = await Shadow.open(Folders.of(root), tmp_path / "state")
    await warm.give(one, "key")
    await asyncio.to_thread(begun.wait, 20)
    assert one.folder.exists()
    if two.sandbox.available:
        monkeypatch.setattr("kaaj_agent.shadow.Shadow.scrub", kept_as_it_is)
        await warm.give(two, "key")
        assert await warm.take("another") is None
    else:
        await warm.give(two, "key")
    async with asyncio.timeout(20):
        await warm.close()
    assert one.folder.exists()
    assert two.folder.exists()
    monkeypatch.undo()
    await sweep(tmp_path / "state")
    assert list((tmp_path / "state" / "shadows").iterdir()) == []


async def kept_as_it_is(_: Shadow) -> bool:
    """Scrubbed, as it were."""
    return True


async def test_what_an_earlier_process_left_holds_nobody_up(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state" / "shadows" / "1-dead" / "0").mkdir(parents=True)
    begun = threading.Event()

    def endless(folder: Path, stop: threading.Event | None = None) -> bool:
        if folder.name == "1-dead":
            begun.set()
            assert stop is not None
            stop.wait(60)
            return False
        return remove(folder, stop)

    monkeypatch.setattr("kaaj_agent.shadow.remove", endless)
    shadow = await Shadow.open(Folders.of(root), tmp_path / "state")
    await asyncio.to_thread(begun.wait, 20)
    await shadow.sync(World(Folders.of(root)).snapshot())
    assert await shadow.scrub()
    async with asyncio.timeout(20):
        await shadow.leave(0.05)
    assert not shadow.folder.exists()
    monkeypatch.undo()
    await sweep(tmp_path / "state")
    assert not (tmp_path / "state" / "shadows" / "1-dead").exists()


async def test_removals_that_wait_are_few_and_one_is_made_at_a_time(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than `REMOVALS_MAX` of them hold the next task up: its shadow would fill the disk."""
    free = threading.Event()
    at_once: list[int] = []
    busy = threading.Semaphore(1)

    def slow(folder: Path, stop: threading.Event | None = None) -> bool:
        at_once.append(int(not busy.acquire(blocking=False)))
        free.wait(60)
        busy.release()
        return remove(folder, stop)

    monkeypatch.setattr("kaaj_agent.shadow.remove", slow)
    monkeypatch.setattr("kaaj_agent.warm_shadow.REMOVALS_MAX", 2)
    warm = WarmShadow()
    plain = await Sandbox.find(wanted=False)
    shadows = [await Shadow.open(Folders.of(root), tmp_path / "state", sandbox=plain) for _ in range(3)]
    for shadow in shadows[:2]:
        await warm.give(shadow, "key")
    third = asyncio.create_task(warm.give(shadows[2], "key"))
    while not at_once:
        await asyncio.sleep(0.01)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not third.done()
    free.set()
    async with asyncio.timeout(20):
        await third
        await warm.close()
    assert at_once == [0, 0, 0]
    assert not any(shadow.folder.exists() for shadow in shadows)
