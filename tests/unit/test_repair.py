"""Surprise-guided repair with a scripted scorer: a model that would have written another text."""

from __future__ import annotations

import ast
import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaaj_agent.document import split_lines
from kaaj_agent.failures import ModelError
from kaaj_agent.guided.passive import passive_lines
from kaaj_agent.ports import Alternative, Message, Usage
from kaaj_agent.repair import prompt
from kaaj_agent.repair.search import Budget, Progress, merged, repair
from kaaj_agent.repair.surprise import Limits, candidates, changed_characters
from kaaj_agent.repair.unit import Candidate, Source, Unit, Verdict

PATH = Path("/project/code.py")
_TOKEN = re.compile(r"\n|[ ]+|\w+|[^\w\s]|\s")


@dataclass
class Oracle:
    """Would write `right`, line by line, whatever stands in the code; `doubts` adds tokens anywhere.

    `sure` is the log-probability of its own next token, what stands in the code gets `other`.
    """

    right: str
    doubts: tuple[tuple[str, float], ...] = ()
    sure: float = -0.1
    requests: int = 0
    _ids: dict[str, int] = field(default_factory=dict[str, int])
    _texts: list[str] = field(default_factory=list[str])

    def _id(self, text: str) -> int:
        if text not in self._ids:
            self._ids[text] = len(self._texts)
            self._texts.append(text)
        return self._ids[text]

    async def render(self, messages: Sequence[Message], opening: str) -> list[int]:
        assert messages[-1].role == "user"
        return [self._id("<start>" + opening)]

    async def tokenize(self, text: str) -> list[int]:
        return [self._id(piece) for piece in _TOKEN.findall(text)]

    async def text_of(self, tokens: Sequence[int]) -> list[bytes]:
        return [self._texts[token].encode() for token in tokens]

    def _rest(self, prefix: Sequence[int]) -> str | None:
        """What it would write after `prefix` to the end of the line: empty at its end, None where it is at a loss."""
        written = "".join(self._texts[token] for token in prefix[1:])
        line, start = written.count("\n"), written.rpartition("\n")[2]
        lines = split_lines(self.right.replace("\r\n", "\n"))
        if line >= len(lines):
            return ""
        wanted = lines[line]
        return wanted[len(start) :] if wanted.startswith(start) else None

    async def alternatives(self, prefix: Sequence[int], count: int) -> list[Alternative]:
        self.requests += 1
        rest = self._rest(prefix)
        first = _TOKEN.match(rest or "")
        best = [("\n", -4.0) if rest is None else (first[0] if first else "", self.sure)]
        return [Alternative(self._id(text), text, p) for text, p in (*best, *self.doubts)][:count]

    def spent(self) -> Usage:
        return Usage(100, 90, 5, 3)

    async def finish_line(self, prefix: Sequence[int], limit: int) -> str:
        self.requests += 1
        rest = self._rest(prefix)
        return "\n" if rest is None else rest


@dataclass
class QuickOracle(Oracle):
    """The same with both batch requests."""

    async def scan(self, prefix: Sequence[int], tokens: Sequence[int], count: int) -> list[list[Alternative]]:
        return [await self.alternatives([*prefix, *tokens[:at]], count) for at in range(len(tokens))]

    async def finish_lines(self, prefixes: Sequence[Sequence[int]], limit: int) -> list[str]:
        return [await self.finish_line(prefix, limit) for prefix in prefixes]


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def unit(text: str, first: int = 1, last: int | None = None) -> Unit:
    return Unit(PATH, "python", text, first, last or text.count("\n"), "what for", "it fails", parses)


