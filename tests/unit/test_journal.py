"""Writing without an editor: wholly before or wholly after, whatever happens."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kaaj_agent import durable, journal, write_plan
from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.disk import read
from kaaj_agent.document import Document, TextFormat, digest_of
from kaaj_agent.failures import ApplyError, NotTextError, OutsideError, StaleError
from kaaj_agent.history import History
from kaaj_agent.journal import DiskApplier, recover, recovered
from kaaj_agent.recovery import reconcile, recover_all
from kaaj_agent.reviews import Reviews
from kaaj_agent.world import Folders, World

BEFORE = {
    "edit.py": b"a = 1\n",
    "sub/crlf.txt": b"\xef\xbb\xbfone\r\ntwo\r\n",
    "latin.txt": b"caf\xe9\n",
    "gone.txt": b"gone\n",
    "old.sh": b"#!/bin/sh\n",
}
AFTER = {
    "edit.py": b"a = 2\n",
    "sub/crlf.txt": b"\xef\xbb\xbfone\r\n2\r\n",
    "latin.txt": b"th\xe9\n",
    "new/deep/er.txt": b"new",
    "bin/new.sh": b"#!/bin/sh\nexit\n",
}


def make(root: Path) -> None:
    for name, data in BEFORE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (root / "edit.py").chmod(0o640)
    (root / "old.sh").chmod(0o755)


def change(root: Path) -> ChangeSet:
    def edit(name: str, after: str | None, new: str | None = None) -> FileChange:
        return FileChange(root / name, read(root / name), after, root / new if new else None)

    files = (
        edit("edit.py", "a = 2\n"),
        edit("sub/crlf.txt", "one\r\n2\r\n"),
        edit("latin.txt", "thé\n"),
        FileChange(root / "new/deep/er.txt", None, "new"),
        edit("gone.txt", None),
        edit("old.sh", "#!/bin/sh\nexit\n", "bin/new.sh"),
    )
    return ChangeSet("c1", "t1", files)


def tree(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def folders(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_dir()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = (tmp_path / "w").resolve()
    root.mkdir()
    make(root)
    return root


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def applier(root: Path, state: Path) -> DiskApplier:
    return DiskApplier(World(Folders.of(root)), state)


async def test_applies_all(applier: DiskApplier, root: Path, state: Path) -> None:
    written = await applier.apply(change(root))
    assert tree(root) == AFTER
    assert (root / "edit.py").stat().st_mode & 0o777 == 0o640
    assert (root / "bin/new.sh").stat().st_mode & 0o777 == 0o755
    assert written.after[root / "gone.txt"] is None
    assert written.after[root / "old.sh"] is None
    assert written.after[root / "latin.txt"] == digest_of("thé\n")
    assert written.after[root / "bin/new.sh"] == digest_of("#!/bin/sh\nexit\n")
    assert [p.name for p in (state / "journal").iterdir()] == ["lock"]
    assert recover(state) == []


async def test_listeners_hear_of_it(root: Path, state: Path) -> None:
    world = World(Folders.of(root))
    heard: list[Path] = []
    world.listen(heard.append)
    await DiskApplier(world, state).apply(change(root))
    assert set(heard) == {root / name for name in BEFORE.keys() | AFTER.keys()}


async def test_names_swap(applier: DiskApplier, root: Path) -> None:
    a, b = read(root / "edit.py"), read(root / "gone.txt")
    swap = (FileChange(a.path, a, a.text, b.path), FileChange(b.path, b, b.text, a.path))
    await applier.apply(ChangeSet("c", "t", swap))
    assert (root / "edit.py").read_text() == "gone\n"
    assert (root / "gone.txt").read_text() == "a = 1\n"


async def test_created_with_its_own_encoding(applier: DiskApplier, root: Path) -> None:
    file = FileChange(root / "l.txt", None, "é", style=TextFormat("latin-1"))
    await applier.apply(ChangeSet("c", "t", (file,)))
    assert (root / "l.txt").read_bytes() == b"\xe9"


@pytest.mark.parametrize("meanwhile", ["edit", "delete", "create", "target"])
async def test_stale_bases_write_nothing(applier: DiskApplier, root: Path, meanwhile: str) -> None:
    made = change(root)
    match meanwhile:
        case "edit":
            (root / "latin.txt").write_text("typed\n")
        case "delete":
            (root / "gone.txt").unlink()
        case "create":
            (root / "new/deep").mkdir(parents=True)
            (root / "new/deep/er.txt").write_text("mine")
        case _:
            (root / "bin").mkdir()
            (root / "bin/new.sh").write_text("mine")
    before = tree(root)
    with pytest.raises(StaleError) as told:
        await applier.apply(made)
    assert len(told.value.paths) == 1
    assert tree(root) == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of descriptors are read there")
async def test_what_leads_back_is_synced_before_anything_moves(
    root: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    at: dict[str, list[str]] = {}
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    def note(point: str) -> None:
        at.setdefault(point, list(synced))
        if point == "journal":
            at["entry"] = [path.name for path in (state / "journal").iterdir() if path.is_dir()]

    monkeypatch.setattr(os, "fsync", fsync)
    await DiskApplier(World(Folders.of(root)), state, failpoint=note).apply(change(root))
    images = [f"{number}.before" for number in (0, 1, 2, 4, 5)]
    assert {*images, "steps.tmp", "journal", *at["entry"]} <= set(at["journal"])
    assert sum(name.endswith(".kaaj") for name in at["placed"]) == 5, "all that is new is there before the first rename"
    assert {"w", "sub", "deep", "bin"} <= set(at["synced"]), "and the names are, before it counts as done"


async def test_edited_at_the_last_moment(root: Path, state: Path) -> None:
    def type_in(point: str) -> None:
        if point == "temporary":
            (root / "gone.txt").write_text("typed\n")

    with pytest.raises(StaleError, match="just now"):
        await DiskApplier(World(Folders.of(root)), state, failpoint=type_in).apply(change(root))
    assert tree(root) == BEFORE | {"gone.txt": b"typed\n"}


async def test_character_without_a_byte(applier: DiskApplier, root: Path) -> None:
    before = read(root / "latin.txt")
    files = (*change(root).files[:2], FileChange(before.path, before, "日本\n"))
    with pytest.raises(NotTextError, match="latin-1"):
        await applier.apply(ChangeSet("c", "t", files))
    assert tree(root) == BEFORE


async def test_read_only_is_respected(applier: DiskApplier, root: Path) -> None:
    (root / "latin.txt").chmod(0o444)
    with pytest.raises(ApplyError, match=r"latin\.txt is read-only"):
        await applier.apply(change(root))
    assert tree(root) == BEFORE


async def test_links_that_lead_out(applier: DiskApplier, root: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x.txt").write_text("x")
    (root / "link").symlink_to(tmp_path / "out")
    for file in (
        FileChange(root / "link/x.txt", Document(root / "link/x.txt", "x"), "y"),
        FileChange(root / "link/y.txt", None, "y"),
        FileChange(tmp_path / "z.txt", None, "y"),
        FileChange(root / ".git/hooks/pre-commit", None, "y"),
    ):
        with pytest.raises(OutsideError):
            await applier.apply(ChangeSet("c", "t", (file,)))
    assert tree(tmp_path / "out") == {"x.txt": b"x"}
    assert not (tmp_path / "z.txt").exists()


async def test_links_inside_stay_links(applier: DiskApplier, root: Path) -> None:
    (root / "alias.py").symlink_to("edit.py")
    before = replace(read(root / "edit.py"), path=root / "alias.py")
    await applier.apply(ChangeSet("c", "t", (FileChange(root / "alias.py", before, "a = 3\n"),)))
    assert (root / "alias.py").is_symlink()
    assert (root / "edit.py").read_bytes() == b"a = 3\n"


POINTS = ["begin", "image", "list", "journal", "folder", "temporary", "placed", "removed", "synced"]


@pytest.mark.parametrize("point", POINTS)
async def test_a_failure_in_the_middle_takes_all_back(root: Path, state: Path, point: str) -> None:
    places = folders(root)
    modes = {name: (root / name).stat().st_mode for name in BEFORE}

    def full(at: str) -> None:
        if at == point:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ApplyError, match="disk is full") as told:
        await DiskApplier(World(Folders.of(root)), state, failpoint=full).apply(change(root))
    assert "as they were" in str(told.value)
    assert tree(root) == BEFORE
    assert folders(root) == places
    assert {name: (root / name).stat().st_mode for name in BEFORE} == modes
    assert [p.name for p in (state / "journal").iterdir()] == ["lock"]


async def test_disk_still_full_while_taking_back(root: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = durable.write_beneath
    full = False

    def write(path: Path, data: bytes, mode: int | None) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(path, data, mode)

    def fill(at: str) -> None:
        nonlocal full
        full = full or at == "placed"

    monkeypatch.setattr(journal, "write_beneath", write)
    monkeypatch.setattr(journal, "write_new", write)
    with pytest.raises(ApplyError, match="not all of it could be taken back"):
        await DiskApplier(World(Folders.of(root)), state, failpoint=fill).apply(change(root))
    full = False
    [told] = recover(state)
    assert "taken back" in told
    assert tree(root) == BEFORE


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
base, last = Path(sys.argv[1]), int(sys.argv[2])
sys.path.insert(0, sys.argv[3])
import test_journal as t
for stop in range(1, last + 1):
    pid = os.fork()
    if pid == 0:
        count = 0
        def kill(point):
            global count
            count += 1
            if count == stop:
                os.kill(os.getpid(), signal.SIGKILL)
        root, state = base / f"w{stop}", base / f"s{stop}"
        asyncio.run(t.DiskApplier(t.World(t.Folders.of(root)), state, failpoint=kill).apply(t.change(root)))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
"""


