"""The world: paths stay in the workspace, and a snapshot stands still."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaaj_agent.document import Document
from kaaj_agent.failures import MissingFileError, OutsideError
from kaaj_agent.world import Folders, World


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "w"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("a = 1\n", encoding="utf-8")
    (root / ".git").mkdir()
    return root


@pytest.mark.parametrize("name", ["src/a.py", "./src/../src/a.py", "src//a.py", "new/b.py", ".", "src"])
def test_names_in_the_workspace(root: Path, name: str) -> None:
    path = Folders.of(root).resolve(name)
    assert path == (root / name).resolve()
    assert Folders.of(root).resolve(str(path)) == path


@pytest.mark.parametrize(
    "name",
    [
        "", "..", "../other", "/etc/passwd", "src/../../w2/x", "a\0b", ".git/config", "src/.git/hooks/x", ".GIT/config",
        "x" * 5000, "a/" * 5000, "\ud800",
    ],
)  # fmt: skip
def test_names_out_of_the_workspace_are_refused(root: Path, name: str) -> None:
    with pytest.raises(OutsideError):
        Folders.of(root).resolve(name)
    with pytest.raises(OutsideError):
        Folders.of(root, root.parent / "second").resolve(name)


def test_links_that_lead_out_are_refused(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s", encoding="utf-8")
    (root / "dir").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "dangling").symlink_to(outside / "not yet")
    (root / "loop").symlink_to(root / "loop")
    (root / "inside").symlink_to(root / "src")
    (root / "git").symlink_to(root / ".git")
    folders = Folders.of(root)
    for name in ("dir/secret", "file", "dangling", "dir/new", "git/config", "loop", "loop/x"):
        with pytest.raises(OutsideError):
            folders.resolve(name)
    assert folders.resolve("inside/a.py") == root / "src" / "a.py"


def test_several_folders(tmp_path: Path) -> None:
    one, two = tmp_path.resolve() / "one", tmp_path.resolve() / "two"
    for folder in (one, two, one / "two"):
        folder.mkdir()
    (two / "b.py").write_text("", encoding="utf-8")
    folders = Folders.of(one, two)
    assert folders.resolve("b.py") == two / "b.py"
    assert folders.resolve("two/b.py") == two / "b.py"
    assert folders.resolve("new.py") == one / "new.py"
    assert folders.resolve("two/new.py") == two / "new.py"
    assert folders.resolve(".") == one
    for path in (one / "a", two / "b.py"):
        assert folders.resolve(folders.name_of(path)) == path


def test_the_innermost_folder_holds_a_path(tmp_path: Path) -> None:
    outer, inner = tmp_path.resolve(), tmp_path.resolve() / "inner"
    inner.mkdir()
    folders = Folders.of(outer, inner)
    assert folders.root_of(inner / "x") == inner
    assert folders.root_of(outer / "x") == outer
    assert folders.root_of(outer.parent) is None


def test_without_folders_nothing_is_found() -> None:
    with pytest.raises(OutsideError, match="folder"):
        Folders(()).resolve("a")


async def test_a_snapshot_stands_still(root: Path) -> None:
    world = World(Folders.of(root))
    path = root / "src" / "a.py"
    before = world.snapshot()
    world.put(Document(path, "a = 2\n", 1))
    during = world.snapshot()
    world.put(Document(path, "a = 3\n", 2))
    world.drop(path)
    assert (await before.read(path)).text == "a = 1\n"
    assert (await during.read(path)).text == "a = 2\n"
    assert (await world.snapshot().read(path)).version is None
    assert await before.find(root / "gone") is None
    with pytest.raises(MissingFileError, match="gone"):
        await before.read(root / "gone")


def test_listeners_hear_of_changes_until_they_leave(root: Path) -> None:
    world = World(Folders.of(root))
    heard: list[Path] = []
    leave = world.listen(heard.append)
    path = root / "a"
    world.put(Document(path, "", 1))
    world.drop(path)
    world.drop(path)
    world.touched(path)
    assert heard == [path] * 3
    leave()
    leave()
    world.touched(path)
    assert len(heard) == 3