def judge_by(*checks: str) -> Callable[[Candidate], Awaitable[Verdict]]:
    """Judges by expressions over the code's names, in this process: the code is this file's own."""

    async def judge(candidate: Candidate) -> Verdict:
        await asyncio.sleep(0)
        space: dict[str, Any] = {}
        good = 0
        try:
            exec(candidate.text, space)  # noqa: S102 - variations of the texts below
        except Exception:  # noqa: BLE001 - whatever a wrong candidate does
            return Verdict(passed=False)
        for check in checks:
            try:
                good += bool(eval(check, space))  # noqa: S307 - the checks below
            except Exception:  # noqa: BLE001, S110 - a check that raises is not passed
                pass
        return Verdict(good == len(checks), good)

    return judge


RIGHT = "def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n"
CHECKS = ("total([]) == 0", "total([1, 2]) == 3", "total([5]) == 5")


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (RIGHT.replace("+=", "-="), "result -= value → result += value"),
        (RIGHT.replace("result = 0", "result = 1"), "result = 1 → result = 0"),
        (RIGHT.replace("        result += value\n", "        pass\n"), "pass → result += value"),
        (RIGHT.replace("    result = 0\n", ""), "insert result = 0"),
        (RIGHT.replace("    return", "    result = 7\n    return"), "delete result = 7"),
    ],
)
@pytest.mark.parametrize("oracle", [Oracle, QuickOracle])
async def test_the_line_is_found(oracle: type[Oracle], wrong: str, what: str) -> None:
    found = await repair(oracle(RIGHT), [unit(wrong)], judge_by(*CHECKS))
    assert found[0].candidate.text == RIGHT
    assert found[0].candidate.description == what
    assert found[0].verdict == Verdict(passed=True, score=3)


async def test_a_lost_block_of_two_lines_is_one_candidate() -> None:
    right = RIGHT.replace("    return", "    if result > 9:\n        result = 9\n    return")
    wrong = right.replace("    if result > 9:\n        result = 9\n", "")
    found = await repair(Oracle(right), [unit(wrong)], judge_by(*CHECKS, "total([9, 9]) == 9"))
    assert found[0].candidate.text == right
    assert found[0].candidate.description == "insert if result > 9: ⏎ result = 9"


async def test_both_ways_of_asking_give_the_same() -> None:
    wrong = unit(RIGHT.replace("+=", "-="))
    doubts = ((" ", -3.0), ("value", -5.0), ("result", -6.0))
    steps = [c async for c in candidates(Oracle(RIGHT, doubts), wrong)]
    quick = [c async for c in candidates(QuickOracle(RIGHT, doubts), wrong)]
    assert {c.text for c in steps} == {c.text for c in quick}
    assert steps


async def test_a_slip_that_the_model_passes_over_is_mutated() -> None:
    wrong = "def at_most(a, b):\n    return a < b\n"
    found = await repair(Oracle(wrong), [unit(wrong)], judge_by("at_most(1, 1)", "at_most(0, 1)", "not at_most(2, 1)"))
    assert found[0].candidate.text == wrong.replace("<", "<=")


async def test_swapped_arguments_and_names() -> None:
    wrong = "def ratio(part, whole):\n    return divmod(whole, part)\n"
    found = await repair(Oracle(wrong), [unit(wrong)], judge_by("ratio(7, 2) == (3, 1)"))
    assert "def ratio(part, whole):\n    return divmod(part, whole)\n" in [r.candidate.text for r in found]


async def test_two_faults_take_two_rounds() -> None:
    wrong = RIGHT.replace("+=", "-=").replace("result = 0", "result = 1")
    checks = ("total([]) == 0", "total([1]) - total([]) == 1", "total([1, 2]) == 3")
    seen: list[Progress] = []
    found = await repair(Oracle(RIGHT), [unit(wrong)], judge_by(*checks), on_progress=seen.append)
    assert found[0].candidate.text == RIGHT
    assert "; " in found[0].candidate.description
    assert seen[-1].round == 2
    assert seen[-1].passed


