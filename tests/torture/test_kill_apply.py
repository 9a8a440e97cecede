"""Killed while a change is applied: the tree is wholly before or wholly after, and the next start says what happened.

Each test forks a victim and kills it at every call of the system that changes something, in the middle of every
writing, and at some random moments: KAAJ_TORTURE=500 makes it 500 of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from kaaj_agent import testing_kill
from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.disk import read
from kaaj_agent.history import History
from kaaj_agent.journal import DiskApplier
from kaaj_agent.journaled import Journaled
from kaaj_agent.recovery import recover_all
from kaaj_agent.testing_kill import kills
from kaaj_agent.world import Folders, World

pytestmark = pytest.mark.timeout(900)

BEFORE = {
    "a/edit.py": b"a = 1\n",
    "a/crlf.txt": b"\xef\xbb\xbfone\r\ntwo\r\n",
    "b/latin.txt": b"caf\xe9\n",
    "b/gone.txt": b"gone\n",
    "a/old.sh": b"#!/bin/sh\n",
}
AFTER = {
    "a/edit.py": b"a = 2\n",
    "a/crlf.txt": b"\xef\xbb\xbfone\r\n2\r\n",
    "b/latin.txt": b"th\xe9\n",
    "b/new/deep/er.txt": b"new",
    "a/bin/new.sh": b"#!/bin/sh\nexit\n",
}


def make(root: Path) -> None:
    for name, data in BEFORE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def change(root: Path) -> ChangeSet:
    """An edit, a byte-order mark, another encoding, a new file in new folders, a deletion, a move: in two folders."""

    def edit(name: str, after: str | None, new: str | None = None) -> FileChange:
        return FileChange(root / name, read(root / name), after, root / new if new else None).with_hunks()

    files = (
        edit("a/edit.py", "a = 2\n"),
        edit("a/crlf.txt", "one\r\n2\r\n"),
        edit("b/latin.txt", "thé\n"),
        FileChange(root / "b/new/deep/er.txt", None, "new").with_hunks(),
        edit("b/gone.txt", None),
        edit("a/old.sh", "#!/bin/sh\nexit\n", "a/bin/new.sh"),
    )
    return ChangeSet("change-1", "task-1", files)


def tree(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def applier(folder: Path) -> Journaled:
    world = World(Folders.of(folder / "w/a", folder / "w/b"))
    state = folder / "state"
    disk = DiskApplier(world, state)
    return Journaled(disk, History(state / "history"), world, lambda _: "session-1", lambda _task, text: print(text))


def apply(folder: Path, arm: Callable[[], None]) -> None:
    """The victim."""
    make(folder / "w")
    (folder / "state").mkdir()
    mine, made = applier(folder), change((folder / "w").resolve())
    arm()
    asyncio.run(mine.apply(made))


async def test_killed_while_a_change_is_written_the_tree_is_before_or_after(slaughterhouse: Path, moments: int) -> None:
    found = kills(__file__, "apply", slaughterhouse / "k", moments=moments)
    ends = {"before": 0, "after": 0}
    for kill in found:
        root, state = kill.folder / "w", kill.folder / "state"
        begun = any((state / "history").rglob("*.begun"))
        told = await recover_all(state, Folders.of(root / "a", root / "b"))
        now = tree(root)
        assert now in (BEFORE, AFTER), kill
        ends["before" if now == BEFORE else "after"] += 1
        if begun:
            assert len(told) == 1, (kill, told)
            assert ("taken back" in told[0] or "nothing of it" in told[0]) == (now == BEFORE), (kill, told)
        kept = History(state / "history").entries()
        assert [one.stage for one in kept] == ([] if now == BEFORE else ["applied"]), kill
        assert await recover_all(state, Folders.of(root / "a", root / "b")) == [], "it is said once"
        assert [p.name for p in (state / "journal").glob("*")] in ([], ["lock"]), kill
        await applier(kill.folder).apply(change(root.resolve())) if now == BEFORE else None
        assert tree(root) == AFTER, "and Kaaj goes on"
    assert any(not kill.call for kill in found)
    assert ends["before"] > 20
    assert ends["after"] > 2
    print(f"apply: {testing_kill.told(found)}; {ends}")