async def test_killed_at_every_point(root: Path, state: Path, tmp_path: Path) -> None:
    points: list[str] = []
    await DiskApplier(World(Folders.of(root)), state, failpoint=points.append).apply(change(root))
    assert set(points) == {*POINTS, "committed", "end"}
    base = tmp_path.resolve()
    for number in range(1, len(points) + 1):
        (base / f"w{number}").mkdir()
        make(base / f"w{number}")
    places = folders(base / "w1")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(base), str(len(points)), str(Path(__file__).parent)
    )
    assert await child.wait() == 0
    for number, point in enumerate(points, 1):
        one, its = base / f"w{number}", base / f"s{number}"
        told = recover(its)
        if point in ("committed", "end"):
            assert tree(one) == AFTER
            assert told == []
        else:
            assert tree(one) == BEFORE, point
            assert folders(one) == places
            assert (one / "old.sh").stat().st_mode & 0o777 == 0o755
        assert recover(its) == []
        assert [p.name for p in (its / "journal").iterdir()] == ["lock"]


class Killed(BaseException):
    """Stands for a kill: what it interrupts takes nothing back."""


def _cut_off(root: Path, state: Path, point: str, patch: pytest.MonkeyPatch) -> None:
    """Leave what a kill at `point` leaves, without a child."""
    plan = write_plan.plan_of(change(root), Folders.of(root))

    def stop(at: str) -> None:
        if at == point:
            raise Killed

    def nothing(plan: object, entry: Path) -> None:
        pass

    (state / "journal").mkdir(parents=True)
    with patch.context() as patched:
        patched.setattr(journal, "_take_back_now", nothing)
        with pytest.raises(Killed):
            journal.carry_out(plan, state / "journal/entry", stop)