async def test_two_faults_in_two_files() -> None:
    other = Path("/project/other.py")
    first = Unit(PATH, "python", "a = 1\n", 1, 1)
    second = Unit(other, "python", "a = 1\n", 1, 1)

    async def judge(candidate: Candidate) -> Verdict:
        score = sum(candidate.files.get(path, "a = 1\n") == "a = 2\n" for path in (PATH, other))
        return Verdict(score == 2, score)

    found = await repair(Oracle("a = 2\n"), [first, second], judge)
    assert found[0].candidate.files == {PATH: "a = 2\n", other: "a = 2\n"}


@pytest.mark.parametrize("rounds", [2, 3])
async def test_three_faults_take_three_rounds(rounds: int) -> None:
    right = "def total(a, b, c):\n    x = a + 1\n    y = b + 2\n    z = c + 3\n    return [x, y, z]\n"
    wrong = right.replace("a + 1", "a - 1").replace("b + 2", "b - 2").replace("c + 3", "c - 3")
    checks = [f"total(7, 7, 7)[{at}] == {value}" for at, value in enumerate((8, 9, 10))]
    seen: list[Progress] = []
    budget = Budget(rounds=rounds)
    found = await repair(Oracle(right), [unit(wrong)], judge_by(*checks), budget=budget, on_progress=seen.append)
    assert [one.candidate.text for one in found[:1]] == ([right] if rounds == 3 else [])
    assert {one.round for one in seen} == set(range(1, rounds + 1))


async def test_three_faults_that_show_one_after_another() -> None:
    """Each hides the next: no two of the changes help apart from each other, so each round goes on from the last."""
    right = "a = 2\nb = 2\nc = 2\n"
    texts = ["a = 1\nb = 1\nc = 1\n", "a = 2\nb = 1\nc = 1\n", "a = 2\nb = 2\nc = 1\n", right]

    async def judge(candidate: Candidate) -> Verdict:
        return Verdict(candidate.text == right, texts.index(candidate.text) if candidate.text in texts else -1)

    found = await repair(Oracle(right), [Unit(PATH, "python", texts[0], 1, 3)], judge)
    assert [one.candidate.text for one in found] == [right]
    assert found[0].candidate.description == "a = 1 → a = 2; b = 1 → b = 2; c = 1 → c = 2"


async def test_three_faults_in_two_files() -> None:
    other = Path("/project/other.py")
    first = Unit(PATH, "python", "a = 1\nb = 1\n", 1, 2)
    second = Unit(other, "python", "a = 1\n", 1, 1)
    wanted = {PATH: "a = 2\nb = 2\n", other: "a = 2\n"}

    async def judge(candidate: Candidate) -> Verdict:
        texts = {PATH: first.text, other: second.text} | candidate.files
        score = sum(text.count("2") for text in texts.values()) - sum(text.count("3") for text in texts.values())
        return Verdict(texts == wanted, score)

    found = await repair(Oracle("a = 2\nb = 2\n"), [first, second], judge)
    assert found[0].candidate.files == wanted


async def test_line_ends_stay() -> None:
    wrong = RIGHT.replace("+=", "-=").replace("\n", "\r\n")
    found = await repair(Oracle(RIGHT), [unit(wrong)], judge_by(*CHECKS))
    assert found[0].candidate.text == RIGHT.replace("\n", "\r\n")


async def test_only_the_region_is_changed() -> None:
    wrong = RIGHT.replace("+=", "-=") + "\n\n" + RIGHT.replace("total", "again")
    made = [c async for c in candidates(Oracle("x\n" * 20, ((" ", -2.0), ("value", -3.0))), unit(wrong, 4, 4))]
    assert made
    assert {c.line for c in made} == {4}


async def test_nothing_that_does_not_parse_is_judged() -> None:
    judged: list[str] = []

    async def judge(candidate: Candidate) -> Verdict:
        judged.append(candidate.text)
        return Verdict(passed=False)

    doubts = (("(", -1.0), ("if", -2.0), ("value", -3.0))
    assert await repair(Oracle(RIGHT, doubts), [unit(RIGHT.replace("+=", "-="))], judge) == []
    assert len(judged) > 3
    assert all(map(parses, judged))
    assert len(set(judged)) == len(judged)


