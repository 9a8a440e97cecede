"""The to-do list in the guided loop: the user's order, additions and skips count, and a list of theirs is the plan."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent import events as ev
from kaaj_agent.agent import Agent
from kaaj_agent.attachments import AttachedFile, AttachedProblems, AttachedRange, AttachedText
from kaaj_agent.connect import Connection
from kaaj_agent.guided.plan import asks_for_check
from kaaj_agent.ports import Diagnostic, Profile, Request
from kaaj_agent.request import StartRequest
from kaaj_agent.session import TaskState
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.todo import Todo
from kaaj_agent.world import Folders, World

ONE = "def one():\n    return 1\n"
TWO = "def two():\n    return 3\n"
TEST = (
    "import unittest\n\nfrom two import two\n\n\nclass T(unittest.TestCase):\n"
    "    def test_two(self):\n        self.assertEqual(two(), 2)\n"
)
CHECK = f"{sys.executable} -m unittest"


def fenced(code: str) -> str:
    return f"```python\n{code}```"


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
    def state(self) -> TaskState:
        return next(iter(self.agent._sessions.values())).tasks[self.task]

    @property
    def items(self) -> list[tuple[str, str]]:
        return [(item.status, item.title) for item in self.state.todo.items]

    def after(self) -> dict[str, str | None]:
        changes = list(next(iter(self.agent._sessions.values())).changes.values())
        return {file.target.name: file.after for file in changes[-1].files} if changes else {}

    def asked(self) -> list[str]:
        return [request.messages[-1].content for request in self.model.requests]

    def edit(self, change: Callable[[list[Todo]], list[Todo]], answer: str) -> Callable[[Request], str]:
        """A turn of the model during which the user edits the list."""

        def turn(_: Request) -> str:
            task = next(event.body.task for event in self.events)
            items = list(next(iter(self.agent._sessions.values())).tasks[task].todo.items)
            self.agent.edit_todo(task, change(items))
            return answer

        return turn


@asynccontextmanager
async def desk(tmp_path: Path, *turns: Any, check: str = "none", **files: str) -> AsyncGenerator[Desk]:
    root = (tmp_path / "shop").resolve()
    root.mkdir()
    for name, text in (files or {"one": ONE, "two": TWO}).items():
        (root / f"{name}.py").write_text(text)
    world = World(Folders.of(root))
    model = ScriptedModel(*turns, profile=Profile("small", loop="guided"))
    settings = AgentSettings(check=check, seed=7)
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


def given(*titles: str) -> tuple[Todo, ...]:
    return tuple(
        Todo(f"t{n}", title.lstrip("-"), "skipped" if title.startswith("-") else "pending", "user")
        for n, title in enumerate(titles, 1)
    )


async def test_a_given_list_is_the_plan_and_is_worked_through_in_its_order(tmp_path: Path) -> None:
    new_one, new_two = ONE.replace("1", "10"), TWO.replace("3", "20")
    async with desk(tmp_path, fenced(new_two), fenced(new_one)) as d:
        todo = given("Change `two` in two.py", "-Rename `one` to `uno`", "Change `one` in one.py", "Run the check")
        await d.run("Ten times as much", todo=todo)
        assert d.after() == {"one.py": new_one, "two.py": new_two}
        assert d.items == [
            ("done", "Change `two` in two.py"),
            ("skipped", "Rename `one` to `uno`"),
            ("done", "Change `one` in one.py"),
            ("done", "Run the check"),
        ]
        assert all("Ten times as much\nOf this, do now only: Change" in asked for asked in d.asked())
        assert "two.py" in d.asked()[0]


async def test_an_item_of_the_users_may_be_a_repair(tmp_path: Path) -> None:
    good = TWO.replace("3", "2")
    files = {"one": ONE, "two": TWO, "test_two": TEST}
    new_one = ONE.replace("1", "10")
    async with desk(tmp_path, check=CHECK, **files) as d:

        def add(items: list[Todo]) -> list[Todo]:
            return [*items, Todo("u1", "Fix test_two, it fails", by="user")]

        d.model._turns += [d.edit(add, fenced(new_one)), fenced(good)]
        await d.run("`one` shall return 10")
        assert d.after() == {"one.py": new_one, "two.py": good}
        assert ("done", "Fix test_two, it fails") in d.items
        assert "3 != 2" in d.asked()[1], "the model is shown the failure, as in a repair"


async def test_the_order_that_the_user_makes_is_followed(tmp_path: Path) -> None:
    """While the first of three is written, the last is moved before the second."""
    three = "def three():\n    return 3\n"
    async with desk(tmp_path, one=ONE, two=TWO, three=three) as d:

        def move(items: list[Todo]) -> list[Todo]:
            (third,) = [item for item in items if "three" in item.title]
            rest = [item for item in items if item is not third]
            return [*rest[:1], third, *rest[1:]]

        new = {name: text.replace("return ", "return 1") for name, text in (("one", ONE), ("two", TWO))}
        d.model._turns += [
            d.edit(move, fenced(new["one"])),
            fenced(three.replace("return ", "return 1")),
            fenced(new["two"]),
        ]
        await d.run("More", todo=given("Change `one`", "Change `two`", "Change `three`"))
        assert [re.findall(r"def (\w+)", asked)[0] for asked in d.asked()] == ["one", "three", "two"]


async def test_an_item_that_is_skipped_before_its_turn_is_not_worked_on(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:

        def skip(items: list[Todo]) -> list[Todo]:
            return [replace(item, status="skipped") if "two" in item.title else item for item in items]

        d.model._turns += [d.edit(skip, fenced(ONE.replace("1", "10")))]
        await d.run("More", todo=given("Change `one`", "Change `two`"))
        assert len(d.model.requests) == 1
        assert d.after() == {"one.py": ONE.replace("1", "10")}
        assert d.state.todo.items[1].status == "skipped"


async def test_what_the_user_puts_first_is_done_first(tmp_path: Path) -> None:
    """An item put before the request's own while the check runs."""
    async with desk(tmp_path, fenced(TWO.replace("3", "30")), fenced(ONE.replace("1", "10"))) as d:

        def put(event: ev.Event) -> None:
            body = event.body
            if isinstance(body, ev.ToolStarted) and body.tool == "check" and not d.model.requests:
                items = list(next(iter(d.agent._sessions.values())).tasks[body.task].todo.items)
                d.agent.edit_todo(body.task, [Todo("u1", "`two` shall return 30", by="user"), *items])

        d.agent.subscribe(put)
        await d.run("`one` shall return 10")
        assert d.after() == {"one.py": ONE.replace("1", "10"), "two.py": TWO.replace("3", "30")}
        assert "def two" in d.asked()[0]


