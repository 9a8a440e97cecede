"""The guided loop from a request to what is proposed: scripted models, a scripted scorer, real checks in the shadow."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent import events as ev
from kaaj_agent.agent import Agent
from kaaj_agent.changes import ChangeSet, CheckResult, Proposed
from kaaj_agent.connect import Connection
from kaaj_agent.document import Document
from kaaj_agent.failures import ModelError
from kaaj_agent.guided import judge
from kaaj_agent.guided.forking import ForkRunner
from kaaj_agent.ports import Alternative, Message, Profile, Reply, Request, Usage
from kaaj_agent.request import StartRequest
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.session import TaskState
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.todo import Todo
from kaaj_agent.world import Folders, World

PRICES = """\
BULK = 10


def bulk_price(price, count):
    if count > BULK:
        return price * count * 9 // 10
    return price * count


def tax(amount):
    return amount * 20 // 100
"""
GOOD = PRICES.replace("count > BULK", "count >= BULK")
TEST = """\
import unittest

from prices import bulk_price, tax


class Prices(unittest.TestCase):
    def test_ten(self):
        self.assertEqual(bulk_price(250, 10), 2250)

    def test_nine(self):
        self.assertEqual(bulk_price(250, 9), 2250)

    def test_tax(self):
        self.assertEqual(tax(100), 20)