async def test_code_that_passes_is_left_alone() -> None:
    assert await repair(Oracle(RIGHT), [unit(RIGHT)], judge_by(*CHECKS)) == []
    assert await repair(Oracle(RIGHT), [], judge_by(*CHECKS)) == []


async def test_rivals_are_ranked_by_likelihood_and_size() -> None:
    wrong = "flag = 1\n"
    scorer = Oracle("flag = 2\n", doubts=(("3", -0.05), ("other", -4.0)), sure=-2.0)

    async def judge(candidate: Candidate) -> Verdict:
        return Verdict(candidate.text in ("flag = 2\n", "flag = 3\n"))

    found = await repair(scorer, [unit(wrong)], judge, budget=Budget(rivals_seconds=5))
    assert [r.candidate.text for r in found] == ["flag = 3\n", "flag = 2\n"]
    assert found[0].rank < found[1].rank


async def test_the_budget_ends_it() -> None:
    async def judge(_candidate: Candidate) -> Verdict:
        await asyncio.Event().wait()
        raise AssertionError

    assert await repair(Oracle(RIGHT), [unit("a = 1\n")], judge, budget=Budget(seconds=0.05)) == []
    count = itertools.count()

    async def refuse(_candidate: Candidate) -> Verdict:
        next(count)
        return Verdict(passed=False)

    await repair(Oracle(RIGHT), [unit(RIGHT)], refuse, budget=Budget(judged=5, rounds=1))
    assert next(count) <= 1 + 5


async def test_cancelling_leaves_nothing_running() -> None:
    running = 0
    entered = asyncio.Event()

    async def judge(_candidate: Candidate) -> Verdict:
        nonlocal running
        running += 1
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            running -= 1
        raise AssertionError

    task = asyncio.create_task(repair(Oracle(RIGHT), [unit("a = 1\n")], judge))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_the_judge_or_the_model_raises_comes_out() -> None:
    async def judge(_candidate: Candidate) -> Verdict:
        raise ModelError("the sandbox is gone")

    with pytest.raises(ModelError, match="sandbox"):
        await repair(Oracle(RIGHT), [unit("a = 1\n")], judge)

    class Broken(Oracle):
        async def alternatives(self, prefix: Sequence[int], count: int) -> list[Alternative]:
            raise ModelError("no answer")

    with pytest.raises(ModelError, match="no answer"):
        await repair(Broken(RIGHT), [unit("a = 1\n")], judge_by("False"))


LINE = st.text(alphabet="ab =\t(", max_size=8)
TEXT = st.lists(st.tuples(LINE, st.sampled_from(["\n", "\r\n"])), min_size=1, max_size=6).map(
    lambda rows: "".join(body + end for body, end in rows)
)


def one_line_apart(old: str, new: str) -> bool:
    """Whether `new` is `old` with one line replaced, inserted or deleted, every other byte as it was."""
    a, b = split_lines(old), split_lines(new)
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    for gone, come in ((1, 1), (0, 1), (1, 0)):
        if a[same + gone :] == b[same + come :] and len(a) - gone == len(b) - come:
            return True
    return False


@settings(max_examples=40, deadline=None)  # an event loop each
@given(TEXT, TEXT, st.integers(1, 6), st.integers(1, 6))
def test_a_candidate_differs_in_one_line(old: str, right: str, first: int, last: int) -> None:
    async def run() -> list[Candidate]:
        region = Unit(PATH, "", old, min(first, last), max(first, last))
        oracle = Oracle(right, (("b", -1.0), (" ", -2.0), ("\n", -3.0), ("", -4.0)))
        return [c async for c in candidates(oracle, region, Limits(mutations=500))]

    made = asyncio.run(run())
    for candidate in made:
        assert one_line_apart(old, candidate.text), (candidate.text, candidate.description)
        assert first <= candidate.line <= last or last <= candidate.line <= first
        assert candidate.changed > 0
    assert len({c.text for c in made}) == len(made)