async def test_attached_lines_are_what_is_changed(tmp_path: Path) -> None:
    new = TWO.replace("3", "2")
    async with desk(tmp_path, fenced(new)) as d:
        await d.run("make it right", context=(AttachedRange(d.root / "two.py", (0, 2), "two"),))
        assert d.after() == {"two.py": new}
        assert len(d.model.requests) == 1, "no file is picked by the model"


async def test_an_attached_file_is_what_is_changed_and_an_attached_text_is_shown(tmp_path: Path) -> None:
    new = TWO.replace("3", "2")
    async with desk(tmp_path, fenced(new)) as d:
        context = (AttachedFile(d.root / "two.py"), AttachedText("spec", "It returns 2."))
        await d.run("as the specification says", context=context)
        assert d.after() == {"two.py": new}
        assert "spec:\nIt returns 2." in d.asked()[0]


async def test_attached_problems_lead_to_their_lines(tmp_path: Path) -> None:
    new = TWO.replace("3", "2")
    async with desk(tmp_path, fenced(new)) as d:
        problem = Diagnostic(d.root / "two.py", 2, 5, "error", "not the right number", "lint")
        d.agent.diagnoser = Problems((problem,))
        await d.run("mend these", context=(AttachedProblems(),))
        assert d.after() == {"two.py": new}
        assert "not the right number" in d.asked()[0]


@pytest.mark.parametrize(
    ("title", "asks"),
    [
        ("Run the check", True),
        ("Run `make test` again", True),
        ("Check again", True),
        ("Re-run all tests", True),
        ("Check that the input is a number", False),
        ("Test the parser", False),
        ("Change `run` in tests.py", False),
    ],
)
def test_an_item_that_only_asks_for_the_check(title: str, *, asks: bool) -> None:
    assert asks_for_check(title) is asks
