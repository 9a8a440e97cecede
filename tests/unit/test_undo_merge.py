"""Three texts into one: as `git merge-file` does it, and by what must hold of any merge."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent.threeway import merge

NAMES = ("mine", "theirs")
LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "e\n"]), max_size=9).map("".join)


def check(base: str, mine: str, other: str, expected: str, conflicts: int = 0) -> None:
    found = merge(base, mine, other, NAMES)
    assert (found.text, found.conflicts) == (expected, conflicts)


def test_both_sides_are_kept() -> None:
    check("1\n2\n3\n", "1\ntwo\n3\n", "1\n2\n3\n4\n", "1\ntwo\n3\n4\n")
    check("1\n2\n3\n", "1\n3\n", "0\n1\n2\n3\n", "0\n1\n3\n")


def test_what_both_did_is_done_once() -> None:
    check("1\n2\n", "1\nx\n", "1\nx\n", "1\nx\n")


def test_a_disagreement_shows_both() -> None:
    check("1\n2\n3\n", "1\na\n3\n", "1\nb\n3\n", "1\n<<<<<<< mine\na\n=======\nb\n>>>>>>> theirs\n3\n", 1)


def test_a_deletion_against_an_edit() -> None:
    check("1\n2\n3\n", "1\n3\n", "1\nb\n3\n", "1\n<<<<<<< mine\n=======\nb\n>>>>>>> theirs\n3\n", 1)


def test_marks_take_the_line_end_of_the_text_and_stand_on_lines_of_their_own() -> None:
    check("1\r\n2", "1\r\na", "1\r\nb", "1\r\n<<<<<<< mine\r\na\r\n=======\r\nb\r\n>>>>>>> theirs\r\n", 1)


@given(LINES, LINES)
def test_a_side_that_did_nothing_has_no_say(base: str, other: str) -> None:
    check(base, base, other, other)
    check(base, other, base, other)
    check(base, other, other, other)


@given(LINES, LINES, LINES)
def test_the_sides_may_change_places(base: str, mine: str, other: str) -> None:
    one, two = merge(base, mine, other, NAMES), merge(base, other, mine, NAMES)
    assert one.conflicts == two.conflicts
    if not one.conflicts:
        assert one.text == two.text
    else:
        assert one.text.count("<<<<<<< mine\n") == one.text.count(">>>>>>> theirs\n") == one.conflicts


@pytest.mark.skipif(shutil.which("git") is None, reason="compares with git")
@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ({3: "x\n"}, {9: "y\n"}),
        ({3: ""}, {9: "y\ny\n"}),
        ({1: "x\n", 12: "z\n"}, {6: ""}),
        ({5: "x\n"}, {5: "y\n"}),
        ({5: "x\n", 2: "same\n"}, {5: "y\n", 2: "same\n"}),
        ({5: ""}, {5: "y\n"}),
    ],
)
def test_as_git_does_it(tmp_path: Path, mine: dict[int, str], other: dict[int, str]) -> None:
    def text(edits: dict[int, str]) -> str:
        return "".join(edits.get(number, f"line {number}\n") for number in range(15))

    for name, edits in (("mine", mine), ("base", {}), ("theirs", other)):
        (tmp_path / name).write_text(text(edits))
    git = ["git", "merge-file", "-p", "-L", "mine", "-L", "base", "-L", "theirs", "mine", "base", "theirs"]
    done = subprocess.run(git, cwd=tmp_path, capture_output=True, text=True, check=False)
    check(text({}), text(mine), text(other), done.stdout, done.returncode)
