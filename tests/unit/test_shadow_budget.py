"""What of a large workspace is copied into its shadow."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent import shadow_budget
from kaaj_agent.failures import SandboxError
from kaaj_agent.shadow import Shadow
from kaaj_agent.shadow_budget import COPY_MAX, LARGE, SHOWN_MAX, copied_up_to, told
from kaaj_agent.world import Folders, World

MEGABYTE = 1024 * 1024


def test_an_ordinary_workspace_is_copied_as_ever() -> None:
    assert copied_up_to([]) == LARGE
    assert copied_up_to([1_000] * 100_000) == LARGE
    assert copied_up_to([60 * MEGABYTE, 40 * MEGABYTE]) == LARGE


def test_of_five_gigabytes_the_large_files_stay_where_they_are() -> None:
    assert copied_up_to([40 * MEGABYTE] * 128) == 10 * MEGABYTE
    assert copied_up_to([5 * MEGABYTE] * 1_000 + [10_000] * 50_000) == 2 * MEGABYTE


def test_too_much_to_lay_out_is_said() -> None:
    with pytest.raises(SandboxError, match=r"9\.8 GB"):
        copied_up_to([100_000] * 105_000)
    with pytest.raises(SandboxError, match="kaajignore"):
        copied_up_to([5 * MEGABYTE] * (SHOWN_MAX + 1))


@given(st.lists(st.integers(0, 2 * LARGE), max_size=60))
def test_what_is_copied_fits(sizes: list[int]) -> None:
    try:
        limit = copied_up_to(sizes)
    except SandboxError:
        return
    assert sum(size for size in sizes if size <= limit) <= COPY_MAX
    assert sum(size > limit for size in sizes) <= SHOWN_MAX


def test_a_few_are_named_and_many_counted() -> None:
    assert len(told([("a", LARGE)] * 3)) == 3
    assert told([("a", MEGABYTE)] * 5) == [
        "a and 4 more files (5 MB) are too large to copy and shown from their own places"
    ]
    assert told([]) == []


async def test_what_is_not_copied_is_shown_from_its_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only texts are left to copy, and what a task edits is laid down as ever."""
    root = (tmp_path / "w").resolve()
    root.mkdir()
    for number in range(6):
        (root / f"blob{number}.bin").write_bytes(b"\0" * 3_000)
    (root / "a.py").write_text("a = 1\n")
    monkeypatch.setattr(shadow_budget, "COPY_MAX", 10_000)
    monkeypatch.setattr(shadow_budget, "_STEPS", (LARGE, 2_000))
    monkeypatch.setattr("kaaj_agent.shadow_copy._FICLONE", 0)  # a file system that shares no blocks
    world = World(Folders.of(root))
    shadow = await Shadow.open(world.folders, tmp_path / "state")
    try:
        if not shadow.shell.sandboxed:
            pytest.skip("without a sandbox everything is copied")
        await shadow.sync(world.snapshot())
        assert [note for note in shadow.notes if "5 more files" in note]
        assert shadow.place_of(root / "a.py").read_text() == "a = 1\n"
        assert shadow.place_of(root / "blob0.bin").stat().st_size == 0  # only a place to show it at
        seen = await shadow.shell.run("cat a.py; wc -c < blob3.bin; echo x > blob3.bin")
        assert seen.output.startswith("a = 1\n3000\n")
        assert (root / "blob3.bin").stat().st_size == 3_000
        await shadow.sync(world.snapshot())
        assert await shadow.changed_files() == []
    finally:
        await shadow.close()
