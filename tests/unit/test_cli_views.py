"""What the command line draws: the plan, the change, the questions."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from kaaj_agent import hunks as hunk_math
from kaaj_protocol import events as ev
from kaaj_protocol.shapes import Change, Check, FileChange, Hunk, TodoItem, TodoStatus, Usage
from kaaj_protocol.wire import Position, Range
from kaaj_server.cli.asking import Asker, read_line
from kaaj_server.cli.changeview import ChangeView, after_text, command_name
from kaaj_server.cli.demo_tests import read_tests
from kaaj_server.cli.view import TaskView, seconds


def plain_console(encoding: str = "utf-8") -> tuple[Console, io.BytesIO]:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    return Console(file=stream, highlight=False, soft_wrap=True, width=80, _environ={}), raw


def terminal_console() -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, force_terminal=True, width=80, height=24, _environ={"TERM": "xterm"}), stream


def todo(seq: int, *statuses: TodoStatus) -> ev.Todo:
    items = [TodoItem(id=f"t{n}", title=f"step {n}", status=s, by="model") for n, s in enumerate(statuses)]
    return ev.Todo(session="s", seq=seq, time=0.0, task="t", items=items, by="model")


def wire_hunks(base: str, text: str) -> list[Hunk]:
    rows: list[Hunk] = []
    for hunk in hunk_math.diff("a.py", base, text):
        first = hunk.line - 1
        place = Range(start=Position(line=first, character=0), end=Position(line=first, character=0))
        rows.append(Hunk(id=hunk.id, range=place, old=hunk.old, new=hunk.new))
    return rows


def change_of(base: str, text: str, check: Check | None = None) -> Change:
    file = FileChange(uri="file:///p/a.py", kind="edit", hunks=wire_hunks(base, text))
    return Change(id="c", task="t", digest="d", state="proposed", summary="", files=[file], check=check)


def check_of(status: Literal["passed", "failed", "none"], *, parsed: bool = True) -> Check:
    return Check(status=status, command="/v/python -m x", output="", seconds=1, parsed=parsed, sandboxed=True)


def test_without_a_terminal_each_step_is_told_once() -> None:
    console, raw = plain_console()
    view = TaskView(console)
    view.resume()
    view.show(todo(1, "running", "pending"))
    view.show(todo(2, "running", "pending"))
    view.show(todo(3, "done", "running"))
    view.show(todo(4, "done", "failed"))
    view.close()
    text = raw.getvalue().decode()
    assert text.splitlines() == ["Plan", "  ▸ step 0", "  ○ step 1", "  ✓ step 0", "  ✗ step 1"]
    assert "\x1b" not in text


def test_a_stream_that_is_not_unicode_gets_ascii() -> None:
    console, raw = plain_console("ascii")
    view = TaskView(console)
    view.show(todo(1, "done", "failed", "skipped", "pending", "running"))
    view.notice("warning", "mind this")
    assert raw.getvalue().decode("ascii").splitlines()[1:] == [
        "  + step 0",
        "  x step 1",
        "  - step 2",
        "  o step 3",
        "  > step 4",
        "  ! mind this",
    ]


def test_prose_is_told_as_one_paragraph_and_forgets_what_was_cut() -> None:
    console, raw = plain_console()
    view = TaskView(console)
    view.show(ev.Text(session="s", seq=1, time=0.0, task="t", text="Half a "))
    view.show(ev.Text(session="s", seq=2, time=0.0, task="t", text="Whole ", reset=True))
    view.show(ev.Text(session="s", seq=3, time=0.0, task="t", text="thing."))
    view.close()
    assert raw.getvalue().decode().strip() == "Whole thing."


def test_a_tool_line_says_how_it_went_and_how_long() -> None:
    console, raw = plain_console()
    view = TaskView(console)
    view.show(ev.ToolStarted(session="s", seq=1, time=5.0, task="t", call="c", tool="run", title="run pytest"))
    view.show(ev.ToolFinished(session="s", seq=2, time=7.5, task="t", call="c", ok=False, summary="exit 1"))
    assert raw.getvalue().decode().strip() == "! run pytest  exit 1  2.5 s"


def test_on_a_terminal_the_plan_stays_at_the_end() -> None:
    console, stream = terminal_console()
    view = TaskView(console)
    view.resume()
    view.show(todo(1, "running", "pending"))
    view.show(todo(2, "done", "done"))
    view.close()
    view.close()
    assert stream.getvalue().rstrip().splitlines()[-2:][0].find("step 0") > 0


def test_the_cost_counts_all_tokens() -> None:
    console, _ = plain_console()
    ticks = iter([0.0, 65.0])
    view = TaskView(console, clock=lambda: next(ticks))
    usage = Usage(requests=2, prompt_tokens=1000, cached_tokens=900, completion_tokens=234)
    view.show(ev.UsageEvent(session="s", seq=1, time=0.0, task="t", usage=usage))
    assert view.cost() == "1 min 5 s · 1,234 tokens"


@pytest.mark.parametrize(
    ("span", "words"), [(0.04, "0.0 s"), (9.96, "10 s"), (59.6, "1 min 0 s"), (125.0, "2 min 5 s")]
)
def test_spans(span: float, words: str) -> None:
    assert seconds(span) == words


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "d\r", "e\x0cf\n", "\n"]), max_size=8).map("".join)


@given(LINES, LINES, st.sampled_from(["", "tail"]))
def test_a_diff_leads_from_the_old_text_to_the_new_one(base: str, text: str, tail: str) -> None:
    assert after_text(base + tail, wire_hunks(base + tail, text)) == text


def test_without_a_terminal_a_change_is_a_patch(tmp_path: Path) -> None:
    base = "".join(f"line {n}\n" for n in range(20)) + "no end"
    text = base.replace("line 3\n", "LINE 3\n").replace("no end", "no end!")
    console, raw = plain_console()
    change = change_of(base, text)
    ChangeView(console, Path("/p"), lambda _: base).show(change)
    target = tmp_path / "a.py"
    target.write_text(base)
    patch = raw.getvalue().split(b"\n", 1)[1]
    done = subprocess.run(["git", "apply", "-"], input=patch, cwd=tmp_path, capture_output=True, check=False)
    assert done.stderr == b""
    assert target.read_text() == text


def test_on_a_terminal_every_character_of_a_long_line_is_there() -> None:
    console, stream = terminal_console()
    long = "x" * 300
    ChangeView(console, Path("/p"), lambda _: "a\n").show(change_of("a\n", f"{long}\n"))
    assert stream.getvalue().count("x") == 300


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (None, "not checked"),
        (check_of("none"), "not checked"),
        (check_of("none", parsed=False), "does not parse"),
        (check_of("passed"), "✓ python -m x"),
        (check_of("failed"), "python -m x fails"),
    ],
)
def test_the_headline_says_what_the_check_gave(check: Check | None, words: str) -> None:
    console, raw = plain_console()
    ChangeView(console, Path("/p"), lambda _: "a\n").headline(change_of("a\n", "b\n", check))
    assert words in raw.getvalue().decode()


def test_a_command_is_shown_without_its_folder() -> None:
    assert command_name("/usr/bin/python3 -m unittest") == "python3 -m unittest"


class Typing:
    """Someone at the keyboard: a pipe that is read like a terminal."""

    def __init__(self, text: str) -> None:
        reader, writer = os.pipe()
        os.write(writer, text.encode())
        os.close(writer)
        self.stream = os.fdopen(reader, encoding="utf-8")

    def __enter__(self) -> io.TextIOWrapper:
        return self.stream

    def __exit__(self, *_: object) -> None:
        self.stream.close()


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [("y\n", [0, 1]), ("n\n", None), ("what\nYES\n", [0, 1]), ("", None), ("h\ny\nn\n", [0]), ("h\nn\nn\n", None)],
)
async def test_a_decision(typed: str, chosen: list[int] | None) -> None:
    base = "a\nb\nc\nd\n"
    change = change_of(base, "A\nb\nc\nD\n")
    console, _ = plain_console()
    with Typing(typed) as stdin:
        answer = await Asker(console, stdin).decide(change, ChangeView(console, Path("/p"), lambda _: base))
    ids = [hunk.id for hunk in change.files[0].hunks]
    assert answer == (None if chosen is None else [ids[n] for n in chosen])


async def test_a_question_can_be_cancelled() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, encoding="utf-8") as stdin:
        waiting = asyncio.create_task(read_line(stdin))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    os.close(writer)


def test_what_unittest_said() -> None:
    output = (
        "..F\n======\nFAIL: test_b (tests.test_a.A.test_b)\n------\nTraceback (most recent call last):\n"
        '  File "a.py", line 3\nAssertionError: 2500 != 2250\n\n------\nRan 3 tests in 0.001s\n\nFAILED (failures=1)\n'
    )
    tests = read_tests(output, 1)
    assert (tests.passed, tests.where, tests.failure) == (False, "test_b", "AssertionError: 2500 != 2250")
    assert read_tests("...\nRan 3 tests in 0.001s\n\nOK\n", 0).count == "Ran 3 tests, all passed"
    assert not read_tests("", None).ran
