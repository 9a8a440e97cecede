"""The staging area: what a task has changed, over what the editor shows, and never a byte too many."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent.changes import FileChange
from kaaj_agent.document import Document, TextFormat
from kaaj_agent.failures import FileError, MissingFileError, NotTextError
from kaaj_agent.staging import Staging
from kaaj_agent.world import Folders, Snapshot

ROOT = Path("/kaaj-no-such-folder")
A, B, C = ROOT / "a", ROOT / "b", ROOT / "c"


def view(**texts: str) -> Snapshot:
    """A snapshot in which every file is an open buffer."""
    return Snapshot(Folders((ROOT,)), {ROOT / name: Document(ROOT / name, text, 1) for name, text in texts.items()})


async def result(staging: Staging, *paths: Path) -> dict[str, str | None]:
    found = {path.name: await staging.find(path) for path in (paths or (A, B, C))}
    return {name: document.text if document else None for name, document in found.items()}


def shape(staging: Staging) -> list[tuple[str, str, str, str | None]]:
    return sorted((file.kind, file.path.name, file.target.name, file.after) for file in staging.files)


async def test_what_is_put_is_read() -> None:
    staging = Staging(view(a="1\n"))
    await staging.put(A, "2\n")
    await staging.put(B, "new\n")
    assert await result(staging) == {"a": "2\n", "b": "new\n", "c": None}
    assert shape(staging) == [("create", "b", "b", "new\n"), ("edit", "a", "a", "2\n")]
    assert (await staging.snapshot.read(A)).text == "1\n"


async def test_the_base_text_again_is_no_change() -> None:
    staging = Staging(view(a="1\n"))
    await staging.put(A, "2\n")
    await staging.put(A, "1\n")
    assert staging.files == ()


async def test_delete() -> None:
    staging = Staging(view(a="1\n"))
    await staging.delete(A)
    assert shape(staging) == [("delete", "a", "a", None)]
    with pytest.raises(MissingFileError):
        await staging.read(A)
    with pytest.raises(MissingFileError):
        await staging.delete(A)
    with pytest.raises(MissingFileError):
        await staging.delete(B)
    await staging.put(A, "again\n")
    assert shape(staging) == [("edit", "a", "a", "again\n")]
    await staging.put(B, "x")
    await staging.delete(B)
    assert shape(staging) == [("edit", "a", "a", "again\n")]


async def test_rename() -> None:
    staging = Staging(view(a="1\n", c="3\n"))
    await staging.rename(A, B)
    assert shape(staging) == [("rename", "a", "b", "1\n")]
    assert len(staging.files[0].hunks) == 1
    assert await result(staging) == {"a": None, "b": "1\n", "c": "3\n"}
    await staging.put(B, "2\n")
    assert shape(staging) == [("rename", "a", "b", "2\n")]
    with pytest.raises(FileError, match="exists"):
        await staging.rename(B, C)
    with pytest.raises(MissingFileError):
        await staging.rename(A, ROOT / "d")
    await staging.rename(B, A)
    assert shape(staging) == [("edit", "a", "a", "2\n")]


async def test_a_created_file_that_moves_is_created_elsewhere() -> None:
    staging = Staging(view())
    await staging.put(A, "1")
    await staging.rename(A, B)
    assert shape(staging) == [("create", "b", "b", "1")]


async def test_a_new_file_where_one_was_moved_away_loses_neither() -> None:
    staging = Staging(view(a="1\n"))
    await staging.rename(A, B)
    await staging.put(A, "shim\n")
    assert await result(staging) == {"a": "shim\n", "b": "1\n", "c": None}
    assert shape(staging) == [("create", "b", "b", "1\n"), ("edit", "a", "a", "shim\n")]


async def test_deleting_what_was_moved_away_is_refused() -> None:
    staging = Staging(view(a="1\n"))
    await staging.rename(A, B)
    with pytest.raises(MissingFileError):
        await staging.delete(A)
    assert await result(staging) == {"a": None, "b": "1\n", "c": None}


async def test_a_file_moved_onto_a_deleted_one() -> None:
    staging = Staging(view(a="1\n", b="2\n"))
    await staging.delete(B)
    await staging.rename(A, B)
    assert await result(staging) == {"a": None, "b": "1\n", "c": None}
    assert shape(staging) == [("delete", "a", "a", None), ("edit", "b", "b", "1\n")]


async def test_two_files_change_places() -> None:
    staging = Staging(view(a="1\n", b="2\n"))
    await staging.rename(A, C)
    await staging.rename(B, A)
    await staging.rename(C, B)
    assert await result(staging) == {"a": "2\n", "b": "1\n", "c": None}
    assert shape(staging) == [("edit", "a", "a", "2\n"), ("edit", "b", "b", "1\n")]


NAMES = st.sampled_from([A, B, C])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, st.sampled_from(["x\n", "y\n", "1\n"])),
        st.tuples(st.just("delete"), NAMES, st.just("")),
        st.tuples(st.just("rename"), NAMES, NAMES.map(str)),
    ),
    max_size=8,
)


@given(STEPS)
async def test_any_steps_leave_what_a_plain_folder_would_hold(steps: list[tuple[str, Path, str]]) -> None:
    """The model is a dictionary; and the files of the change, applied to the base, give the same."""
    base = {A: "1\n", B: "2\n"}
    staging = Staging(view(a="1\n", b="2\n"))
    model = dict(base)
    for verb, path, extra in steps:
        try:
            if verb == "put":
                await staging.put(path, extra)
                model[path] = extra
            elif verb == "delete":
                await staging.delete(path)
                del model[path]
            else:
                await staging.rename(path, Path(extra))
                assert Path(extra) not in model
                model[Path(extra)] = model.pop(path)
        except MissingFileError:
            assert path not in model
        except FileError:
            assert Path(extra) in model
    assert await result(staging) == {path.name: model.get(path) for path in (A, B, C)}
    applied = dict(base)
    for file in staging.files:
        assert (file.before.text if file.before else None) == base.get(file.path)
        assert file.hunks
        applied.pop(file.path, None)
    for file in staging.files:
        if file.after is not None:
            assert file.target not in applied
            applied[file.target] = file.after
    assert applied == model


async def test_hunks_keep_the_item_that_they_serve() -> None:
    staging = Staging(view(a="1\n2\n3\n4\n5\n"))
    staging.todo = "t1"
    await staging.put(A, "one\n2\n3\n4\n5\n")
    staging.todo = "t2"
    await staging.put(A, "one\n2\n3\n4\nfive\n")
    assert [hunk.todo for hunk in staging.files[0].hunks] == ["t1", "t2"]
    await staging.rebase(view(a="0\n1\n2\n3\n4\n5\n"))
    assert [hunk.todo for hunk in staging.files[0].hunks] == ["t1", "t2"]
    assert [hunk.line for hunk in staging.files[0].hunks] == [2, 6]


async def test_load_goes_back() -> None:
    staging = Staging(view(a="1\n"))
    await staging.put(A, "2\n")
    held, revision = staging.files, staging.revision
    await staging.put(A, "3\n")
    staging.load(held)
    assert staging.files == held
    assert staging.revision > revision


async def test_rebase_carries_over_what_it_can() -> None:
    staging = Staging(view(a="1\n2\n3\n", b="x\n"))
    await staging.put(A, "1\n2\nthree\n")
    await staging.delete(B)
    await staging.put(C, "new\n")
    assert await staging.rebase(view(a="zero\n1\n2\n3\n", b="x\n")) == ()
    assert await result(staging) == {"a": "zero\n1\n2\nthree\n", "b": None, "c": "new\n"}


async def test_what_cannot_be_carried_over_stays_as_it_was() -> None:
    staging = Staging(view(a="1\n2\n3\n", b="x\n"))
    await staging.put(A, "1\nours\n3\n")
    await staging.delete(B)
    await staging.put(C, "new\n")
    before = staging.files
    assert await staging.rebase(view(a="1\ntheirs\n3\n", b="y\n", c="appeared\n")) == (A, B, C)
    assert staging.files == before


async def test_a_move_is_carried_over_unless_its_goal_is_taken() -> None:
    staging = Staging(view(a="1\n"))
    await staging.rename(A, B)
    assert await staging.rebase(view(a="1\n2\n")) == ()
    assert await result(staging) == {"a": None, "b": "1\n2\n", "c": None}
    assert await staging.rebase(view(a="1\n2\n", b="taken\n")) == (A,)


async def test_a_newer_version_of_the_same_text_is_the_base() -> None:
    staging = Staging(view(a="1\n"))
    await staging.put(A, "2\n")
    revision = staging.revision
    newer = Snapshot(Folders((ROOT,)), {A: Document(A, "1\n", 7)})
    assert await staging.rebase(newer) == ()
    before = staging.files[0].before
    assert before is not None
    assert before.version == 7
    assert staging.revision == revision


async def test_a_file_that_is_no_text_any_more_is_stale(tmp_path: Path) -> None:
    path = tmp_path.resolve() / "a"
    path.write_text("1\n", encoding="utf-8")
    staging = Staging(Snapshot(Folders.of(tmp_path), {}))
    await staging.put(path, "2\n")
    path.write_bytes(b"\0")
    assert await staging.rebase(Snapshot(Folders.of(tmp_path), {})) == (path,)
    assert (await staging.read(path)).text == "2\n"
    with pytest.raises(NotTextError):
        await staging.snapshot.read(path)


async def test_the_format_is_kept() -> None:
    style = TextFormat("utf-16-le", b"\xff\xfe")
    staging = Staging(Snapshot(Folders((ROOT,)), {A: Document(A, "1\n", 1, style)}))
    await staging.put(A, "2\n")
    assert (await staging.read(A)).format == style
    await staging.rename(A, B)
    await staging.put(A, "shim\n")
    assert (await staging.read(B)).format == style


LINES = st.lists(st.sampled_from(["a", "b", "c\r", ""]), max_size=10).map(lambda rows: "".join(f"{r}\n" for r in rows))


@given(LINES, LINES, LINES)
async def test_a_rebase_never_changes_bytes_outside_of_its_hunks(base: str, ours: str, now: str) -> None:
    staging = Staging(view(a=base))
    await staging.put(A, ours)
    held = staging.files
    stale = await staging.rebase(view(a=now))
    if not held:
        assert await result(staging, A) == {"a": now}
        return
    (file,) = staging.files
    if stale:
        assert file == held[0]
        return
    assert file.before is not None
    assert file.before.text == now
    check_outside(file, now)
    gone = sorted(hunk.old for hunk in held[0].hunks)
    come = sorted(hunk.new for hunk in held[0].hunks)
    growth = sum(map(len, come)) - sum(map(len, gone))
    assert len(file.after or "") == len(now) + growth


def check_outside(file: FileChange, now: str) -> None:
    rebuilt, at = "", 0
    for hunk in file.hunks:
        assert now[hunk.start : hunk.end] == hunk.old
        rebuilt += now[at : hunk.start] + hunk.new
        at = hunk.end
    assert rebuilt + now[at:] == file.after
