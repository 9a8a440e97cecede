"""Problems that an editor shows: read out of their tools' own output, and mended where the tool then keeps silent."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from kaaj_agent import events as ev
from kaaj_agent.agent import Agent
from kaaj_agent.changes import ChangeSet, Proposed
from kaaj_agent.connect import Connection
from kaaj_agent.guided.problem_judge import drops, silences, untypes
from kaaj_agent.guided.problem_tools import Told, command_of, problems_in
from kaaj_agent.ports import Alternative, Diagnostic, Message, Profile, Usage
from kaaj_agent.request import StartRequest
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.session import TaskState
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel, call
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.world import Folders, World

AREA = "def area(width: int, height: int) -> int:\n    return {} * height\n"
WRONG, GOOD = AREA.format("widht"), AREA.format("width")
TEST = """\
import unittest

from area import area


class Areas(unittest.TestCase):
    def test_area(self):
        self.assertEqual(area(2, 3), 6)
"""


def problem(root: Path, message: str = "Undefined name `widht`", **more: Any) -> Diagnostic:
    given: dict[str, Any] = {"source": "Ruff", "code": "F821"} | more
    return Diagnostic(root / given.pop("name", "area.py"), given.pop("line", 2), 12, "error", message, **given)


# --- what tools say -------------------------------------------------------------------------------------------------


def test_what_tools_print_is_read_and_its_places_left_out() -> None:
    assert problems_in("x.py:5:12: F821 Undefined name `a`\n[*] 1 fixable\n") == [
        Told("x.py", 5, "F821 Undefined name `a`")
    ]
    mypy = 'x.py:5: error: Name "f" already defined on line 3  [no-redef]\nx.py:3: note: here it was\n'
    assert problems_in(mypy) == [Told("x.py", 5, 'error: Name "f" already defined on   [no-redef]')]
    pyright = "/w/x.py\n  /w/x.py:5:12 - error: No such thing (reportX)\n2 errors, 0 warnings\n"
    assert problems_in(pyright) == [Told("/w/x.py", 5, "error: No such thing (reportX)")]
    assert problems_in("a/z.ts(1,40): error TS2322: No.\n") == [Told("a/z.ts", 1, "error TS2322: No.")]
    assert problems_in("vet: ./x.go:3:5: undefined: b\n") == [Told("x.go", 3, "undefined: b")]
    eslint = [{"filePath": "/w/x.js", "messages": [{"line": 3, "message": "No.", "ruleId": "no-undef", "column": 1}]}]
    assert problems_in(json.dumps(eslint)) == [Told("/w/x.js", 3, "No. no-undef")]
    assert problems_in('[{"filePath": 3}]') == problems_in("[") == problems_in("Segmentation fault\n") == []


@pytest.mark.parametrize(
    ("source", "name", "text"),
    [
        ("Ruff", "x.py", "def f():\n    return widht\n"),
        ("mypy", "x.py", "def f() -> int:\n    return widht\n"),
        ("clangd", "x.c", "int f(void) {\n    return widht;\n}\n"),
        ("C/C++", "x.cpp", "int f() {\n    return widht;\n}\n"),
    ],
)
def test_the_tools_that_are_here_tell_their_problems(tmp_path: Path, source: str, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    found = command_of(problem(tmp_path, name=name, source=source), tmp_path)
    if found is None and source in ("clangd", "C/C++") and which("cc") is None:
        pytest.skip("no compiler")
    assert found is not None
    done = subprocess.run(found[1], shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S602 - what is tested is a command for `sh -c`
    told = problems_in(done.stdout + done.stderr)
    assert [one.line for one in told if "widht" in one.text][:1] == [2], done


def test_no_command_without_a_tool_or_for_a_file_elsewhere(tmp_path: Path) -> None:
    assert command_of(problem(tmp_path, source="spelling"), tmp_path) is None
    assert command_of(problem(tmp_path, source=""), tmp_path) is None
    assert command_of(problem(tmp_path.parent), tmp_path) is None


def test_a_file_name_is_no_option_and_no_command(tmp_path: Path) -> None:
    found = command_of(problem(tmp_path, name="-x $(touch y).py"), tmp_path)
    assert found is not None
    assert found[1].endswith(" './-x $(touch y).py'")


# --- what is no repair ----------------------------------------------------------------------------------------------


def test_to_silence_a_tool_or_to_drop_the_line_is_no_repair() -> None:
    assert silences("a = b\n", "a = b  # type: ignore[name-defined]\n")
    assert silences("a = b\n", "a = b  # noqa\n")
    assert silences("let a = b;\n", "// @ts-ignore\nlet a = b;\n")
    assert silences("let a: T = b;\n", "let a: any = b;\n")
    assert not silences("a = b  # noqa\n", "a = c  # noqa\n")
    assert drops("a\nb\nc\n", "a\nc\n")
    assert not drops("a\nb\nc\n", "a\nB\nc\n")
    assert not drops("a\nb\n", "a\nb\n")


def test_to_take_a_type_away_is_no_repair() -> None:
    assert untypes("def f(a: int) -> str:\n", "def f(a) -> str:\n")
    assert untypes("def f(a: int) -> str:\n", "def f(a: int):\n")
    assert untypes("function f(a: T) {}\n", "function f(a) {}\n")
    assert not untypes("def f(a: int) -> str:\n", "def f(a: bool) -> str:\n")


# --- the whole way --------------------------------------------------------------------------------------------------


class Believer:
    """A scorer that believes in one text: where the code so far is how that text begins, it wants that to go on."""

    def __init__(self, text: str) -> None:
        self.believed = text
        self.words: list[str] = [""]
        self.asked = 0

    async def tokenize(self, text: str) -> list[int]:
        self.asked += 1
        found = re.findall(r"[ ]*\w+|\n|\W", text)
        self.words += [word for word in dict.fromkeys(found) if word not in self.words]
        return [self.words.index(word) for word in found]

    async def render(self, messages: Sequence[Message], opening: str) -> list[int]:
        return [0]

    async def text_of(self, tokens: Sequence[int]) -> list[bytes]:
        return [self.words[token].encode() for token in tokens]

    async def alternatives(self, prefix: Sequence[int], count: int) -> list[Alternative]:
        so_far = "".join(self.words[token] for token in prefix[1:])
        rest = self.believed[len(so_far) :] if self.believed.startswith(so_far) else ""
        word = re.match(r"[ ]*\w+|\n|\W", rest)
        return [Alternative((await self.tokenize(word[0]))[0], word[0], -0.1)][:count] if word else []

    async def finish_line(self, prefix: Sequence[int], limit: int) -> str:
        tokens, line = list(prefix), ""
        while "\n" not in line and (best := await self.alternatives(tokens, 1)):
            line += best[0].text
            tokens.append(best[0].token)
        return line

    def spent(self) -> Usage:
        return Usage(100, 90, 5, 3)


@dataclass
class Desk:
    agent: Agent
    root: Path
    model: ScriptedModel
    events: list[ev.Event] = field(default_factory=list[ev.Event])
    task: str = ""

    async def fix(self, *problems: Diagnostic, **more: Any) -> None:
        words = "Fix: " + "; ".join(one.message for one in problems)
        path = problems[0].path if problems else self.root / "area.py"
        started = await self.agent.start(StartRequest(words, "ask", path, None, None, problems, "fix", **more))
        self.task = started.task
        await self.agent.wait(started.task)

    @property
    def state(self) -> TaskState:
        return next(iter(self.agent._sessions.values())).tasks[self.task]

    def after(self) -> dict[str, str | None]:
        session = next(iter(self.agent._sessions.values()))
        changes: list[ChangeSet] = [one for one in session.changes.values() if isinstance(one.state, Proposed)]
        return {file.target.name: file.after for change in changes for file in change.files}

    def said(self) -> str:
        return "".join(event.body.text for event in self.events if isinstance(event.body, ev.TextAdded))


@asynccontextmanager
async def desk(
    tmp_path: Path,
    *turns: Any,
    scorer: Believer | None = None,
    loop: Any = "agentic",
    files: dict[str, str] | None = None,
    check: str = "none",
) -> AsyncGenerator[Desk]:
    if not (await Sandbox.find()).available:
        pytest.skip("tools are asked in bubblewrap alone")
    root = (tmp_path / "shop").resolve()
    root.mkdir(parents=True)
    for name, text in (files or {"area.py": WRONG}).items():
        (root / name).write_text(text, "utf-8")
    world = World(Folders.of(root))
    model = ScriptedModel(*turns, profile=Profile("any", loop=loop))
    settings = AgentSettings(check=check, seed=7)
    agent = Agent(world, settings, Answers(), BufferApplier(world), Problems(), tmp_path / "state")

    async def connected() -> Connection:
        return Connection(model, scorer)

    agent.connecting._connected = asyncio.ensure_future(connected())
    d = Desk(agent, root, model)
    agent.subscribe(d.events.append)
    try:
        yield d
    finally:
        await agent.close()


@pytest.mark.parametrize("loop", ["agentic", "guided"])
async def test_a_problem_is_mended_before_any_model_is_asked(tmp_path: Path, loop: str) -> None:
    async with desk(tmp_path, scorer=Believer(GOOD), loop=loop) as d:
        await d.fix(problem(d.root))
        assert d.after() == {"area.py": GOOD}
        assert d.model.requests == []
        assert "`ruff` tells that problem no more" in d.said()
        assert [item.status for item in d.state.todo.items if item.title.startswith("Mend area.py")] == ["done"]
        assert (d.root / "area.py").read_text() == WRONG


async def test_what_only_moves_the_problem_is_no_repair(tmp_path: Path) -> None:
    other = AREA.format("wide")
    edit = call("edit", path="area.py", old="widht", new="width")
    async with desk(tmp_path, edit, "It was misspelt.", scorer=Believer(other)) as d:
        await d.fix(problem(d.root))
        assert d.after() == {"area.py": GOOD}, "the task's own model goes on"
        assert [item.title for item in d.state.todo.items if item.by == "harness"] == []
        assert d.model.requests[0].messages[-1].role == "user"


async def test_a_checker_with_a_cache_looks_at_every_candidate(tmp_path: Path) -> None:
    """mypy takes a file of the same size and second for unchanged, and candidates come several a second."""
    code = "class P:\n    x = 1\n    y = 2\n\n\ndef norm(p: P) -> int:\n    return {} + p.x + p.{}\n"
    wrong, good = code.format("p.x", "z"), code.format("p.x", "y")
    scorer = Believer(good)
    async with desk(tmp_path, scorer=scorer, files={"area.py": wrong}) as d:
        shown = problem(d.root, '"P" has no attribute "z"', source="Mypy", code="attr-defined", line=7)
        await d.fix(shown)
        assert d.after() == {"area.py": good}


async def test_what_the_model_would_write_anew_is_left_to_the_better_one(tmp_path: Path) -> None:
    other = AREA.replace("{} * height", "height * height")
    async with desk(tmp_path, "Nothing to do.", scorer=Believer(other)) as d:
        await d.fix(problem(d.root))
        assert d.after() == {"area.py": other}, "one word in the place of another"
    async with desk(tmp_path / "2", "Nothing to do.", scorer=Believer(AREA.format("(3)"))) as d:
        await d.fix(problem(d.root))
        assert d.after() == {}
        assert len(d.model.requests) == 1


async def test_a_small_model_rewrites_until_the_tool_is_silent(tmp_path: Path) -> None:
    turns = [f"```python\n{AREA.format('wide')}```", f"```python\n{WRONG[:-1]}  # noqa\n```", f"```python\n{GOOD}```"]
    async with desk(tmp_path, *turns, loop="guided") as d:
        await d.fix(problem(d.root))
        assert d.after() == {"area.py": GOOD}
        assert len(d.model.requests) == 3


async def test_a_repair_that_breaks_a_test_is_none(tmp_path: Path) -> None:
    wrong = "def area(width, height):\n    unused = 1\n    return width * height\n"
    worse = "def area(width, height):\n    unused = 1\n    return unused * height\n"
    check = f"{sys.executable} -m unittest"
    async with desk(
        tmp_path,
        f"```python\n{worse}```",
        f"```python\n{wrong.replace('    unused = 1' + chr(10), '')}```",
        loop="guided",
        files={"area.py": wrong, "test_area.py": TEST},
        check=check,
    ) as d:
        await d.fix(problem(d.root, "Local variable `unused` is assigned to but never used", code="F841"))
        assert d.after() == {"area.py": wrong.replace("    unused = 1\n", "")}
        assert f"`{check}` passes" in d.said()


async def test_a_failing_test_is_mended_without_the_model_elsewhere(tmp_path: Path) -> None:
    wrong = GOOD.replace("*", "+")
    files = {"area.py": wrong, "test_area.py": TEST}
    async with desk(tmp_path, scorer=Believer(GOOD), files=files, check=f"{sys.executable} -m unittest") as d:
        await d.fix()
        assert d.after() == {"area.py": GOOD}
        assert d.model.requests == []
        assert d.said().startswith("Mended area.py")


async def test_a_test_that_fails_elsewhere_is_not_what_was_pointed_at(tmp_path: Path) -> None:
    files = {
        "area.py": GOOD.replace("*", "+"),
        "test_area.py": TEST,
        "other.py": "def first(rows):\n    return rows[0]\n",
    }
    scorer = Believer(GOOD)
    async with desk(tmp_path, "Nothing to do.", scorer=scorer, files=files, check=f"{sys.executable} -m unittest") as d:
        await d.fix(problem(d.root, "Missing docstring", source="nobody", code="", name="other.py"))
        assert d.after() == {}
        assert scorer.asked == 0
        assert len(d.model.requests) == 1


async def test_only_a_fix_is_tried_first(tmp_path: Path) -> None:
    scorer = Believer(GOOD)
    async with desk(tmp_path, "Here you are.", scorer=scorer) as d:
        started = await d.agent.start(StartRequest("Explain area", path=d.root / "area.py", intent="explain"))
        await d.agent.wait(started.task)
        assert scorer.asked == 0
