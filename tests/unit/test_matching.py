"""Edits belong to exactly one place, and change nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kaaj_agent.document import Lines
from kaaj_agent.matching import (
    Ambiguous,
    Edited,
    Empty,
    Match,
    Missing,
    Unchanged,
    edit,
    explain,
    locate,
)


def check_edit(before: str, old: str, new: str, after: str, how: str = "") -> None:
    outcome = edit(before, old, new)
    assert isinstance(outcome, Edited), explain(outcome, "file")
    assert outcome.text == after
    match = outcome.match
    assert before[: match.start] == after[: match.start]
    assert after.endswith(before[match.end :])
    if how:
        assert match.how == how


@pytest.mark.parametrize(
    ("before", "old", "new", "after", "how"),
    [
        pytest.param("a\nb\nc\n", "b", "x", "a\nx\nc\n", "exact", id="one line"),
        pytest.param("a\nb\nc\n", "b\n", "", "a\nc\n", "exact", id="a line deleted"),
        pytest.param("one two\n", "two", "2", "one 2\n", "exact", id="within a line"),
        pytest.param("", "", "new\n", "new\n", "exact", id="an empty file"),
        pytest.param("a\r\nb\r\n", "b", "x\ny", "a\r\nx\r\ny\r\n", "exact", id="added lines get the file's ends"),
        pytest.param("a\rb\rc", "b", "x\ny", "a\rx\ry\rc", "exact", id="carriage returns alone"),
        pytest.param("a\nb\n", "b", "x\r\ny", "a\nx\ny\n", "exact", id="foreign ends in the new text"),
        pytest.param("a\r\nb\r\nc\r\n", "a\nb\n", "a\nB\n", "a\r\nB\r\nc\r\n", "line ends", id="CRLF file, LF edit"),
        pytest.param("a\nb\nc", "a\r\nb", "a\r\nB", "a\nB\nc", "line ends", id="LF file, CRLF edit"),
        pytest.param("a\r\nb\nc\rd", "a\nb\nc\nd", "a\nX\nc\nd", "a\r\nX\nc\rd", "line ends", id="mixed ends stay"),
        pytest.param("a\r\nb", "\nb", "\nc", "a\r\nc", "line ends", id="never between CR and LF"),
        pytest.param("a  \nb\t\nc\n", "a\nb\n", "a\nB\n", "a  \nB\nc\n", "trailing blanks", id="blanks of kept lines"),
        pytest.param("a\nb\n", "a  \nb ", "a  \nc ", "a\nc \n", "trailing blanks", id="blanks in the edit only"),
        pytest.param(
            "x\n    \ny\n", "x\n\ny", "x\n\nz", "x\n    \nz\n", "trailing blanks", id="a blank line of blanks"
        ),
        pytest.param(
            "def f():\n    if x:\n        a()\n        b()\n",
            "if x:\n    a()\n    b()\n",
            "if x:\n    a()\n\n    c()\n",
            "def f():\n    if x:\n        a()\n\n        c()\n",
            "indentation",
            id="deeper in the file",
        ),
        pytest.param(
            "a:\n  b\n", "    a:\n      b", "    a:\n      c\n    d", "a:\n  c\nd\n", "indentation", id="shallower"
        ),
        pytest.param(
            "\tif x {\n\t\ty()\n\t}\n",
            "    if x {\n        y()\n    }",
            "    if x {\n        z()\n            w()\n    }",
            "\tif x {\n\t\tz()\n\t\t\tw()\n\t}\n",
            "indentation",
            id="tabs in the file, blanks in the edit",
        ),
        pytest.param(
            "    if x:\n        y()\n",
            "\tif x:\n\t\ty()\n",
            "\tif x:\n\t\tz()\n",
            "    if x:\n        z()\n",
            "indentation",
            id="blanks in the file, tabs in the edit",
        ),
        pytest.param(
            "say “hi” — now\n", 'say "hi" - now', 'say "ho" - now', "say “ho” — now\n", "look-alikes", id="quotes"
        ),
        pytest.param("a\u00a0b’s\nc\n", "a b's\nc", "a b's\nd", "a\u00a0b’s\nd\n", "look-alikes", id="no-break space"),
        pytest.param("cafe\u0301 = 1\n", "caf\u00e9 = 1", "caf\u00e9 = 2", "cafe\u0301 = 2\n", "look-alikes", id="NFD"),
        pytest.param("caf\u00e9 = 1\n", "cafe\u0301 = 1", "cafe\u0301 = 2", "caf\u00e9 = 2\n", "look-alikes", id="NFC"),
        pytest.param("wait…\nx\n", "wait...\nx", "wait...\ny", "wait…\ny\n", "look-alikes", id="an ellipsis"),
        pytest.param(
            "  ‘a’:\n    1\n", "'a':\n  1", "'a':\n  2", "  ‘a’:\n    2\n", "look-alikes", id="quotes and indent"
        ),
        pytest.param("\ra\n", "\na", "\n\nb", "\r\rb\n", "line ends", id="no two ends melt into one"),
        pytest.param("\ufeffx = 1\n", "x = 1", "x = 2", "\ufeffx = 2\n", "exact", id="a mark in the text stays"),
    ],
)
def test_an_edit_finds_its_place(before: str, old: str, new: str, after: str, how: str) -> None:
    check_edit(before, old, new, after, how)


@pytest.mark.parametrize(
    ("before", "old", "lines"),
    [
        ("a\nb\na\n", "a", (1, 3)),
        ("aaa", "aa", (1, 1)),
        ("a\r\nb\r\na\r\nb\r\n", "a\nb\n", (1, 3)),
        ("x \ny\nx\t\ny\n", "x\ny", (1, 3)),
        ("  a\n  b\n    a\n    b\n", "a\nb", (1, 3)),
        ("‘a’\n’a‘\n", "'a'", (1, 2)),
    ],
)
def test_more_than_one_place_is_refused(before: str, old: str, lines: tuple[int, ...]) -> None:
    outcome = locate(before, old)
    assert isinstance(outcome, Ambiguous)
    assert outcome.lines == lines
    assert str(lines[-1]) in explain(outcome, "f")


@pytest.mark.parametrize(
    ("before", "old"),
    [
        pytest.param("yes\n", "y ", id="trailing blanks only at a line's end"),
        pytest.param("if a:\n    b()\nc()\n", "if a:\nb()\nc()", id="indentation must shift as one"),
        pytest.param("\ta\n", "     a", id="a tab of odd width is doubtful"),
        pytest.param("abc", "   ", id="blanks alone"),
        pytest.param("a\n", "a\n\n\n", id="more lines than there are"),
    ],
)
def test_what_is_doubtful_is_missing(before: str, old: str) -> None:
    assert isinstance(locate(before, old), Missing)


def test_empty_and_unchanged_are_told() -> None:
    assert edit("a", "", "b") == Empty()
    assert edit("a", "a", "a") == Unchanged()
    assert edit("a\r\nb", "a\nb", "a\r\nb") == Unchanged()
    assert "empty" in explain(Empty(), "f.py")
    assert "already" in explain(Unchanged(), "f.py")


def test_a_miss_names_the_nearest_lines() -> None:
    lines = [f"def function_{i}(alpha, beta):\n    return helper_{i % 7}(alpha, {i})\n" for i in range(500)]
    outcome = locate("".join(lines), "def function_321(alpha, gamma):\n    return helper_6(alpha, 321)\n")
    assert isinstance(outcome, Missing)
    best = outcome.nearest[0]
    assert (best.first, best.last) == (643, 644)
    assert best.text + "\n" == lines[321]
    assert 0.8 < best.similarity < 1
    told = explain(outcome, "big.py")
    assert "643-644" in told
    assert lines[321].rstrip("\n") in told


def test_a_misspelt_word_is_still_near() -> None:
    outcome = locate("alpha\nreturn_everything()\nomega\n", "retrun_everything()")
    assert isinstance(outcome, Missing)
    assert [near.first for near in outcome.nearest] == [2]


def test_a_miss_says_that_the_edit_stands_there_already() -> None:
    outcome = edit("a\nvalue = 2\n", "value = 1", "value = 2")
    assert isinstance(outcome, Missing)
    assert outcome.already == 2
    assert "line 2" in explain(outcome, "f")


def test_a_miss_in_nothing_alike_has_no_candidates() -> None:
    outcome = locate("a\nb\n", "entirely different words\n")
    assert outcome == Missing()
    assert "read the file again" in explain(outcome, "f")


def test_a_success_says_how_it_matched() -> None:
    outcome = edit("a\n  b\n", "b\n", "c\n")
    assert explain(outcome, "f") == "Edited f at line 2."
    assert "line ends" in explain(edit("a\r\nb\r\n", "a\nb", "c"), "f")


ENDS = st.sampled_from(["\n", "\r\n", "\r"])
WORDS = st.text(alphabet="ab \tx’'-—é", max_size=6)
FILES = st.lists(st.tuples(WORDS, ENDS), max_size=12).map(lambda rows: "".join(a + b for a, b in rows))


def _places(text: str, part: str) -> int:
    return sum(text.startswith(part, at) for at in range(len(text) - len(part) + 1))


def _cuts_a_line_end(text: str, at: int) -> bool:
    return text[at - 1 : at + 1] == "\r\n" if at else False


@given(FILES, st.data())
def test_any_unique_part_matches_where_it_stands(text: str, data: st.DataObject) -> None:
    assume(text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assume(not _cuts_a_line_end(text, start) and not _cuts_a_line_end(text, end))
    outcome = locate(text, text[start:end])
    if _places(text, text[start:end]) == 1:
        assert outcome == Match(start, end, "exact", Lines.of(text).line_at(start) + 1)
    else:
        assert not isinstance(outcome, Missing | Empty)
        assert isinstance(outcome, Ambiguous) or _places(text, text[start:end]) > 1


@given(FILES, st.data(), st.text(alphabet="ab \nx'é", max_size=12))
def test_no_byte_outside_of_the_match_changes(text: str, data: st.DataObject, new: str) -> None:
    """The edit is what a model would send: line ends, blanks and look-alikes lost on the way."""
    rows = Lines.of(text)
    first = data.draw(st.integers(0, len(rows) - 1))
    last = data.draw(st.integers(first, len(rows) - 1))
    sent = text[rows.start(first) : rows.end(last)].replace("\r\n", "\n").replace("\r", "\n")
    if data.draw(st.booleans()):
        sent = "\n".join(line.rstrip(" \t") for line in sent.split("\n"))
    if data.draw(st.booleans()):
        sent = unicodedata.normalize("NFD", sent.replace("’", "'").replace("—", "-"))
    outcome = edit(text, sent, new)
    assume(isinstance(outcome, Edited))
    assert isinstance(outcome, Edited)
    match = outcome.match
    assert outcome.text[: match.start] == text[: match.start]
    assert outcome.text.endswith(text[match.end :])
    middle = outcome.text[match.start : len(outcome.text) - (len(text) - match.end)]
    assert middle.replace("\r\n", "\n").replace("\r", "\n").count("\n") == new.count("\n")


@given(FILES, st.data(), st.text(alphabet="abé ", max_size=5))
def test_a_line_that_the_edit_repeats_keeps_its_bytes(text: str, data: st.DataObject, word: str) -> None:
    """One line of a block is changed; all others come back as the model repeats them, and keep their bytes."""
    rows = Lines.of(text)
    assume(len(rows) > 2)
    first = data.draw(st.integers(0, len(rows) - 2))
    last = data.draw(st.integers(first, len(rows) - 2))
    sent = text[rows.start(first) : rows.end(last)].replace("\r\n", "\n").replace("\r", "\n")
    sent = "\n".join(line.rstrip(" \t") for line in sent.replace("’", "'").replace("—", "-").split("\n"))
    lines = sent.split("\n")
    target = data.draw(st.integers(0, len(lines) - 2))
    changed = f"<{word}>"
    outcome = edit(text, sent, "\n".join([*lines[:target], changed, *lines[target + 1 :]]))
    assume(isinstance(outcome, Edited) and outcome.match.start == rows.start(first))
    assert isinstance(outcome, Edited)
    after = Lines.of(outcome.text)
    assert len(after) == len(rows)
    for row in range(len(rows)):
        here = outcome.text[after.start(row) : after.end(row)]
        if row == first + target:
            assert here.startswith(changed)
        else:
            assert here == text[rows.start(row) : rows.end(row)]


@given(FILES, st.integers(2, 4))
def test_a_repeated_text_is_never_edited(text: str, times: int) -> None:
    assume(text.strip())
    outcome = edit(text * times, text, "other")
    assert isinstance(outcome, Ambiguous | Missing)
