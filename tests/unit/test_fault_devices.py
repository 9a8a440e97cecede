"""Workspaces on more than one device: `rename` refuses to cross them (EXDEV), so nothing relies on it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.disk import read
from kaaj_agent.failures import ApplyError
from kaaj_agent.journal import DiskApplier
from kaaj_agent.world import Folders, World

SHARED = Path("/dev/shm")  # noqa: S108 - for its device; the folder in it is a fresh one


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Path]:
    """A folder on another device than `tmp_path`."""
    if not SHARED.is_dir() or SHARED.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("one device only")
    with TemporaryDirectory(dir=SHARED) as folder:
        yield Path(folder).resolve()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = (tmp_path / "w").resolve()
    folder.mkdir()
    (folder / "a.sh").write_bytes(b"\xef\xbb\xbfone\r\n")
    (folder / "a.sh").chmod(0o755)
    return folder


def move(here: Path, other: Path) -> ChangeSet:
    before = read(here / "a.sh")
    return ChangeSet("c", "t", (FileChange(before.path, before, "two\r\n", other / "sub" / "b.sh"),))


async def test_a_move_across_devices(here: Path, other: Path, tmp_path: Path) -> None:
    world = World(Folders.of(here, other))
    with pytest.raises(OSError, match="cross-device") as refused:
        (here / "a.sh").rename(other / "x")
    assert refused.value.errno == errno.EXDEV
    await DiskApplier(world, tmp_path / "state").apply(move(here, other))
    assert not (here / "a.sh").exists()
    assert (other / "sub" / "b.sh").read_bytes() == b"\xef\xbb\xbftwo\r\n"
    assert (other / "sub" / "b.sh").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("point", ["temporary", "placed", "removed", "synced"])
async def test_a_move_across_devices_that_fails_is_taken_back(
    here: Path, other: Path, tmp_path: Path, point: str
) -> None:
    def fail(at: str) -> None:
        if at == point:
            raise OSError(errno.EIO, "Input/output error")

    applier = DiskApplier(World(Folders.of(here, other)), tmp_path / "state", failpoint=fail)
    with pytest.raises(ApplyError, match="Input/output error"):
        await applier.apply(move(here, other))
    assert (here / "a.sh").read_bytes() == b"\xef\xbb\xbfone\r\n"
    assert (here / "a.sh").stat().st_mode & 0o777 == 0o755
    assert list(other.iterdir()) == []
