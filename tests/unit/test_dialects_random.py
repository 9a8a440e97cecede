"""A few hundred of the dialect fuzz's cases with every run of the tests, and that its judge sees what is wrong."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from tests.bench.dialect_cases import CUT, DAMAGES, FORMS, MUST, Call, Case, Form, a_case
from tests.bench.dialect_verdict import WRONG, judge, judged, read
from tests.bench.dialect_wire import Wire
from tests.bench.dialect_writer import write

CASE = Case((Call("read", {"path": "a.py", "start": 3}), Call("run", {"command": "ls"})), "xml")


def random_case(number: int) -> Case:
    return a_case(random.Random(number))  # noqa: S311 - no secret


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_random_replies(first: int) -> None:
    for number in range(first, first + 100):
        verdict = judge(random_case(number))
        assert verdict.how != WRONG, f"case {number}: {verdict.why}"


def test_every_form_and_damage_comes_up() -> None:
    cases = [random_case(number) for number in range(3_000)]
    assert {case.form for case in cases} == set(FORMS)
    assert {case.damage for case in cases} == set(DAMAGES)


async def test_the_same_over_the_wire() -> None:
    wire = Wire()
    for number in range(40):
        case = random_case(number)
        written = write(case)
        if written.fits and judge(case).how != WRONG:
            assert judged(case, written, await wire.read(case, written)).how != WRONG, number
    await wire.close()


@pytest.mark.parametrize("form", FORMS)
def test_the_judge_sees_what_is_wrong(form: Form) -> None:
    case = replace(CASE, form=form)
    written = write(case)
    whole = read(written, [written.text], "stop")
    assert judged(case, written, whole).how == "exact"
    for damage in (*CUT, *MUST):
        other = replace(case, damage=damage, calls=(case.calls[0], Call("run", {"command": "rm"})))
        assert judged(other, write(other), whole).how == WRONG, damage
