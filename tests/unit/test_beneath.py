"""Opening by a resolved path: no link on the way is followed, also one that appears in the middle."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from kaaj_agent import beneath, disk
from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.document import Document
from kaaj_agent.failures import ApplyError, FileError, KaajError, OutsideError, StaleError
from kaaj_agent.journal import DiskApplier
from kaaj_agent.world import Folders, World

pytestmark = pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system cannot refuse links")

SECRET = "the neighbour's secret"
ROUNDS = int(os.environ.get("KAAJ_TORTURE", "1")) * 300
"""Attempts while another thread swaps a folder for a link; more with KAAJ_TORTURE."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.txt").write_text(SECRET)
    root = tmp_path / "work"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "a.txt").write_text("mine")
    return root.resolve()


@contextmanager
def swapped(root: Path) -> Generator[None]:
    """Meanwhile `folder` is a folder and a link to `outside` by turns, as fast as it goes."""
    end = threading.Event()
    (root / "link").symlink_to(root.parent / "outside")

    def swap() -> None:
        while not end.is_set():
            (root / "folder").rename(root / "aside")
            (root / "link").rename(root / "folder")
            (root / "folder").rename(root / "link")
            (root / "aside").rename(root / "folder")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def test_a_path_without_links_opens_and_one_with_a_link_anywhere_does_not(root: Path) -> None:
    assert beneath.read_bytes(root / "folder" / "a.txt") == b"mine"
    (root / "way").symlink_to("folder")
    (root / "last.txt").symlink_to("folder/a.txt")
    for path in (root / "way" / "a.txt", root / "last.txt"):
        with pytest.raises(OSError, match=os.strerror(errno.ELOOP) + "|replaced by a link") as caught:
            beneath.read_bytes(path)
        assert caught.value.errno == errno.ELOOP
        with pytest.raises(OutsideError, match="behind a link"):
            disk.read(path)


ACTS: dict[str, Callable[[Path], None]] = {
    "make": lambda path: os.close(beneath.open_file(path / "new", os.O_WRONLY | os.O_CREAT)),
    "unlink": lambda path: beneath.unlink(path / "a.txt"),
    "replace": lambda path: beneath.replace(path / "a.txt", path / "b.txt"),
    "make a folder": lambda path: beneath.make_folder(path / "made"),
    "remove a folder": lambda path: beneath.remove_folder(path / "inner"),
    "sync": beneath.sync_folder,
}


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_done_through_a_link(root: Path, act: str) -> None:
    outside = root.parent / "outside"
    (outside / "inner").mkdir()
    (root / "way").symlink_to(outside)
    with pytest.raises(OSError, match=r"Errno (20|40|62)") as caught:
        ACTS[act](root / "way")
    assert caught.value.errno in (errno.ELOOP, errno.ENOTDIR)
    assert sorted(path.name for path in outside.iterdir()) == ["a.txt", "inner"]


@pytest.mark.skipif(not beneath._STEPWISE, reason="here the kernel looks at the whole path")
@pytest.mark.parametrize("act", ACTS)
def test_what_was_opened_is_what_is_used(root: Path, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    """A link that takes a folder's place right after that was opened leads nothing astray."""
    outside, folder = root.parent / "outside", root / "folder"
    (outside / "inner").mkdir()
    (folder / "inner").mkdir()
    real = beneath._descend

    def late(path: Path) -> int:
        held = real(path)
        if path == folder and not folder.is_symlink():
            folder.rename(root / "aside")
            folder.symlink_to(outside)
        return held

    monkeypatch.setattr(beneath, "_descend", late)
    ACTS[act](folder)
    assert folder.is_symlink() or act == "sync"
    assert sorted(path.name for path in outside.iterdir()) == ["a.txt", "inner"]
    assert (outside / "a.txt").read_text() == SECRET


def test_a_pipe_and_a_folder_are_refused_without_waiting(root: Path) -> None:
    os.mkfifo(root / "pipe")
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match="not a regular file"):
            beneath.read_bytes(root / name)


def test_a_folder_that_is_swapped_for_a_link_never_shows_what_is_outside(root: Path) -> None:
    seen: set[str] = set()
    with swapped(root):
        for _ in range(ROUNDS):
            with suppress(FileError):
                seen.add(disk.read(root / "folder" / "a.txt").text)
    assert SECRET not in seen
    assert disk.read(root / "folder" / "a.txt").text == "mine"


async def test_a_folder_that_is_swapped_for_a_link_never_takes_a_write_outside(root: Path, tmp_path: Path) -> None:
    applier = DiskApplier(World(Folders.of(root)), tmp_path / "state")
    path = root / "folder" / "a.txt"
    before = Document(path, "mine")
    with swapped(root):
        for _ in range(ROUNDS // 10):
            with suppress(StaleError, OutsideError, ApplyError):
                await applier.apply(ChangeSet("c", "t", (FileChange(path, before, "changed"),)))
    assert (tmp_path / "outside" / "a.txt").read_text() == SECRET
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("point", ["journal", "temporary"])
async def test_a_link_that_appears_between_the_look_and_the_write_stops_it(
    root: Path, tmp_path: Path, point: str
) -> None:
    def swap(at: str) -> None:
        if at == point and not (root / "folder").is_symlink():
            (root / "folder").rename(root / "aside")
            (root / "folder").symlink_to(tmp_path / "outside")

    applier = DiskApplier(World(Folders.of(root)), tmp_path / "state", failpoint=swap)
    path = root / "folder" / "a.txt"
    with pytest.raises(KaajError):
        await applier.apply(ChangeSet("c", "t", (FileChange(path, Document(path, "mine"), "changed"),)))
    assert (tmp_path / "outside" / "a.txt").read_text() == SECRET
    assert [one.name for one in (tmp_path / "outside").iterdir()] == ["a.txt"]
    assert (root / "aside" / "a.txt").read_text() == "mine"