"""
CHECK = f"{sys.executable} -m unittest"


def fenced(code: str) -> str:
    return f"```python\n{code}```"


def function(text: str, name: str = "bulk_price") -> str:
    found = re.search(rf"^def {name}.*?(?=\n\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found
    return fenced(found[0] + "\n")


class Believer:
    """A scorer that believes in one text: where the code so far is how that text begins, it wants that to go on."""

    def __init__(self, text: str) -> None:
        self.believed = text
        self.words: list[str] = [""]

    def _tokens(self, text: str) -> list[int]:
        found: list[int] = []
        for word in re.findall(r"[ ]*\w+|\n|\W", text):
            if word not in self.words:
                self.words.append(word)
            found.append(self.words.index(word))
        return found

    async def render(self, messages: Sequence[Message], opening: str) -> list[int]:
        return [0]

    async def tokenize(self, text: str) -> list[int]:
        return self._tokens(text)

    async def text_of(self, tokens: Sequence[int]) -> list[bytes]:
        return [self.words[token].encode() for token in tokens]

    def _next(self, prefix: Sequence[int]) -> str:
        so_far = "".join(self.words[token] for token in prefix[1:])
        rest = self.believed[len(so_far) :] if self.believed.startswith(so_far) else ""
        found = re.match(r"[ ]*\w+|\n|\W", rest)
        return found[0] if found else ""

    async def alternatives(self, prefix: Sequence[int], count: int) -> list[Alternative]:
        word = self._next(prefix)
        return [Alternative(self._tokens(word)[0], word, -0.1)][:count] if word else []

    def spent(self) -> Usage:
        return Usage(100, 90, 5, 3)

    async def finish_line(self, prefix: Sequence[int], limit: int) -> str:
        tokens, line = list(prefix), ""
        while "\n" not in line and (word := self._next(tokens)):
            line += word
            tokens += self._tokens(word)
        return line


@dataclass
class Desk:
    agent: Agent
    root: Path
    world: World
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

    def proposal(self) -> ChangeSet:
        session = next(iter(self.agent._sessions.values()))
        changes = [change for change in session.changes.values() if isinstance(change.state, Proposed)]
        assert len(changes) == 1, [event.body for event in self.events]
        return changes[0]

    def after(self) -> dict[str, str | None]:
        return {file.target.relative_to(self.root).as_posix(): file.after for file in self.proposal().files}

    def said(self) -> str:
        return "".join(event.body.text for event in self.events if isinstance(event.body, ev.TextAdded))

    def asked(self) -> list[str]:
        return [request.messages[-1].content for request in self.model.requests]


@asynccontextmanager
async def desk(
    tmp_path: Path, *turns: Any, scorer: Believer | None = None, files: dict[str, str] | None = None, **settings: Any
) -> AsyncGenerator[Desk]:
    root = (tmp_path / "shop").resolve()
    root.mkdir()
    for name, text in (files or {"prices.py": PRICES, "test_prices.py": TEST}).items():
        (root / name).write_text(text, "utf-8")
    world = World(Folders.of(root))
    model = ScriptedModel(*turns, profile=Profile("small", loop="guided"))
    wanted: dict[str, Any] = {"check": CHECK, "seed": 7} | settings
    made = AgentSettings(**wanted)
    agent = Agent(world, made, Answers(), BufferApplier(world), Problems(), tmp_path / "state")

    async def connected() -> Connection:
        return Connection(model, scorer)

    agent.connecting._connected = asyncio.ensure_future(connected())
    events: list[ev.Event] = []
    agent.subscribe(events.append)
    try:
        yield Desk(agent, root, world, model, events)
    finally:
        await agent.close()


# --- repair -------------------------------------------------------------------------------------------------------


async def test_surprise_mends_without_a_reply_of_the_model(tmp_path: Path) -> None:
    async with desk(tmp_path, scorer=Believer(GOOD)) as d:
        await d.run("test_ten fails. Fix it.")
        assert d.after() == {"prices.py": GOOD}
        assert d.model.requests == []
        assert d.items == [
            ("done", f"Run `{CHECK}`"),
            ("done", "Mend `bulk_price` in prices.py"),
            ("done", "Check again"),
        ]
        (hunk,) = d.proposal().hunks
        assert hunk.todo == d.state.todo.items[1].id
        assert "test_ten failed" in d.said()
        assert (d.root / "prices.py").read_text() == PRICES


async def test_candidates_are_judged_in_forks_of_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (await Sandbox.find()).available:
        pytest.skip("forks are made in bubblewrap alone")
    monkeypatch.setattr(judge, "_WORTH_SECONDS", 0.0)
    monkeypatch.setattr(judge, "_QUICKER", 1e9)
    forked: list[bool] = []
    plain = ForkRunner.run

    async def run(self: ForkRunner, files: Mapping[Path, bytes], seconds: float) -> CheckResult | None:
        result = await plain(self, files, seconds)
        forked.append(result is not None and result.ok)
        return result

    monkeypatch.setattr(ForkRunner, "run", run)
    async with desk(tmp_path, scorer=Believer(GOOD)) as d:
        await d.run("test_ten fails. Fix it.")
        assert d.after() == {"prices.py": GOOD}
        assert forked[:2] == [False, False], "the code as it stands"
        assert True in forked
        assert (d.root / "prices.py").read_text() == PRICES


async def test_rewrites_go_on_where_there_is_no_scorer(tmp_path: Path) -> None:
    wrong = function(PRICES.replace("count > BULK", "count < BULK"))
    cut = Reply(function(GOOD)[:-20], (), Usage(), "length")
    async with desk(tmp_path, function(PRICES), cut, wrong, function(GOOD)) as d:
        await d.run("fix the failing test")
        assert d.after() == {"prices.py": GOOD}
        temperatures = [r.sampling.temperature for r in d.model.requests if r.sampling]
        assert temperatures == [0.0, 0.7, 0.7, 0.7]
        seeds = [r.sampling.seed for r in d.model.requests if r.sampling]
        assert len(set(seeds)) == 4
        assert "2500 != 2250" in d.asked()[0]
        assert d.asked()[0].startswith("```python\nBULK = 10")
        assert len(set(d.asked())) == 1  # the same prompt each time: it is evaluated once


async def test_what_cannot_be_mended_leaves_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        d.model._last = "I am sorry."
        await d.run("Fix test_ten")
        assert d.state.status == "stopped"
        assert "Nothing was changed" in d.state.summary
        assert "rewrites of `bulk_price` in prices.py" in d.state.summary
        assert not any(isinstance(event.body, ev.ChangeChanged) for event in d.events)
        assert ("failed", "Mend `bulk_price` in prices.py") in d.items


async def test_surprise_goes_further_when_it_is_gone_on_with(tmp_path: Path) -> None:
    broken = PRICES.replace("    if count > BULK:\n        return price * count * 9 // 10\n", "")
    scorer = Believer(broken)
    async with desk(tmp_path, scorer=scorer, files={"prices.py": broken, "test_prices.py": TEST}) as d:
        d.model._last = "I am sorry."
        await d.run("test_ten fails. Fix it.")
        assert 'Say "keep trying"' not in d.said(), "it was not for want of time"
        session = next(iter(d.agent._sessions.values()))
        assert session.tries is not None
        judged = len(session.tries.vain)
        assert judged
        scorer.believed = GOOD
        await d.run("keep trying", session=session.id)
        assert d.after() == {"prices.py": GOOD}
        assert d.items[1] == ("done", "Mend `bulk_price` in prices.py")
        titles = [e.body.title for e in d.events if isinstance(e.body, ev.ToolStarted) and e.body.tool == "repair"]
        notes = [e.body for e in d.events if isinstance(e.body, ev.ToolProgressed)]
        assert any(re.match(r"candidate \d+: .+ → ", note.note) for note in notes)
        kept = [e.body for e in session.events if isinstance(e.body, ev.ToolProgressed)]
        assert len(kept) == len({note.call for note in notes}), "the newest of each call"
        assert all(" at most, " in title for title in titles)


async def test_two_faults_get_an_item_each(tmp_path: Path) -> None:
    broken = PRICES.replace("amount * 20", "amount * 2")
    turns = [function(GOOD, "tax"), function(GOOD)]
    async with desk(tmp_path, *turns, files={"prices.py": broken, "test_prices.py": TEST}) as d:
        await d.run("Two tests fail, fix them")
        assert d.after() == {"prices.py": GOOD}
        mended = [item for item in d.state.todo.items if item.title.startswith("Mend")]
        assert [item.status for item in mended] == ["done", "done"]
        assert {hunk.todo for hunk in d.proposal().hunks} == {item.id for item in mended}


async def test_the_unsaved_buffer_is_what_is_mended(tmp_path: Path) -> None:
    async with desk(tmp_path, files={"prices.py": "# empty\n", "test_prices.py": TEST}) as d:
        d.world.put(Document(d.root / "prices.py", "# typed\n" + PRICES, 3))
        d.model._turns.append(function(GOOD))
        await d.run("The test fails, fix it")
        assert d.after() == {"prices.py": "# typed\n" + GOOD}


async def test_tests_are_never_rewritten_to_pass(tmp_path: Path) -> None:
    async with desk(tmp_path, files={"test_alone.py": "def f():\n    return 1\n\n\n" + TEST.replace(
        "from prices import bulk_price, tax", "bulk_price = tax = lambda *a: 0")}) as d:  # fmt: skip
        await d.run("Fix the failing tests")
        assert d.state.status == "stopped"
        assert d.model.requests == []


async def test_a_syntax_error_is_mended_without_any_check(tmp_path: Path) -> None:
    broken = PRICES.replace("(price, count):", "(price, count:")
    async with desk(tmp_path, fenced(PRICES), files={"prices.py": broken}, check="none") as d:
        await d.run("Fix the syntax error", path=d.root / "prices.py")
        assert d.after() == {"prices.py": PRICES}
        assert "parses again" in d.said()
        assert "Not checked: no check is known here. The changed files parse." in d.said()


# --- changes ------------------------------------------------------------------------------------------------------


async def test_a_named_function_is_rewritten_and_checked(tmp_path: Path) -> None:
    wanted = GOOD.replace(
        "def tax(amount):\n", "def tax(amount):\n    if amount < 0:\n        raise ValueError(amount)\n"
    )
    breaking = GOOD.replace("20 // 100", "21 // 100")
    files = {"prices.py": GOOD, "test_prices.py": TEST}
    async with desk(tmp_path, fenced(breaking), fenced(wanted), files=files) as d:
        await d.run("`tax` must refuse negative amounts with a ValueError")
        assert d.after() == {"prices.py": wanted}
        assert "21 != 20" in d.asked()[1]  # what the first attempt broke
        assert d.items[1] == ("done", "Change prices.py")


async def test_a_change_that_breaks_tests_is_backed_out(tmp_path: Path) -> None:
    breaking = GOOD.replace("20 // 100", "21 // 100")
    async with desk(tmp_path, files={"prices.py": GOOD, "test_prices.py": TEST}) as d:
        d.model._last = fenced(breaking)
        await d.run("`tax` shall be higher")
        assert d.state.status == "stopped"
        assert not any(isinstance(event.body, ev.ChangeChanged) and event.body.change.files and
                       isinstance(event.body.change.state, Proposed) for event in d.events)  # fmt: skip


async def test_a_selection_is_what_is_edited(tmp_path: Path) -> None:
    new = GOOD.replace("def tax(amount):\n    return amount", "def tax(amount):\n    return max(amount, 0)")
    async with desk(tmp_path, function(new, "tax"), files={"prices.py": GOOD}, check="none") as d:
        await d.run("never negative", path=d.root / "prices.py", span=(10, 11), intent="edit")
        assert d.after() == {"prices.py": new}
        assert d.items[1] == ("done", "Change `tax` in prices.py")


async def test_several_files_are_judged_together(tmp_path: Path) -> None:
    text = "def wrap(text):\n    return text[:20]\n"
    page = "from text import wrap\n\n\ndef banner(text):\n    return wrap(text)\n"
    test = (
        "import unittest\n\nfrom page import banner\n\n\nclass T(unittest.TestCase):\n"
        "    def test_banner(self):\n        self.assertEqual(banner('abc'), 'abc')\n"
    )
    new_text = "def wrap(text, width):\n    return text[:width]\n"
    new_page = page.replace("wrap(text)", "wrap(text, 20)")
    pick = '{"files": ["text.py", "page.py"]}'
    files = {"text.py": text, "page.py": page, "test_page.py": test}
    async with desk(tmp_path, pick, fenced(new_text), fenced(new_page), files=files) as d:
        await d.run("Give `wrap` a second parameter width in place of the 20")
        assert d.after() == {"text.py": new_text, "page.py": new_page}
        assert [item[0] for item in d.items] == ["done"] * 4
        schema = d.model.requests[0].schema
        assert schema is not None
        assert schema["properties"]["files"]["items"]["enum"] == ["text.py", "page.py"]


async def test_a_plain_renaming_asks_no_model(tmp_path: Path) -> None:
    async with desk(tmp_path, files={"prices.py": GOOD, "test_prices.py": TEST}) as d:
        await d.run("Rename `tax` to `vat` everywhere")
        assert d.model.requests == []
        assert d.after() == {"prices.py": GOOD.replace("tax", "vat"), "test_prices.py": re.sub(
            r"\btax\b", "vat", TEST)}  # fmt: skip
        assert d.items[1] == ("done", "Rename `tax` to `vat`")


async def test_a_new_file_is_written(tmp_path: Path) -> None:
    async with desk(tmp_path, fenced("def one():\n    return 1\n"), check="none") as d:
        await d.run("Create a file numbers_of.py with a function one() that returns 1")
        assert d.after() == {"numbers_of.py": "def one():\n    return 1\n"}
        assert d.items[1] == ("done", "Write numbers_of.py")


# --- the person ---------------------------------------------------------------------------------------------------


async def test_items_that_the_user_adds_are_done_and_skipped_ones_are_not(tmp_path: Path) -> None:
    async with desk(tmp_path, check="none", files={"prices.py": GOOD}) as d:

        def edit(_: Request) -> str:
            items = d.state.todo.items
            d.agent.edit_todo(d.task, [*items, Todo("u1", "Rename `tax` to `vat`", by="user")])
            return fenced(GOOD.replace("BULK = 10", "BULK = 12"))

        d.model._turns.append(edit)
        await d.run("`BULK` shall be 12 in prices.py")
        assert d.after() == {"prices.py": GOOD.replace("BULK = 10", "BULK = 12").replace("tax", "vat")}
        assert ("done", "Rename `tax` to `vat`") in d.items


async def test_a_skipped_item_is_left_alone(tmp_path: Path) -> None:
    async with desk(tmp_path, scorer=Believer(GOOD)) as d:

        def skip(event: ev.Event) -> None:
            if isinstance(event.body, ev.TodoChanged) and event.body.by == "harness":
                items = event.body.todo.items
                mend = next((item for item in items if item.title.startswith("Find")), None)
                if mend is not None and mend.status == "pending" and len(items) == 3:
                    skipped = [Todo(i.id, i.title, "skipped", i.by) if i is mend else i for i in items]
                    asyncio.get_running_loop().call_soon(d.agent.edit_todo, event.body.task, skipped)

        d.agent.subscribe(skip)
        await d.run("Fix test_ten")
        assert d.state.status == "stopped"
        assert [status for status, title in d.items if "end" in title] == ["skipped"]


@pytest.mark.parametrize("way", ["skip", "remove"])
async def test_what_is_taken_off_the_list_while_it_is_written_is_not_done(tmp_path: Path, way: str) -> None:
    async with desk(tmp_path, check="none", files={"prices.py": GOOD}) as d:

        def edit(_: Request) -> str:
            items = d.state.todo.items
            first = next(item for item in items if item.status == "running")
            rest = [item for item in items if item is not first]
            more = [Todo("u1", "Rename `tax` to `vat`", by="user")]
            skipped = [Todo(first.id, first.title, "skipped", first.by)] if way == "skip" else []
            d.agent.edit_todo(d.task, [*skipped, *rest, *more])
            return fenced(GOOD.replace("BULK = 10", "BULK = 12"))

        d.model._turns.append(edit)
        await d.run("`BULK` shall be 12 in prices.py")
        assert d.after() == {"prices.py": GOOD.replace("tax", "vat")}


async def test_an_explanation_is_streamed_and_remembered(tmp_path: Path) -> None:
    async with desk(tmp_path, "It adds tax.") as d:
        await d.run("Explain this", path=d.root / "prices.py", span=(9, 11), intent="explain")
        assert d.said() == "It adds tax."
        assert d.state.status == "done"
        assert "def tax" in d.asked()[0]
        assert next(iter(d.agent._sessions.values())).messages[-1] == Message("assistant", "It adds tax.")


async def test_a_plan_changes_and_runs_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        await d.run("`tax` must refuse negative amounts", mode="plan")
        assert d.state.status == "done"
        assert d.items == [("pending", "Change prices.py"), ("pending", "Run the check")]
        assert not any(isinstance(event.body, ev.ToolStarted) for event in d.events)


async def test_cancelling_ends_a_repair_at_once(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def hang(_: Request) -> str:
        begun.set()
        await asyncio.sleep(3600)
        return ""

    async with desk(tmp_path, hang) as d:
        started = await d.agent.start(StartRequest("fix the failing test"))
        await begun.wait()
        await d.agent.cancel(started.task)
        d.task = started.task
        assert d.state.status == "cancelled"
        opened = [e.body.call for e in d.events if isinstance(e.body, ev.ToolStarted)]
        assert opened == [e.body.call for e in d.events if isinstance(e.body, ev.ToolFinished)]


@pytest.mark.parametrize("reply", ["", "no", "```python\n```", "```python\nx = \n```", "\x00" * 50])
async def test_nonsense_ends_honestly(tmp_path: Path, reply: str) -> None:
    async with desk(tmp_path, check="none", files={"prices.py": GOOD}) as d:
        d.model._last = reply
        await d.run("`tax` shall be 19 percent")
        assert d.state.status == "stopped"
        assert "Nothing was changed" in d.state.summary


async def test_new_tests_that_fail_are_left_out(tmp_path: Path) -> None:
    kept = (
        "import unittest\n\nfrom prices import tax\n\n\nclass Tax(unittest.TestCase):\n"
        "    def test_of_hundred(self):\n        self.assertEqual(tax(100), 20)\n"
    )
    wrong = kept + "\n    def test_of_five(self):\n        self.assertEqual(tax(5), 7)\n"
    async with desk(tmp_path, fenced(wrong), files={"prices.py": GOOD}) as d:
        await d.run("Write tests for it", path=d.root / "prices.py", span=(9, 11), intent="tests")
        after = d.after()["test_prices.py"]
        assert after is not None
        assert after.strip() == kept.strip()
        assert "test_of_five" in d.said()
        assert "def tax" in d.asked()[0]


async def test_what_was_mended_before_the_model_failed_is_kept(tmp_path: Path) -> None:
    broken = PRICES.replace("amount * 20", "amount * 2")
    turns = [function(GOOD, "tax"), ModelError("The endpoint is gone.")]
    async with desk(tmp_path, *turns, files={"prices.py": broken, "test_prices.py": TEST}) as d:
        await d.run("Two tests fail, fix them")
        assert d.after() == {"prices.py": PRICES}
        assert "The endpoint is gone." in d.said()
        assert "still fails (1 test fails, none of them new)" in d.said()
