"""Hunks: any selection applies, and a rebase never touches what it does not own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent.document import Document, split_lines
from kaaj_agent.hunks import Hunk, apply, attribute, diff, extend, line_span, rebase, unified

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "d\r"]), max_size=12)
TEXTS = st.tuples(LINES, st.sampled_from(["", "end"])).map(lambda parts: "".join(parts[0]) + parts[1])


@given(TEXTS, TEXTS)
def test_a_diff_leads_from_one_text_to_the_other(base: str, text: str) -> None:
    hunks = diff("f", base, text)
    check_hunks(base, hunks, text)
    assert bool(hunks) == (base != text)


def check_hunks(base: str, hunks: Sequence[Hunk], text: str) -> None:
    assert apply(base, hunks) == text
    at = -1
    for hunk in hunks:
        assert hunk.start > at or (hunk.start == 0 and at == -1)
        assert base[hunk.start : hunk.end] == hunk.old
        assert hunk.old != hunk.new
        assert hunk.line == len(split_lines(base[: hunk.start])) + 1
        at = hunk.end
    assert len({hunk.id for hunk in hunks}) == len(hunks)


@given(TEXTS, st.lists(TEXTS, min_size=2, max_size=4))
def test_hunks_that_follow_edits_lead_to_the_text_as_a_diff_does(base: str, states: list[str]) -> None:
    document = Document(Path("/f"), base)
    hunks: tuple[Hunk, ...] = ()
    for before, text in pairwise([base, *states]):
        hunks = extend("f", document, hunks, before, text)
        check_hunks(base, hunks, text)


@given(TEXTS, TEXTS, st.data())
def test_any_selection_of_hunks_applies(base: str, text: str, data: st.DataObject) -> None:
    hunks = diff("f", base, text)
    chosen = {hunk for hunk in hunks if data.draw(st.booleans())}
    result = apply(base, chosen)
    expected, at = "", 0
    for hunk in hunks:
        expected += base[at : hunk.start] + (hunk.new if hunk in chosen else hunk.old)
        at = hunk.end
    assert result == expected + base[at:]
    rest = [hunk for hunk in hunks if hunk not in chosen]
    assert len(result) == len(text) - sum(len(hunk.new) - len(hunk.old) for hunk in rest)


def test_a_huge_rewrite_is_one_hunk() -> None:
    base = "same\n" + "".join(f"a{i}\n" for i in range(5000)) + "end\n"
    text = "same\n" + "".join(f"b{i}\n" for i in range(5000)) + "end\n"
    (hunk,) = diff("f", base, text)
    assert (hunk.line, hunk.start) == (2, 5)
    assert apply(base, [hunk]) == text


def test_ids_are_stable_and_todo_items_are_kept() -> None:
    base = "a\nb\nc\nd\ne\n"
    first = attribute(diff("f", base, "A\nb\nc\nd\ne\n"), (), "t1")
    second = attribute(diff("f", base, "A\nb\nc\nd\nE\n"), first, "t2")
    assert [hunk.todo for hunk in second] == ["t1", "t2"]
    assert second[0].id == first[0].id
    grown = attribute(diff("f", base, "A\nB\nc\nd\nE\n"), second, None)
    assert [hunk.todo for hunk in grown] == ["t1", "t2"]
    assert diff("other", base, "A\nb\nc\nd\ne\n")[0].id != first[0].id


ROLES = st.lists(st.sampled_from(["keep", "ours", "ours gone", "theirs", "theirs gone", "theirs more"]), max_size=15)


@given(ROLES)
def test_a_rebase_is_both_changes_or_nothing(roles: list[str]) -> None:
    """Unique lines, each owned by nobody, by us or by them: the model is to change each line by its owner."""
    base = [f"line {i}\n" for i in range(len(roles))]

    def ours(line: str, role: str) -> str:
        return {"ours": "our " + line, "ours gone": ""}.get(role, line)

    def theirs(line: str, role: str) -> str:
        return {"theirs": "their " + line, "theirs gone": "", "theirs more": line + "new " + line}.get(role, line)

    mine = "".join(map(ours, base, roles))
    now = "".join(map(theirs, base, roles))
    merged = "".join(
        ours(line, role) if role.startswith("ours") else theirs(line, role)
        for line, role in zip(base, roles, strict=True)
    )
    result = rebase(diff("f", "".join(base), mine), "".join(base), now)
    assert result in (None, merged)
    owners = [role.split()[0] for role in roles]
    touching = any({a, b} == {"ours", "theirs"} for a, b in pairwise(owners))
    if not touching:
        assert result == merged


@given(TEXTS, TEXTS)
def test_a_rebase_onto_the_same_text_is_an_apply(base: str, text: str) -> None:
    hunks = diff("f", base, text)
    assert rebase(hunks, base, base) == text


@pytest.mark.parametrize("now", ["a\nX\nc\n", "a\nc\n", "", "a\nb b\nc\n"])
def test_a_region_that_was_edited_is_not_rebased(now: str) -> None:
    base = "a\nb\nc\n"
    assert rebase(diff("f", base, "a\nB\nc\n"), base, now) is None


def test_two_insertions_at_one_place_are_not_rebased() -> None:
    base = "a\nb\n"
    assert rebase(diff("f", base, "a\nours\nb\n"), base, "a\ntheirs\nb\n") is None


def test_a_unified_diff_for_people() -> None:
    base = "a\nb\nc"
    hunks = diff("f", base, "a\nB\nc\nd")
    assert unified("f", base, hunks).split("\n") == [
        "--- a/f",
        "+++ b/f",
        "@@ -1,3 +1,4 @@",
        " a",
        "-b",
        "-c",
        "\\ No newline at end of file",
        "+B",
        "+c",
        "+d",
        "\\ No newline at end of file",
        "",
    ]


def test_the_lines_that_a_hunk_covers() -> None:
    base = "a\nb\nc\nd\n"
    (hunk,) = diff("f", base, "a\nX\nd\n")
    assert line_span(base, hunk) == (1, 3)
    (hunk,) = diff("f", base, "a\nb\nnew\nc\nd\n")
    assert line_span(base, hunk) == (2, 2)
