"""Search and listing: the same with ripgrep and without, over buffers and staged texts."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from kaaj_agent.child import run_child
from kaaj_agent.document import Document
from kaaj_agent.failures import BadRequestError, MissingFileError, OutsideError
from kaaj_agent.grep import around
from kaaj_agent.ignore import Ignore
from kaaj_agent.listing import list_files
from kaaj_agent.overlay import Source
from kaaj_agent.search import SearchResult, search
from kaaj_agent.staging import Staging
from kaaj_agent.world import Folders, Snapshot

FILES = {
    "b/two.py": "def two(x):\n    return one(x) + 1\n",
    "b/sub/three.py": "# one more\n",
    "a.py": "def one(x):\r\n    return x  # eins\r\n",
    "b.py": "x = one(1)\ny = 'f(x)'\n",
    "ignored/one.py": "one = 1\n",
    "node_modules/one.js": "one()\n",
    ".gitignore": "ignored/\n",
    ".env": "one=secret\n",
    ".hidden/one.txt": "one\n",
    "empty": "",
    "umlaut.txt": "Größe: one\n",
}


def plant(root: Path, files: dict[str, str]) -> Folders:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return Folders.of(root)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return plant(tmp_path / "w", FILES)


@pytest.fixture(params=["rg", None], ids=["ripgrep", "python"])
def ripgrep(request: pytest.FixtureRequest) -> str | None:
    name: str | None = request.param
    if name and not shutil.which(name):
        pytest.skip("ripgrep is not installed")
    return name


def rows(result: SearchResult, folders: Folders) -> list[str]:
    return [f"{folders.name_of(hit.path)}:{hit.line}:{hit.text}" for hit in result.hits]


async def found(source: Source, pattern: str, ripgrep: str | None, name: str = "") -> list[str]:
    path = source.folders.resolve(name) if name else None
    return rows(await search(source, Ignore(source.folders), pattern, path, ripgrep=ripgrep), source.folders)


async def test_search_is_ordered_and_honours_ignore_rules(folders: Folders, ripgrep: str | None) -> None:
    assert await found(Snapshot(folders, {}), r"\bone\b", ripgrep) == [
        ".hidden/one.txt:1:one",
        "a.py:1:def one(x):",
        "b/sub/three.py:1:# one more",
        "b/two.py:2:    return one(x) + 1",
        "b.py:1:x = one(1)",
        "umlaut.txt:1:Größe: one",
    ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^def \w+\(x\):$", ["a.py:1:def one(x):", "b/two.py:1:def two(x):"]),
        (r"eins$", ["a.py:2:    return x  # eins"]),
        (r"Gr..e", ["umlaut.txt:1:Größe: one"]),
        (r"(?<=y = )'f", ["b.py:2:y = 'f(x)'"]),
        (r"[yz] = '[a-f]\(", ["b.py:2:y = 'f(x)'"]),
        (r"nowhere", []),
    ],
)
async def test_regular_expressions(folders: Folders, ripgrep: str | None, pattern: str, expected: list[str]) -> None:
    assert await found(Snapshot(folders, {}), pattern, ripgrep) == expected


async def test_an_invalid_pattern_is_taken_as_text_and_told(folders: Folders, ripgrep: str | None) -> None:
    result = await search(Snapshot(folders, {}), Ignore(folders), "f(x", ripgrep=ripgrep)
    assert rows(result, folders) == ["b.py:2:y = 'f(x)'"]
    assert result.literal
    assert "plain text" in result.text(folders)


async def test_search_in_one_folder_or_file(folders: Folders, ripgrep: str | None) -> None:
    view = Snapshot(folders, {})
    assert await found(view, "one", ripgrep, "b") == ["b/sub/three.py:1:# one more", "b/two.py:2:    return one(x) + 1"]
    assert await found(view, "one", ripgrep, "b.py") == ["b.py:1:x = one(1)"]


async def test_buffers_and_staged_texts_stand_over_the_disk(folders: Folders, ripgrep: str | None) -> None:
    root = folders.roots[0]
    buffers = {
        root / "a.py": Document(root / "a.py", "fresh one\n", 3),
        root / "b.py": Document(root / "b.py", "nothing here\n", 1),
        root / "ignored" / "one.py": Document(root / "ignored" / "one.py", "one\n", 1),
    }
    staging = Staging(Snapshot(folders, buffers))
    await staging.put(root / "new" / "x.py", "brand new one\n")
    await staging.put(root / "b.py", "one again\n")
    await staging.delete(root / "b" / "sub" / "three.py")
    await staging.rename(root / "b" / "two.py", root / "b" / "zwei.py")
    await staging.delete(root / "umlaut.txt")
    assert await found(staging, "one", ripgrep) == [
        ".hidden/one.txt:1:one",
        "a.py:1:fresh one",
        "b/zwei.py:2:    return one(x) + 1",
        "b.py:1:one again",
        "new/x.py:1:brand new one",
    ]
    assert await found(staging, "one", ripgrep, "new") == ["new/x.py:1:brand new one"]


async def test_results_are_cut_and_long_lines_too(tmp_path: Path, ripgrep: str | None) -> None:
    folders = plant(tmp_path, {"a": "hit\n" * 5, "b": "x" * 1000 + "hit" + "y" * 1000})
    ignore = Ignore(folders)
    result = await search(Snapshot(folders, {}), ignore, "hit", limit=3, ripgrep=ripgrep)
    assert [hit.line for hit in result.hits] == [1, 2, 3]
    assert result.cut
    assert "Cut after 3" in result.text(folders)
    result = await search(Snapshot(folders, {}), ignore, "hit", limit=6, ripgrep=ripgrep)
    assert not result.cut
    assert "hit" in result.hits[-1].text
    assert len(result.hits[-1].text) == 242


async def test_binary_and_unreadable_files_are_passed_over(tmp_path: Path, ripgrep: str | None) -> None:
    folders = plant(tmp_path, {"a": "one\n"})
    (tmp_path / "binary").write_bytes(b"one\0one\n")
    (tmp_path / "wide").write_bytes("one wide\n".encode("utf-16"))
    (tmp_path / "latin").write_bytes("one caf\xe9\n".encode("latin-1"))
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert await found(Snapshot(folders, {}), "one", ripgrep) == ["a:1:one", "latin:1:one café", "wide:1:one wide"]


@pytest.mark.parametrize("where", [".gitignore", "b/.gitignore"])
async def test_an_ignore_file_that_is_a_named_pipe_holds_nothing_up(
    folders: Folders, ripgrep: str | None, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ripgrep would wait for ever for somebody to write into it."""
    monkeypatch.setattr("kaaj_agent.search._RULES_SECONDS", 0.3)
    (folders.roots[0] / ".gitignore").unlink()
    os.mkfifo(folders.roots[0] / where)
    (folders.roots[0] / ".kaajignore").write_text("ignored/\n")
    result = await search(Snapshot(folders, {}), Ignore(folders), r"one\(", ripgrep=ripgrep)
    assert not result.timed_out
    assert [row.split(":")[0] for row in rows(result, folders)] == ["a.py", "b/two.py", "b.py"]


