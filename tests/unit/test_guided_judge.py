"""What the guided loop's judge makes of a check's output."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kaaj_agent.changes import CheckResult
from kaaj_agent.guided.judge import Judge
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