def test_later_edits_are_not_overwritten(root: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _cut_off(root, state, "synced", monkeypatch)
    (root / "edit.py").write_text("typed since\n")
    [one] = recovered(state)
    assert one.kept == (root / "edit.py",)
    assert one.images is not None
    assert (one.images / "0.before").read_bytes() == BEFORE["edit.py"]
    assert tree(root) == BEFORE | {"edit.py": b"typed since\n"}
    assert "left alone" in str(one)
    assert recovered(state) == []


async def test_a_server_says_what_is_half_written_and_leaves_it(
    root: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cut_off(root, state, "placed", monkeypatch)
    half = tree(root)
    reviews = Reviews(World(Folders.of(root)), DiskApplier(World(Folders.of(root)), state))
    [told] = await reconcile(reviews, History(state / "history"), {})
    assert "kaaj run was stopped while it wrote edit.py" in told
    assert tree(root) == half
    assert len(await recover_all(state, Folders.of(root))) == 1
    assert await reconcile(reviews, History(state / "history"), {}) == []
    assert tree(root) == BEFORE


def test_recovering_may_be_killed_too(root: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _cut_off(root, state, "synced", monkeypatch)
    original = durable.write_beneath
    calls = 0

    def once(path: Path, data: bytes, mode: int | None) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            path.write_bytes(data[:1])  # torn
            raise OSError(errno.EIO, "I/O error")
        original(path, data, mode)

    monkeypatch.setattr(journal, "write_beneath", once)
    [told] = recover(state)
    assert "could not be taken back yet" in told
    assert "I/O error" in told
    [told] = recover(state)
    assert "was taken back" in told
    assert tree(root) == BEFORE


async def test_cancel_waits_for_the_end(root: Path, state: Path) -> None:
    loop = asyncio.get_running_loop()
    task: asyncio.Task[object] | None = None

    def cancel(point: str) -> None:
        if point == "temporary":
            assert task is not None
            loop.call_soon_threadsafe(task.cancel)

    task = asyncio.create_task(DiskApplier(World(Folders.of(root)), state, failpoint=cancel).apply(change(root)))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tree(root) == AFTER


def test_no_temporary_name_is_too_long(root: Path) -> None:
    name = "x" * 250
    plan = write_plan.plan_of(ChangeSet("c", "t", (FileChange(root / name, None, "x"),)), Folders.of(root))
    assert len(Path(plan.steps[0].temporary).name) < 255