@given(TEXT, st.integers(1, 6), st.integers(0, 5), st.integers(0, 60))
def test_an_excerpt_holds_the_region(text: str, first: int, more: int, limit: int) -> None:
    source = Source.of(text)
    count = len(source.lines)
    first = min(first, count)
    region = Unit(PATH, "", text, first, first + more)
    shown = prompt.excerpt(source, region, limit)
    last = min(count, first + more)
    assert 1 <= shown.first <= first <= last == shown.last <= count
    extra = len(source.shown(shown.first, shown.last)) - len(source.shown(first, last))
    assert extra <= max(0, limit - len(source.shown(first, last)))


@given(st.text(alphabet="ab\n", max_size=20), st.text(alphabet="ab\n", max_size=20))
def test_changed_characters(a: str, b: str) -> None:
    changed = changed_characters(a, b)
    assert (changed == 0) == (a == b)
    assert abs(len(a) - len(b)) <= changed <= len(a) + len(b)
    assert changed == changed_characters(b, a) or a != b


def test_the_prompt() -> None:
    asked = unit(RIGHT.replace("+=", "-="))
    system, user = prompt.messages(asked)
    assert "Python" in system.content
    assert "what for" in user.content
    assert "it fails" in user.content
    assert "result" not in user.content, "the wrong code is not shown twice: the model would copy it"
    assert user.content.endswith("Write the correct code in one ```python code block and nothing else.")


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), min_size=1, max_size=6)


@settings(max_examples=60)
@given(LINES, st.data())
def test_two_changes_are_merged_where_they_do_not_touch(base: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(base) - 1))
    then = data.draw(st.integers(0, len(base) - 1))
    one, other, both = list(base), list(base), list(base)
    one[first] = both[first] = "X\n"
    other[then] = both[then] = "Y\n"
    found = merged("".join(base), "".join(one), "".join(other))
    assert found == (None if first == then else "".join(both))


async def test_what_cannot_outrank_is_not_waited_for() -> None:
    wrong = RIGHT.replace("+=", "-=")
    doubts = tuple((word, -3.0 - i / 10) for i, word in enumerate(("x", "y", "z", "w")))
    async with asyncio.timeout(60):  # an hour, if it waited for rivals
        found = await repair(
            Oracle(RIGHT, doubts),
            [unit(wrong)],
            judge_by(*CHECKS),
            budget=Budget(rivals_seconds=3600, beaten_seconds=0),
        )
    assert [r.candidate.text for r in found] == [RIGHT]


async def test_passive_lines_are_neither_looked_at_nor_changed() -> None:
    wrong = RIGHT.replace("+=", "-=").replace("    result = 0", "    # starts here\n    result = 0")
    believed = RIGHT.replace("    result = 0", "    # begins there\n    result = 0")
    asked = replace(unit(wrong), passive=passive_lines(PATH, wrong))
    oracle = QuickOracle(believed)
    found = [candidate async for candidate in candidates(oracle, asked)]
    assert "begins there" not in "".join(candidate.text for candidate in found)
    assert wrong.replace("-=", "+=") in {candidate.text for candidate in found}


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.py", 'def f():\n    """One\n    two."""\n    # three\n    return """\n    # four\n    """\n', {2, 3, 4}),
        ("a.py", 'def f(): "one"\n', set[int]()),
        ("a.py", '"""One."""\nx = 1\n', {1}),
        ("a.c", "// one\nint x; // two\n#include <three>\n", {1}),
        ("a.py", "def (:\n    # no\n", set[int]()),
    ],
)
def test_what_is_passive(name: str, text: str, lines: set[int]) -> None:
    assert passive_lines(name, text) == lines
