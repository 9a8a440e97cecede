"""How a guided task ends: its last word claims no more than was shown, it gives up in time, it can be gone on with."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent import events as ev
from kaaj_agent.agent import Agent
from kaaj_agent.changes import ChangeSet, Proposed
from kaaj_agent.connect import Connection
from kaaj_agent.guided import budget, contradiction
from kaaj_agent.guided.budget import Share, spoken
from kaaj_agent.guided.contradiction import claims_of
from kaaj_agent.guided.going_on import goes_on
from kaaj_agent.guided.last_word import reservation
from kaaj_agent.guided.premise import only_that_tests_fail
from kaaj_agent.guided.sources import Sources
from kaaj_agent.ports import Profile, Request
from kaaj_agent.request import StartRequest
from kaaj_agent.session import Session, TaskState
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.todo import Todo
from kaaj_agent.world import Folders, World

TAX = "def tax(amount):\n    return amount * 20 // 100\n"
WRONG = TAX.replace("20", "2")
TEST = """\
import unittest

from tax import tax


class Tax(unittest.TestCase):
    def test_hundred(self):
        self.assertEqual(tax(100), 20)
"""
CHECK = f"{sys.executable} -m unittest"
PASSES = f"`{CHECK}` passes"


NOTHING: set[tuple[str, str, str]] = set()


def fenced(code: str) -> str:
    return f"```python\n{code}```"


def returning(number: int) -> str:
    return fenced(f"def tax(amount):\n    return {number}\n")


@dataclass
class Desk:
    agent: Agent
    root: Path
    model: ScriptedModel
    events: list[ev.Event]
    task: str = ""

    async def run(self, prompt: str, **more: Any) -> None:
        started = await self.agent.start(StartRequest(prompt, **more))
        self.task = started.task
        await self.agent.wait(started.task)

    @property
    def session(self) -> Session:
        return next(iter(self.agent._sessions.values()))

    @property
    def state(self) -> TaskState:
        return self.session.tasks[self.task]

    def statuses(self) -> list[str]:
        return [item.status for item in self.state.todo.items]

    def said(self) -> str:
        """The last word: all that the harness said in this task."""
        bodies = [event.body for event in self.events]
        return "".join(
            b.text for b in bodies if isinstance(b, ev.TextAdded) and b.task == self.task and b.text[:3] != "```"
        )

    def proposal(self) -> ChangeSet:
        (change,) = [change for change in self.session.changes.values() if isinstance(change.state, Proposed)]
        return change

    def stopped(self) -> bool:
        """Whether it was told that not all is done, be it with a proposal or without."""
        if self.state.status is not None:
            return self.state.status == "stopped"
        notices = [e.body.text for e in self.events if isinstance(e.body, ev.Noticed) and e.body.level == "warning"]
        return self.proposal().summary in notices

    def untouched(self) -> bool:
        return not any(isinstance(change.state, Proposed) for change in self.session.changes.values())


@asynccontextmanager
async def desk(
    tmp_path: Path, *turns: Any, files: dict[str, str], check: str = CHECK, **more: Any
) -> AsyncGenerator[Desk]:
    root = (tmp_path / "shop").resolve()
    root.mkdir()
    for name, text in files.items():
        (root / name).write_text(text)
    world = World(Folders.of(root))
    model = ScriptedModel(*turns, profile=Profile("small", loop="guided"))
    settings = AgentSettings(check=check, seed=7, **more)
    agent = Agent(world, settings, Answers(), BufferApplier(world), Problems(), tmp_path / "state")

    async def connected() -> Connection:
        return Connection(model)

    agent.connecting._connected = asyncio.ensure_future(connected())
    events: list[ev.Event] = []
    agent.subscribe(events.append)
    try:
        yield Desk(agent, root, model, events)
    finally:
        await agent.close()
        assert {name: (root / name).read_text() for name in files} == files, "the tree is as it was"


# --- what was shown -----------------------------------------------------------------------------------------------


async def test_a_repair_is_vouched_for_by_what_failed_before(tmp_path: Path) -> None:
    async with desk(tmp_path, fenced(TAX), files={"tax.py": WRONG, "test_tax.py": TEST}) as d:
        await d.run("test_hundred fails, fix it")
        assert f"{PASSES}; before, test_hundred failed. Nothing else vouches for the change." in d.said()
        assert not d.stopped()


async def test_a_check_that_passed_before_does_not_tell_of_a_change(tmp_path: Path) -> None:
    new = TAX.replace("return", "assert amount >= 0\n    return")
    async with desk(tmp_path, fenced(new), files={"tax.py": TAX, "test_tax.py": TEST}) as d:
        await d.run("`tax` must refuse negative amounts")
        assert f"{PASSES}, as it did before: it does not tell whether the change does what was asked" in d.said()
        assert not d.stopped()


async def test_a_renaming_needs_no_more_than_that_the_check_still_passes(tmp_path: Path) -> None:
    async with desk(tmp_path, files={"tax.py": TAX, "test_tax.py": TEST}) as d:
        await d.run("Rename `tax` to `vat`")
        assert f"{PASSES} with the changed tests in place." in d.said()
        assert not d.stopped()


@pytest.mark.parametrize(("name", "parses"), [("tax.py", True), ("tax.zig", False)])
async def test_what_no_check_saw_is_called_unchecked(tmp_path: Path, name: str, *, parses: bool) -> None:
    async with desk(tmp_path, returning(19), files={name: TAX}, check="none") as d:
        await d.run(f"`tax` is 19 in {name}", path=d.root / name, span=(0, 2), intent="edit")
        assert "Not checked: no check is known here." in d.said()
        assert ("parse" in d.said()) is parses, "nothing is said of what nobody parses"
        check = [item for item in d.state.todo.items if item.evidence.check]
        assert all(item.evidence.check == "parses" for item in check)


async def test_a_check_without_tests_is_none(tmp_path: Path) -> None:
    check = "exit 5  # as pytest does"
    async with desk(tmp_path, returning(19), files={"tax.py": TAX}, check=check) as d:
        await d.run("`tax` shall always be 19")
        assert f"Not checked: `{check}` found no test to run." in d.said()


async def test_a_change_under_a_check_that_fails_as_before_is_not_called_done(tmp_path: Path) -> None:
    other = TEST.replace("test_hundred", "test_other").replace("tax(100), 20", "1, 2")
    files = {"tax.py": TAX, "test_tax.py": TEST, "test_other.py": other}
    async with desk(tmp_path, fenced(TAX.replace("20", "amount")), fenced(TAX + "\nRATE = 20\n"), files=files) as d:
        await d.run("Add a constant RATE to tax.py")
        assert "still fails (1 test fails, none of them new)" in d.said()
        assert d.stopped()
        assert not any(item.evidence.check == CHECK for item in d.state.todo.items)


async def test_nothing_is_applied_by_itself_that_was_not_shown(tmp_path: Path) -> None:
    """The person said when to leave everything alone, and no check can tell whether that is so."""
    words = "`tax` must be 20 percent. If that is so already, change nothing and say so."
    async with desk(
        tmp_path, fenced(TAX.replace("* 20 // 100", "// 5")), files={"tax.py": TAX, "test_tax.py": TEST}
    ) as d:
        await d.run(words, mode="auto")
        assert 'You said: "If that is so already, change nothing and say so."' in d.said()
        assert d.stopped()


async def test_what_the_check_shows_is_done_for_all_reservations(tmp_path: Path) -> None:
    async with desk(tmp_path, fenced(TAX), files={"tax.py": WRONG, "test_tax.py": TEST}) as d:
        await d.run("Fix test_hundred. If it passes already, change nothing.")
        assert not d.stopped()
        assert "You said" not in d.said()


async def test_a_plan_without_a_step_is_none(tmp_path: Path) -> None:
    async with desk(tmp_path, files={"notes.md": "Nothing.\n"}) as d:
        await d.run("make it better", mode="plan")
        assert d.state.status == "stopped"
        assert "name a file or a function" in d.said()


# --- what is so already, and what cannot be -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["Fix the failing test", "test_hundred fails, please mend it", f"`{CHECK}` fails: fix it"]
)
async def test_tests_that_pass_are_not_mended(tmp_path: Path, words: str) -> None:
    async with desk(tmp_path, files={"tax.py": TAX, "test_tax.py": TEST}) as d:
        await d.run(words)
        assert d.said() == f"Nothing was changed. {PASSES} as it is, so there is nothing to mend."
        assert d.model.requests == []
        assert d.stopped()


async def test_a_renaming_that_was_done_already_is_told_so(tmp_path: Path) -> None:
    async with desk(tmp_path, files={"tax.py": TAX}, check="none") as d:
        await d.run("Rename `vat` to `tax`")
        assert "`vat` is not defined in this workspace, and `tax` is: it seems to be renamed already" in d.said()


async def test_code_that_the_model_leaves_as_it_is_may_be_right_already(tmp_path: Path) -> None:
    async with desk(tmp_path, files={"tax.py": TAX}, check="none") as d:
        d.model._last = fenced(TAX)
        await d.run("`tax` shall be 20 percent")
        assert "The model wrote the code back as it is each time" in d.said()
        assert d.untouched()


AGAINST = TEST + "\n    def test_again(self):\n        self.assertEqual(tax(100), 25)\n"


async def test_tests_that_contradict_each_other_are_named_and_not_tried_long(tmp_path: Path) -> None:
    files = {"tax.py": TAX, "test_tax.py": AGAINST}
    async with desk(tmp_path, files=files) as d:
        d.model._turns += [returning(25), returning(26)]
        await d.run("Fix test_again")
        told = "`test_again` wants `tax(100)` to be 25, and `test_hundred` 20."
        assert f"These two tests seem to contradict each other: {told}" in d.said()
        assert len(d.model.requests) == 2, "only what is likeliest is tried"
        assert d.stopped()
        assert d.untouched()


async def test_what_every_repair_runs_into_is_told_with_a_perhaps(tmp_path: Path) -> None:
    """The texts of the tests do not say it, what the candidates break does."""
    other = "\n    def test_same(self):\n        hundred = 100\n        self.assertEqual(tax(hundred), 25)\n"
    async with desk(tmp_path, files={"tax.py": TAX, "test_tax.py": TEST + other}) as d:
        d.model._last = "no"
        d.model._turns += [
            returning(25),
            fenced("def tax(amount):\n    return 5 * 5\n"),
            fenced("def tax(amount):\n    return 20 + 5\n"),
        ]
        await d.run("Fix test_same")
        wanted = "Each of the 3 changes that made `test_same` pass made `test_hundred` fail: perhaps they contradict"
        assert wanted in d.said()
        assert d.untouched()


async def test_a_wish_that_a_test_contradicts_is_given_up_early_where_the_person_said_so(tmp_path: Path) -> None:
    words = "`tax` shall always be 19. The tests must go on passing; if both cannot be had, change nothing and say why."
    turns = ['{"files": ["tax.py"]}', returning(19), fenced("def tax(amount):\n    return 10 + 9\n")]
    async with desk(tmp_path, *turns, files={"tax.py": TAX, "test_tax.py": TEST}) as d:
        await d.run(words)
        assert "Each of 2 different attempts makes `test_hundred` fail, which passes now" in d.said()
        assert len(d.model.requests) == len(turns)
        assert d.stopped()
        assert d.untouched()


async def test_the_same_attempt_is_not_checked_twice(tmp_path: Path) -> None:
    async with desk(tmp_path, files={"tax.py": TAX, "test_tax.py": TEST}) as d:
        d.model._last = returning(19)
        await d.run("`tax` shall always be 19")
        assert "attempt 2: the same as one before" in d.said()
        assert "contradict" not in d.said(), "one attempt alone tells nothing"


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [
        ("test_a.py", "def test_a():\n    assert f(1) == 2\n    assert 3 == g.h('x', k=[1])\n", {
            ("test_a", "f(1)", "2"), ("test_a", "g.h('x', k=[1])", "3")}),
        ("test_a.py", "def test_a(f):\n    assert f(1) == 2\n    x = 3\n    assert h(x) == 2 and h(1) == x\n", NOTHING),
        ("test_a.py", "@patch('x')\ndef test_a(m):\n    assert f(1) == 2\n", NOTHING),
        ("test_a.py", "def test_a(\n", NOTHING),
        ("test_a.py", "class T:\n  def test_b(self):\n    with self.assertRaises(ValueError):\n      f(-1)\n", {
            ("test_b", "f(-1)", "refused with ValueError")}),
        ("a.test.js", 'test("one", () => {\n  assert.equal(f("C0"), 2);\n  expect(g(1, 2)).toEqual({ a: 1 });\n});', {
            ("one", 'f("C0")', "2"), ("one", "g(1, 2)", "{ a: 1 }")}),
        ("a.test.ts", 'it("two", () => {\n  assert.throws(() => f("C0"), E);\n  assert.equal(f(x), 1);\n});', {
            ("two", 'f("C0")', "refused")}),
        ("test_a.rb", "assert_equal f(1), 2", NOTHING),
    ],
)  # fmt: skip
def test_what_tests_say_of_calls(path: str, text: str, wanted: set[tuple[str, str, str]]) -> None:
    assert {(claim.test, claim.call, claim.wanted) for claim in claims_of(Path(path), text)} == wanted


def test_a_long_number_does_not_keep_the_reader_busy() -> None:
    assert claims_of(Path("a.test.js"), 'test("x", () => assert.equal(f(' + "1" * 50_000 + " x), 1))") == []


def test_tests_that_agree_do_not_contradict(tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    text = "".join(f"def test_{name}():\n    assert f({n}) == {w}\n\n" for name, n, w in ("a12", "b12", "c21"))
    sources = Sources(Folders.of(tmp_path), {path: text})
    assert contradiction.contradictions(sources, {"test_a"}) == []
    sources.put(path, text.replace("f(2) == 1", "f(1) == 1"))
    found = contradiction.contradictions(sources, {"test_c"})
    assert [(one.one.test, one.other.test) for one in found] == [("test_c", "test_a"), ("test_c", "test_b")]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("fix the failing tests", True),
        ("Fix test_hundred in test_tax.py", True),
        ("Please make all tests pass", True),
        ("Fix the bug: the total is wrong for an empty cart", False),
        ("The tests fail because tax.py rounds down", False),
        ("tax fails", False),
        ("fix it", False),
    ],
)
def test_what_a_request_takes_for_granted(tmp_path: Path, words: str, *, wanted: bool) -> None:
    texts = {tmp_path / "tax.py": TAX, tmp_path / "test_tax.py": TEST}
    assert only_that_tests_fail(words, CHECK, Sources(Folders.of(tmp_path), texts)) is wanted


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("Do it. If it is so already, change nothing.", "If it is so already, change nothing."),
        ("If the two cannot\nboth be had, leave everything as it is and say why", ""),
        ("Unless x is set, leave it alone", "Unless x is set, leave it alone"),
        ("Change nothing but the name", ""),
        ("If the list is empty, return nothing", ""),
    ],
)
def test_when_a_person_wants_nothing_changed(words: str, wanted: str) -> None:
    assert reservation(words) == wanted


# --- time ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch) -> list[Share]:
    """The times of items that were begun, the newest last: a test lets them run out when it wants to."""
    begun: list[Share] = []

    def share(*arguments: Any) -> Share:
        begun.append(Share(*arguments))
        return begun[-1]

    monkeypatch.setattr(budget, "Share", share)
    return begun


def too_late(shares: list[Share], *, for_all: bool = False) -> Callable[[Request], Any]:
    """A turn of the model during which the time of the item, or of the task, runs out."""

    async def turn(_: Request) -> str:
        if for_all:
            shares[-1].budget._began -= 1e6
        shares[-1].until.reschedule(asyncio.get_running_loop().time())
        await asyncio.sleep(3600)
        return ""

    return turn


@pytest.mark.parametrize("words", ["Fix test_hundred", "`tax` shall be 19"])
async def test_an_item_that_takes_too_long_is_given_up_and_can_be_gone_on_with(
    tmp_path: Path, shares: list[Share], words: str
) -> None:
    fixes = "Fix" in words
    broken, good = (WRONG, TAX) if fixes else (TAX, TAX + "\n\nRATE = 19\n")
    turns = [too_late(shares), fenced(good)]
    async with desk(tmp_path, *turns, files={"tax.py": broken, "test_tax.py": TEST}) as d:
        await d.run(words)
        where = "`tax` in tax.py" if fixes else "tax.py"
        told = f"iven up, as the 4 min are over (setting guidedItemSeconds) in the midst of this: write {where} anew"
        assert f"g{told}" in d.said()
        assert f"G{told}." in [item.evidence.note for item in d.state.todo.items]
        assert 'Say "keep trying" to go on from here.' in d.said()
        assert d.stopped()
        assert d.untouched()
        assert "running" not in d.statuses()
        opened = [e.body.call for e in d.events if isinstance(e.body, ev.ToolStarted)]
        assert opened == [e.body.call for e in d.events if isinstance(e.body, ev.ToolFinished)]

        await d.run("Keep trying!", session=d.session.id)
        assert d.proposal().files[0].after == good
        first, second = (request.sampling for request in d.model.requests)
        assert first is not None
        assert second is not None
        assert (first.temperature, first.seed) != (second.temperature, second.seed), "not the same draw again"


async def test_what_is_under_way_may_come_to_its_end_and_nothing_new_is_begun(
    tmp_path: Path, shares: list[Share]
) -> None:
    def late(_: Request) -> str:
        shares[-1].soft -= 1e6
        return returning(7)

    async with desk(tmp_path, late, files={"tax.py": WRONG, "test_tax.py": TEST}) as d:
        await d.run("Fix test_hundred")
        assert len(d.model.requests) == 1
        assert "- given up, as the 4 min are over (setting guidedItemSeconds)" in d.said()
        assert "1 rewrite of `tax` in tax.py" in d.said()
        d.model._turns.append(lambda request: (late(request), fenced(TAX))[1])
        await d.run("keep trying", session=d.session.id)
        assert d.proposal().files[0].after == TAX, "what came late and is right is not lost"


async def test_what_time_is_left_is_told_with_each_step(tmp_path: Path) -> None:
    async with desk(tmp_path, fenced(TAX), files={"tax.py": WRONG, "test_tax.py": TEST}, guided_item_seconds=100) as d:
        await d.run("Fix test_hundred")
        (title,) = [e.body.title for e in d.events if isinstance(e.body, ev.ToolStarted) and e.body.tool == "rewrite"]
        assert title.startswith("write `tax` in tax.py anew (1 min ")
        assert title.endswith(" s left)")


async def test_a_task_without_time_left_says_what_it_did_not_come_to(tmp_path: Path, shares: list[Share]) -> None:
    files = {"tax.py": TAX, "test_tax.py": TEST}
    async with desk(tmp_path, too_late(shares, for_all=True), files=files) as d:
        todo = (Todo("t1", "`tax` shall be 19", by="user"), Todo("t2", "Rename `tax` to `vat`", by="user"))
        await d.run("Both", todo=todo)
        assert "given up, as the 8 min are over (setting guidedSeconds)" in d.said()
        assert "no time was left for: Rename `tax` to `vat`" in d.said()
        assert d.untouched()


async def test_a_candidate_that_was_judged_in_vain_is_not_judged_again(tmp_path: Path) -> None:
    async with desk(tmp_path, files={"tax.py": WRONG, "test_tax.py": TEST}) as d:
        d.model._last = returning(7)
        await d.run("Fix test_hundred")
        tries = d.session.tries
        assert tries is not None
        assert len(tries.vain) == 1
        before = dict(tries.vain)
        await d.run("keep trying", session=d.session.id)
        assert d.session.tries is not None
        assert d.session.tries.rounds == 1
        assert d.session.tries.vain == before
        assert d.session.tries.request.prompt == "Fix test_hundred"


async def test_limits_of_the_task_keep_what_was_learned(tmp_path: Path) -> None:
    async with desk(tmp_path, files={"tax.py": WRONG, "test_tax.py": TEST}, max_steps=1) as d:
        d.model._last = returning(7)
        await d.run("Fix test_hundred")
        assert "Nothing was changed. Stopped after 1 steps (setting maxSteps)." in d.said()
        assert "1 rewrite of `tax` in tax.py" in d.said()
        assert d.stopped()


@pytest.mark.parametrize("words", ["keep trying", "Go on.", "please try again", "Continue!", "weiter"])
def test_asking_for_more_of_the_same(words: str) -> None:
    assert goes_on(words)


@pytest.mark.parametrize("words", ["continue with the tests", "try again with 19", "go on holiday", ""])
def test_asking_for_something_else(words: str) -> None:
    assert not goes_on(words)


def test_times_for_people() -> None:
    assert [spoken(s) for s in (0.4, 12.2, 90, 185)] == ["0.4 s", "12 s", "1 min 30 s", "3 min 5 s"]
