"""What the guided loop's judge makes of a check's output."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kaaj_agent.changes import CheckResult
from kaaj_agent.guided.evidence import ran
from kaaj_agent.guided.judge import HopelessError, Judge
from kaaj_agent.work import Work


def failed(*names: str) -> CheckResult:
    return CheckResult("failed", "pytest", "".join(f"FAILED test_a.py::{name} - no\n" for name in names))


def judge() -> Judge:
    nobody = cast("Work", cast("Any", None))
    return Judge(
        nobody, frozenset({"test_a.py::a", "test_a.py::b"}), frozenset({"test_a.py::old"}), failed("a", "b", "old")
    )


@pytest.mark.parametrize(
    ("result", "good"),
    [
        (CheckResult("passed"), True),
        (failed("old"), True),
        (failed("a"), False),
        (failed("old", "new"), False),
        (CheckResult("failed", output="killed"), False),
        (CheckResult("failed", parsed=False), False),
    ],
)
def test_targets_must_pass_and_nothing_new_may_fail(result: CheckResult, *, good: bool) -> None:
    assert judge().accepts(result) is good


def test_progress_is_fewer_targets_that_fail_and_nothing_new() -> None:
    one = judge()
    ranked = [
        CheckResult("passed"),
        failed("b"),
        failed("a", "b", "old"),
        failed("new"),  # the targets did not even run
        CheckResult("failed", output="ImportError"),
    ]
    scores = [one._score(result) for result in ranked]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


def run(*names: str, count: int = 5) -> CheckResult:
    """A whole run in which some of the tests fail."""
    result = failed(*names)
    return CheckResult("failed", "pytest", f"{result.output}{len(names)} failed, {count - len(names)} passed in 0.1s\n")


def noted(*results: CheckResult, mended: bool = False, contrary: str = "") -> Judge:
    one = judge()
    one.baseline = run("a", "b", "old")
    one.contrary = frozenset({contrary} - {""})
    for result in results:
        one._note(result, mended=mended)
    return one


def test_what_every_change_breaks_that_mends_the_targets_stands_against_them() -> None:
    assert noted(run("old", "c"), run("c"), run("c", "d")).opposing == {"test_a.py::c"}
    assert noted(run("c"), run("d"), run("c")).opposing == set()
    assert noted(run("c"), run("c")).opposing == set(), "too few to tell"


@pytest.mark.parametrize(
    "result",
    [
        run("a", "c"),  # one target still fails
        run("old"),  # nothing is broken
        run("c", count=2),  # it stopped early: the targets may not have run
        failed("c"),  # it does not say how many ran
        CheckResult("failed", "pytest", "ERROR test_a.py - SyntaxError\n5 failed in 0.1s\n"),
        CheckResult("failed", parsed=False),
    ],
)
def test_what_does_not_show_that_the_targets_pass_does_not_count(result: CheckResult) -> None:
    assert noted(result, result, result, result).opposed == []


def test_targets_that_were_seen_to_pass_alone_need_no_count() -> None:
    assert noted(*[failed("c")] * 3, mended=True).opposing == {"test_a.py::c"}


def test_the_search_ends_where_texts_and_candidates_agree_that_it_is_hopeless() -> None:
    with pytest.raises(HopelessError):
        noted(*[run("c")] * 3, contrary="c")
    assert noted(*[run("c")] * 3, contrary="d").opposing == {"test_a.py::c"}


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        ("Ran 7 tests in 0.1s\n\nFAILED", 7),
        ("Ran 1 test in 0.1s\nRan 2 tests in 0.1s\n", 3),
        ("===== 1 failed, 2 passed, 1 warning in 0.12s =====\n", 3),
        ("2 passed in 1.00s", 2),
        ("# tests 12\n# pass 12", 12),
        ("ℹ tests 4\n", 4),
        ("Tests:       1 failed, 3 passed, 4 total\n", 4),
        (" Tests  1 failed | 2 passed (3)\n", 3),
        ("FAIL\n", None),
    ],
)
def test_how_many_tests_a_run_says_it_ran(output: str, wanted: int | None) -> None:
    assert ran(output) == wanted
