"""The shadow workspace: equal to what is staged, and never a way back into the user's files."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from filelock import FileLock

from kaaj_agent import shadow_copy, shadow_survey, shadow_tree
from kaaj_agent.changes import FileChange
from kaaj_agent.disk import read
from kaaj_agent.document import Document, TextFormat
from kaaj_agent.failures import SandboxError
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.shadow import Shadow, ShadowChange, sweep
from kaaj_agent.shadow_loss import ShadowLoss
from kaaj_agent.world import Folders, World


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/a.py").write_text("A = 1\n")
    (root / "pkg/b.py").write_text("B = 1\n")
    (root / "run.sh").write_text("#!/bin/sh\necho ran\n")
    (root / "run.sh").chmod(0o755)
    (root / ".gitignore").write_text("ignored.txt\n.env\nbuild/\nnode_modules/\n_version.py\n")
    (root / "ignored.txt").write_text("x")
    (root / ".env").write_text("SECRET=1")
    (root / "pkg/_version.py").write_text("V = 1\n")
    (root / "build").mkdir()
    (root / "build/out.bin").write_bytes(b"\0")
    (root / "node_modules/dep").mkdir(parents=True)
    (root / "node_modules/dep/index.js").write_text("module.exports = 1\n")
    (root / "empty").mkdir()
    return root


@pytest.fixture(params=["plain", "sandboxed"])
async def shadow(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> AsyncIterator[Shadow]:
    sandbox = await Sandbox.find([tmp_path / "state"], wanted=request.param == "sandboxed")
    if request.param == "sandboxed" and not sandbox.available:
        pytest.skip(sandbox.reason)
    shadow = await Shadow.open(Folders.of(root), tmp_path / "state", sandbox=sandbox)
    yield shadow
    await shadow.close()
    assert not list((tmp_path / "state/shadows").glob("*"))


def world(root: Path, **buffers: str) -> World:
    world = World(Folders.of(root))
    for name, text in buffers.items():
        world.put(Document(root / name.replace("__", "/").replace("_DOT_", "."), text, 1))
    return world


def listing(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


async def test_lays_out_what_is_not_ignored(shadow: Shadow, root: Path) -> None:
    await shadow.sync(world(root).snapshot())
    place = shadow.place_of(root)
    files = {name for name in listing(place) if not name.startswith("node_modules")}
    assert files == {"pkg/a.py", "pkg/b.py", "pkg/_version.py", "run.sh", ".gitignore"}
    assert (place / "empty").is_dir()
    assert os.access(place / "run.sh", os.X_OK)
    assert (place / "pkg/a.py").stat().st_mtime_ns == (root / "pkg/a.py").stat().st_mtime_ns
    result = await shadow.shell.run("./run.sh && cat node_modules/dep/index.js && pwd")
    assert result.output == f"ran\nmodule.exports = 1\n{root}\n"


async def test_buffers_and_staged_changes_lie_over_it(shadow: Shadow, root: Path) -> None:
    snapshot = world(root, pkg__a_DOT_py="A = 2\n", _DOT_env="SECRET=2").snapshot()
    files = [
        FileChange(root / "pkg/b.py", read(root / "pkg/b.py"), "B = 2\n", root / "pkg/c.py"),
        FileChange(root / "run.sh", read(root / "run.sh"), None),
        FileChange(root / "new/deep/d.txt", None, "d\r\n"),
    ]
    await shadow.sync(snapshot, files)
    place = shadow.place_of(root)
    assert {name for name in listing(place) if not name.startswith("node_modules")} == {
        "pkg/a.py", "pkg/c.py", "pkg/_version.py", ".gitignore", "new/deep/d.txt",
    }  # fmt: skip
    assert (place / "pkg/a.py").read_text() == "A = 2\n"
    assert (place / "pkg/c.py").read_text() == "B = 2\n"
    assert (place / "new/deep/d.txt").read_bytes() == b"d\r\n"
    await shadow.sync(world(root).snapshot())
    assert (place / "pkg/a.py").read_text() == "A = 1\n"
    assert {name for name in listing(place) if not name.startswith("node_modules")} == {
        "pkg/a.py", "pkg/b.py", "pkg/_version.py", "run.sh", ".gitignore",
    }  # fmt: skip
    assert await shadow.changed_files() == []


async def test_bytes_of_the_encoding_are_kept(shadow: Shadow, root: Path) -> None:
    before = Document(root / "l.txt", "é\r\n", None, TextFormat("latin-1"))
    marked = Document(root / "m.txt", "m", None, TextFormat("utf-16-le", b"\xff\xfe"))
    await shadow.sync(
        world(root).snapshot(),
        [FileChange(before.path, before, "ü\r\n"), FileChange(marked.path, marked, "n")],
    )
    assert (shadow.place_of(root) / "l.txt").read_bytes() == b"\xfc\r\n"
    assert (shadow.place_of(root) / "m.txt").read_bytes() == b"\xff\xfen\0"


async def test_later_syncs_touch_only_what_changed(shadow: Shadow, root: Path) -> None:
    await shadow.sync(world(root).snapshot())
    place = shadow.place_of(root)
    before = {name: (place / name).stat().st_ino for name in ("pkg/a.py", "pkg/b.py")}
    (root / "pkg/a.py").write_text("A = 3\n")
    await shadow.sync(world(root).snapshot())
    assert (place / "pkg/a.py").read_text() == "A = 3\n"
    assert (place / "pkg/b.py").stat().st_ino == before["pkg/b.py"]
    (root / "pkg/b.py").unlink()
    await shadow.sync(world(root).snapshot())
    assert not (place / "pkg/b.py").exists()


async def test_texts_of_the_same_size_have_seconds_of_their_own(shadow: Shadow, root: Path) -> None:
    """Tools with a cache go by size and second, and texts are laid down several a second."""
    seconds: list[int] = []
    for version, text in enumerate(("A = 2\n", "A = 3\n", "A = 2\n", "A = 33\n", "A = 4\n"), 2):
        await shadow.sync(world(root, **{"pkg/a.py": text}).snapshot())
        seconds.append(int((shadow.place_of(root) / "pkg/a.py").stat().st_mtime))
        assert (shadow.place_of(root) / "pkg/a.py").read_text() == text, version
    same = [seconds[at] for at in (0, 1, 2, 4)]
    assert sorted(set(same)) == same


async def test_commands_cannot_reach_the_users_files(shadow: Shadow, root: Path) -> None:
    await shadow.sync(world(root).snapshot())
    await shadow.shell.run("printf broken >> pkg/a.py; rm pkg/b.py; echo n > build.txt")
    assert (root / "pkg/a.py").read_text() == "A = 1\n"
    assert (root / "pkg/b.py").exists()
    assert not (root / "build.txt").exists()


async def test_changes_of_commands_are_found_once(shadow: Shadow, root: Path) -> None:
    await shadow.sync(world(root).snapshot())
    await shadow.shell.run(
        "printf 'A = 9\\n' > pkg/a.py; rm pkg/b.py; mkdir -p made build __pycache__; echo n > made/n.txt;"
        "echo o > build/o.txt; echo c > __pycache__/c.txt; echo i > ignored.txt; printf '\\0' > blob; touch run.sh"
    )
    assert await shadow.changed_files() == [
        ShadowChange(root / "made/n.txt", "n\n"),
        ShadowChange(root / "pkg/a.py", "A = 9\n"),
        ShadowChange(root / "pkg/b.py", None),
    ]
    assert shadow.skipped == ("blob",)
    assert await shadow.changed_files() == []


async def test_modes_and_links_are_told_and_put_back(shadow: Shadow, root: Path) -> None:
    (root / "inner").symlink_to("pkg/a.py")
    (root / "other").symlink_to("pkg/a.py")
    (root / "same").symlink_to("pkg/a.py")
    (root / "tool.sh").write_text("echo tool\n")
    (root / "tool.sh").chmod(0o755)
    await shadow.sync(world(root).snapshot())
    await shadow.shell.run(
        "chmod +x pkg/a.py; chmod -x run.sh; printf 'n\\n' > new.sh; chmod +x new.sh; rm inner; ln -sf pkg/b.py other;"
        "ln -sf pkg/a.py same; rm pkg/b.py; ln -s a.py pkg/b.py; mv tool.sh moved.sh"
    )
    assert await shadow.changed_files() == [
        ShadowChange(root / "moved.sh", "echo tool\n"),
        ShadowChange(root / "new.sh", "n\n"),
        ShadowChange(root / "tool.sh", None),
    ]
    assert [(loss.path.relative_to(root).as_posix(), loss.kind) for loss in shadow.lost] == [
        ("inner", "link removed"),
        ("new.sh", "made executable"),
        ("other", "link made or changed"),
        ("pkg/a.py", "made executable"),
        ("pkg/b.py", "link made or changed"),
        ("run.sh", "no longer executable"),
    ]
    assert shadow.skipped == ()
    place = shadow.place_of(root)
    executable = {path.name for path in place.glob("**/*.*") if os.access(path, os.X_OK) and path.is_file()}
    assert executable == {"run.sh", "moved.sh"}, "a check sees what a change carries"
    await shadow.sync(world(root).snapshot())
    assert await shadow.changed_files() == []
    assert shadow.lost == ()


async def test_a_folder_that_became_something_else_is_told(shadow: Shadow, root: Path) -> None:
    await shadow.sync(world(root).snapshot(), [FileChange(root / "staged/n.txt", None, "n\n")])
    await shadow.shell.run("rm -r pkg empty staged; echo x > pkg; ln -s run.sh empty; echo s > staged")
    assert await shadow.changed_files() == [
        ShadowChange(root / "pkg/_version.py", None),
        ShadowChange(root / "pkg/a.py", None),
        ShadowChange(root / "pkg/b.py", None),
        ShadowChange(root / "staged", "s\n"),
        ShadowChange(root / "staged/n.txt", None),
    ]
    assert shadow.lost == (
        ShadowLoss(root / "empty", "no longer a folder"),
        ShadowLoss(root / "pkg", "no longer a folder"),
    )


async def test_what_was_not_staged_is_undone(shadow: Shadow, root: Path) -> None:
    await shadow.sync(world(root).snapshot())
    await shadow.shell.run("echo x > pkg/a.py; rm -r pkg/b.py; echo n > n.txt; mkdir build; echo o > build/o.txt")
    await shadow.changed_files()
    await shadow.sync(world(root).snapshot())
    place = shadow.place_of(root)
    assert (place / "pkg/a.py").read_text() == "A = 1\n"
    assert (place / "pkg/b.py").exists()
    assert not (place / "n.txt").exists()
    assert (place / "build/o.txt").exists(), "what tools build stays for the next command"


async def test_what_was_staged_is_not_written_again(shadow: Shadow, root: Path) -> None:
    await shadow.sync(world(root).snapshot())
    await shadow.shell.run("printf 'A = 9\\n' > pkg/a.py")
    [change] = await shadow.changed_files()
    place = shadow.place_of(change.path)
    before = place.stat()
    await shadow.sync(world(root).snapshot(), [FileChange(change.path, read(change.path), change.text)])
    assert place.stat().st_mtime_ns == before.st_mtime_ns
    assert place.stat().st_ino == before.st_ino


async def test_planted_links_are_never_followed(shadow: Shadow, root: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "a.py").write_text("mine\n")
    await shadow.sync(world(root).snapshot())
    await shadow.shell.run(f"rm -r pkg; ln -s {victim} pkg; rm run.sh; ln -s {victim}/a.py run.sh; ln -s {victim} new")
    assert {change.path.name: change.text for change in await shadow.changed_files()} == {
        "_version.py": None, "a.py": None, "b.py": None,
    }, "nothing is read behind a link either"  # fmt: skip
    files = [FileChange(root / "new/a.py", None, "staged\n"), FileChange(root / "pkg/x.py", None, "staged\n")]
    await shadow.sync(world(root, pkg__a_DOT_py="buffer\n").snapshot(), files)
    assert {path.name: path.read_text() for path in victim.iterdir()} == {"a.py": "mine\n"}
    place = shadow.place_of(root)
    assert not (place / "pkg").is_symlink()
    assert (place / "pkg/a.py").read_text() == "buffer\n"
    assert (place / "new/a.py").read_text() == "staged\n"
    assert (place / "run.sh").read_text().startswith("#!")


async def test_locked_folders_and_pipes_do_not_hinder(shadow: Shadow, root: Path) -> None:
    await shadow.sync(world(root).snapshot())
    await shadow.shell.run(
        "mkfifo pipe; rm pkg/a.py; mkdir -p pkg/a.py/x/y; chmod 000 pkg/a.py/x pkg; mkdir -m 0 build"
    )
    await shadow.changed_files()
    await shadow.sync(world(root).snapshot())
    assert (shadow.place_of(root) / "pkg/a.py").read_text() == "A = 1\n"
    assert not (shadow.place_of(root) / "pipe").exists()


async def test_links_of_the_workspace(shadow: Shadow, root: Path) -> None:
    (root / "inner").symlink_to("pkg/a.py")
    (root / "absolute").symlink_to(root / "pkg/b.py")
    (root / "outer").symlink_to("../elsewhere")
    await shadow.sync(world(root).snapshot())
    assert (
        await shadow.shell.run("cat inner absolute; ls outer 2>&1 >/dev/null | wc -l")
    ).output == "A = 1\nB = 1\n1\n"
    assert any("outer" in note for note in shadow.notes)


async def test_large_files_are_shown_not_copied(shadow: Shadow, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_tree, "LARGE", 100)
    monkeypatch.setattr(shadow_copy, "_FICLONE", 0)
    (root / "large.bin").write_text("0123456789" * 20)
    os.mkfifo(root / "pipe")
    await shadow.sync(world(root).snapshot())
    await shadow.sync(world(root).snapshot())
    assert [note.split(" is ")[0] for note in shadow.notes] == ["pipe", "large.bin"]
    assert (await shadow.shell.run("cat large.bin")).output == "0123456789" * 20
    assert await shadow.changed_files() == []


async def test_dependencies_cannot_be_written_in_the_sandbox(shadow: Shadow, root: Path) -> None:
    if not shadow.shell.sandboxed:
        pytest.skip("links are all there is without a sandbox")
    await shadow.sync(world(root).snapshot())
    result = await shadow.shell.run("echo x > node_modules/dep/index.js")
    assert result.exit_code != 0
    assert (root / "node_modules/dep/index.js").read_text() == "module.exports = 1\n"


async def test_several_roots(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "o.txt").write_text("o\n")
    folders = Folders.of(root, other, root / "pkg")
    shadow = await Shadow.open(folders, tmp_path / "state", root=root / "pkg")
    try:
        await shadow.sync(World(folders).snapshot(), [FileChange(other / "p.txt", None, "p\n")])
        names = (await shadow.shell.run("ls")).output.split()
        assert names == ["_version.py", "a.py", "b.py"]
        assert listing(shadow.place_of(other)) == {"o.txt", "p.txt"}
    finally:
        await shadow.close()


async def test_tasks_do_not_meet(root: Path, tmp_path: Path) -> None:
    one = await Shadow.open(Folders.of(root), tmp_path / "state")
    two = await Shadow.open(Folders.of(root), tmp_path / "state")
    try:
        await asyncio.gather(one.sync(world(root).snapshot()), two.sync(world(root).snapshot()))
        await one.shell.run("echo 1 > pkg/a.py")
        assert (two.place_of(root) / "pkg/a.py").read_text() == "A = 1\n"
    finally:
        await one.close()
        await two.close()


async def test_cancelled_sync_goes_on_later(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shadow = await Shadow.open(Folders.of(root), tmp_path / "state")
    begun, free = threading.Event(), threading.Event()
    original = shadow_survey.Survey.take

    def slow(self: shadow_survey.Survey, stop: threading.Event) -> shadow_survey.Plan:
        begun.set()
        free.wait(10)
        return original(self, stop)

    monkeypatch.setattr(shadow_survey.Survey, "take", slow)
    task = asyncio.create_task(shadow.sync(world(root).snapshot()))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    free.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert listing(shadow.place_of(root)) == set()
    await shadow.sync(world(root).snapshot())
    assert (shadow.place_of(root) / "pkg/a.py").exists()
    await shadow.close()


async def test_full_disk_is_told(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shadow = await Shadow.open(Folders.of(root), tmp_path / "state")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shadow_copy, "write_all", full)
    with pytest.raises(SandboxError, match="no room"):
        await shadow.sync(world(root).snapshot())
    await shadow.close()


async def test_too_many_files_are_refused(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_survey, "FILES_MAX", 2)
    shadow = await Shadow.open(Folders.of(root), tmp_path / "state")
    with pytest.raises(SandboxError, match="too many"):
        await shadow.sync(world(root).snapshot())
    await shadow.close()


async def test_sweep_takes_only_the_dead(root: Path, tmp_path: Path) -> None:
    alive = await Shadow.open(Folders.of(root), tmp_path / "state")
    assert alive._sweeping is not None
    await alive._sweeping  # the one that opening starts on the side
    dead = tmp_path / "state/shadows/1-dead"
    held = tmp_path / "state/shadows/2-held"
    for folder in (dead, held):
        (folder / "0/project").mkdir(parents=True)
        (folder / "0/project/x").write_text("x")
    lock = FileLock(f"{held}.lock")
    with lock:
        await sweep(tmp_path / "state")
        assert alive.folder.exists()
        assert held.exists()
        assert not dead.exists()
    await alive.close()


async def test_git_reads_and_does_not_tell_passwords(shadow: Shadow, root: Path) -> None:
    if not shadow.shell.sandboxed:
        pytest.skip("the repository is left out without a sandbox")
    setup = (
        "git init -q . && git -c user.name=n -c user.email=e add pkg run.sh .gitignore && "
        "git -c user.name=n -c user.email=e commit -qm m && "
        "git config remote.origin.url https://me:hunter2@example.org/x.git"
    )
    process = await asyncio.create_subprocess_shell(setup, cwd=root)
    assert await process.wait() == 0
    await shadow.sync(world(root, pkg__a_DOT_py="A = 5\n").snapshot())
    result = await shadow.shell.run("git status --porcelain; cat .git/config; touch .git/x")
    assert " M pkg/a.py" in result.output
    assert "hunter2" not in result.output
    assert not (root / ".git/x").exists()


async def test_state_folder_inside_of_the_workspace(root: Path) -> None:
    shadow = await Shadow.open(Folders.of(root), root / ".kaaj-state")
    try:
        for _ in range(2):
            await shadow.sync(world(root).snapshot())
        assert not list(shadow.place_of(root).glob(".kaaj-state/*"))
        assert (await shadow.shell.run("cat pkg/a.py")).output == "A = 1\n"
        assert await shadow.changed_files() == []
    finally:
        await shadow.close()


async def test_vanished_dependencies_do_not_hinder(shadow: Shadow, root: Path) -> None:
    await shadow.sync(world(root).snapshot())
    (root / "node_modules/dep/index.js").unlink()
    (root / "node_modules/dep").rmdir()
    (root / "node_modules").rmdir()
    assert (await shadow.shell.run("echo on")).output == "on\n"
