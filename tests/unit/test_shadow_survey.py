"""What a shadow holds is found in one walk, and is what the rules say of each file alone."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaaj_agent.ignore import Ignore, Reason, Scope
from kaaj_agent.shadow_copy import Copier, Stamp
from kaaj_agent.shadow_survey import Survey
from kaaj_agent.shadow_tree import ShadowTree
from kaaj_agent.world import Folders

GO = threading.Event()
NAMES = st.sampled_from(["a", "b", "inner", "x.log", "keep.log", "api_version.py", ".env", "..."])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
RULES = st.sampled_from(
    ["*.log", "!keep.log", "/a", "b/", "inner/x.log", "!inner/", "*", "!a", "**/b", "api_version.py"]
)
RULE_FILES = st.sampled_from([".gitignore", ".kaajignore"])


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    if any(part.is_file() for part in path.parents) or path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@settings(deadline=None, max_examples=60)
@given(
    files=st.sets(PATHS, min_size=1, max_size=12),
    rules=st.dictionaries(st.tuples(st.sampled_from(["", "a/", "inner/", "inner/b/"]), RULE_FILES), st.lists(RULES)),
    nested=st.booleans(),
)
def test_it_finds_what_is_not_ignored(
    files: set[str], rules: dict[tuple[str, str], list[str]], *, nested: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve() / "w"
        root.mkdir()
        for file in sorted(files):
            write(root, file, "x")
        for (folder, rule_file), lines in rules.items():
            write(root, folder + rule_file, "\n".join(lines))
        folders = Folders.of(root, root / "inner") if nested and (root / "inner").is_dir() else Folders.of(root)
        ignore = Ignore(folders)
        plan = Survey(root, ignore, root / "state").take(GO)
        open_folders = {"", *(folder for folder in plan.folders)}
        for path in root.rglob("*"):
            inner = path.relative_to(root).as_posix()
            if inner.rpartition("/")[0] not in open_folders or path in folders.roots:
                continue
            if path.is_dir():
                assert (inner in open_folders) == (not ignore.ignored(path)), inner
            else:
                generated = path.name == "api_version.py" and ignore.reason(path) == ".gitignore"
                assert (inner in plan.files) == (generated or not ignore.ignored(path)), inner


def test_a_file_that_goes_meanwhile_is_not_missed(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("x")

    class Busy(Ignore):
        """Somebody else works in the folder, too."""

        def judge(self, scope: Scope, name: str, *, is_folder: bool) -> Reason | None:
            if name == "a.py":
                (tmp_path / name).unlink()
            return super().judge(scope, name, is_folder=is_folder)

    assert set(Survey(tmp_path, Busy(Folders.of(tmp_path)), tmp_path / "state").take(GO).files) == {"b.py"}


def test_what_has_not_changed_costs_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each folder is listed once on either side, and no file is opened."""
    root = (tmp_path / "w").resolve()
    for number in range(30):
        write(root, f"d{number % 10}/e/m{number}.py", f"m = {number}\n")
    tree = ShadowTree(root, tmp_path / "s" / "w", Ignore(Folders.of(root)), tmp_path / "s", sandboxed=True)
    tree.sync({}, GO)
    listed: list[str] = []
    copied: list[str] = []
    scandir, copy = os.scandir, Copier.copy

    def counted(place: os.PathLike[str]) -> object:
        listed.append(os.fspath(place))
        return scandir(place)

    def noted(self: Copier, name: str, status: os.stat_result, stop: threading.Event, *, fresh: bool) -> Stamp | None:
        copied.append(name)
        return copy(self, name, status, stop, fresh=fresh)

    monkeypatch.setattr(os, "scandir", counted)
    monkeypatch.setattr(Copier, "copy", noted)
    tree.sync({}, GO)
    assert len(listed) == len(set(listed)) == 2 * 21
    assert copied == []
    (root / "d3/e/m3.py").write_text("m = 33\n")
    tree.sync({"d4/e/m4.py": b"staged\n"}, GO)
    assert copied == ["d3/e/m3.py"]
    assert (tmp_path / "s/w/d3/e/m3.py").read_text() == "m = 33\n"
    assert (tmp_path / "s/w/d4/e/m4.py").read_text() == "staged\n"
    tree.sync({}, GO)
    assert copied == ["d3/e/m3.py", "d4/e/m4.py"]
    assert (tmp_path / "s/w/d4/e/m4.py").read_text() == "m = 4\n"


@pytest.mark.parametrize("told", [0, 1, 5, 6, 7, 5_000_000])
def test_a_file_is_copied_whole_whatever_its_size_was_thought_to_be(tmp_path: Path, told: int) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    source = tmp_path / "from" / "grows.bin"
    source.write_bytes(b"x" * told)
    status = source.stat()
    data = bytes(range(256)) * 10_000
    source.write_bytes(data)
    copier = Copier(tmp_path / "from", tmp_path / "to")
    copier.clones = False
    assert copier.copy("grows.bin", status, GO, fresh=True) is not None
    assert (tmp_path / "to" / "grows.bin").read_bytes() == data