async def test_what_cannot_be_searched_is_told(folders: Folders) -> None:
    view, ignore, root = Snapshot(folders, {}), Ignore(folders), folders.roots[0]
    with pytest.raises(BadRequestError):
        await search(view, ignore, "")
    with pytest.raises(BadRequestError):
        await search(view, ignore, "x" * 2000)
    with pytest.raises(OutsideError, match="secret"):
        await search(view, ignore, "one", root / ".env")
    with pytest.raises(MissingFileError):
        await search(view, ignore, "one", root / "gone")


async def test_a_pattern_that_never_ends_is_stopped(tmp_path: Path, ripgrep: str | None) -> None:
    folders = plant(tmp_path, {"a": "hit\n", "b": "a" * 60 + "b\n"})
    result = await search(Snapshot(folders, {}), Ignore(folders), r"hit|(a|aa)+$", seconds=2.0, ripgrep=ripgrep)
    assert rows(result, folders) == ["a:1:hit"]
    assert result.timed_out == (ripgrep is None)  # ripgrep's own matcher is linear, and leaves `b` out


async def test_a_cancelled_search_leaves_no_process(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"echo $$ > {note}; exec sleep 60"
    task = asyncio.create_task(run_child(["/bin/sh", "-c", script], seconds=60))
    while not (note.exists() and note.read_text(encoding="utf-8").strip()):
        await asyncio.sleep(0.01)
    pid = int(note.read_text(encoding="utf-8"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_child_with_too_much_output_is_stopped() -> None:
    ended = await run_child(["/bin/sh", "-c", "yes"], seconds=60, cap=1000)
    assert ended.code is None
    assert len(ended.output) == 1000
    assert not ended.timed_out


@pytest.mark.parametrize(("start", "end"), [(0, 3), (50, 53), (97, 100), (0, 100), (10, 90)])
def test_a_cut_line_shows_the_match(start: int, end: int) -> None:
    line = "".join(chr(0x4E00 + i) for i in range(100))
    cut = around(line, start, end, 20).strip("…")
    assert len(cut) == 20
    assert line[start : min(end, start + 20)] in cut


async def test_a_listing_is_a_tree_without_what_is_ignored(folders: Folders) -> None:
    listing = await list_files(Snapshot(folders, {}), Ignore(folders))
    assert listing.text.split("\n") == [
        ".gitignore",
        ".hidden/",
        "  one.txt",
        "a.py",
        "b/",
        "  sub/",
        "    three.py",
        "  two.py",
        "b.py",
        "empty",
        "umlaut.txt",
    ]
    assert (listing.entries, listing.cut) == (11, False)


async def test_a_listing_shows_what_is_staged(folders: Folders) -> None:
    root = folders.roots[0]
    staging = Staging(Snapshot(folders, {}))
    await staging.put(root / "b" / "deep" / "new.py", "")
    await staging.delete(root / "b" / "two.py")
    listing = await list_files(staging, Ignore(folders), root / "b")
    assert listing.text.split("\n") == ["b/", "  deep/", "    new.py", "  sub/", "    three.py"]


async def test_a_long_listing_is_cut_from_below(folders: Folders) -> None:
    listing = await list_files(Snapshot(folders, {}), Ignore(folders), limit=8)
    lines = listing.text.split("\n")
    assert listing.cut
    assert listing.entries == 8
    assert [line for line in lines if not line.startswith(" ")] == [
        ".gitignore", ".hidden/", "a.py", "b/", "b.py", "empty", "umlaut.txt",
    ]  # fmt: skip
    assert any("more" in line for line in lines)


async def test_several_folders_are_listed_by_name(tmp_path: Path) -> None:
    plant(tmp_path, {"one/a": "", "two/b": ""})
    folders = Folders.of(tmp_path / "one", tmp_path / "two")
    listing = await list_files(Snapshot(folders, {}), Ignore(folders))
    assert listing.text.split("\n") == ["one/", "  a", "two/", "  b"]


async def test_what_cannot_be_listed_is_told(folders: Folders) -> None:
    root = folders.roots[0]
    with pytest.raises(OutsideError):
        await list_files(Snapshot(folders, {}), Ignore(folders), root / "ignored")
    with pytest.raises(MissingFileError):
        await list_files(Snapshot(folders, {}), Ignore(folders), root / "gone")
    assert (await list_files(Snapshot(folders, {}), Ignore(folders), root / "a.py")).text == "a.py"
