"""Compaction: what counts outlives it word for word, the prompt is stable before and after it, and so is its log."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from kaaj_agent import events as ev
from kaaj_agent.cutting import around, clip
from kaaj_agent.failures import ContextTooLongError, ModelError
from kaaj_agent.model.errors import window_in
from kaaj_agent.ports import Message, NewPrefix, Profile, Reply, Request, ToolCall, Usage
from kaaj_agent.request import StartRequest
from kaaj_agent.session_log import replay
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls, answer_error, call
from kaaj_agent.testing_desk import FIX_COUNT, FIX_TOTAL, NEXT, PLAN, SECONDS, assert_legal, assert_whole, desk

WINDOW = 12_000
NOTES = "The culprit is line 2; NEEDLE-NOTES."
SMALL = Profile(model="scripted", window=WINDOW, max_tokens=1_000)
BIG = "x = 'some words of a long file that fill the window'\n" * 120


def honest(request: Request, *calls: ToolCall, text: str = "", finish: str = "") -> Reply:
    """A reply with the usage that a server would count, at 3.2 characters a token."""
    size = sum(len(m.content) + sum(len(str(dict(c.arguments))) for c in m.calls) for m in request.messages)
    usage = Usage(int(size / 3.2) + 900, 0, 20, 1)
    if finish == "length":
        return Reply(text, calls, usage, "length")
    return Reply(text, calls, usage, "calls" if calls else "stop")


class Player:
    """A model that plays calls, counts tokens honestly, and writes its notes when it is asked to."""

    def __init__(self, *turns: object, notes: object = NOTES) -> None:
        self.turns = list(turns)
        self.notes = notes
        self.asked_for_notes = 0

    def __call__(self, request: Request) -> object:
        if "will be condensed now" in request.messages[-1].content:
            self.asked_for_notes += 1
            if isinstance(self.notes, BaseException):
                return self.notes
            if isinstance(self.notes, ToolCall):
                return honest(request, self.notes)
            return honest(request, text=str(self.notes))
        turn = self.turns.pop(0)
        if isinstance(turn, BaseException):
            return turn
        if callable(turn):
            turn = turn(request)
        if isinstance(turn, ToolCall):
            return honest(request, replace(turn, id=f"{turn.id}-{len(self.turns)}"))
        return honest(request, text=str(turn))


def reads(count: int) -> list[ToolCall]:
    return [call("read", path=f"big{at}.py") for at in range(count)]


def prepare(root: Path, count: int = 8) -> None:
    for at in range(count):
        (root / f"big{at}.py").write_text(BIG.replace("some", f"some{at}"))


def prefixes(requests: Sequence[Request]) -> int:
    """How often the prompt began anew; in between it only grew."""
    restarts = 0
    own = [r for r in requests if "will be condensed now" not in r.messages[-1].content]
    for shorter, longer in pairwise(own):
        assert longer.tools == shorter.tools
        assert longer.messages[0] == shorter.messages[0]
        if tuple(longer.messages)[: len(shorter.messages)] != tuple(shorter.messages):
            restarts += 1
            assert len(longer.messages) < len(shorter.messages)
    return restarts


async def test_needles_outlive_a_compaction(tmp_path: Path) -> None:
    """Requests, refusals with their reason, answers, the list, staged edits: all in the prompt after it."""
    more = "Do not touch NEEDLE-REQUEST, and mend the count.\nÄ long request stays as it was."
    player = Player(PLAN, FIX_TOTAL, "Mended.", PLAN, FIX_COUNT, NEXT, *reads(4), "Done.")
    async with desk(tmp_path, *[player] * 30, profile=SMALL) as d:
        prepare(d.root)
        (d.root / "AGENTS.md").write_text("Always NEEDLE-RULE.\n")
        await d.run("First: NEEDLE-FIRST.")
        await d.agent.reject(d.change().id, d.change().digest, reason="NEEDLE-REASON")
        await d.run(more, session=d.session().id)
        assert player.asked_for_notes == 1
        assert prefixes(d.model.requests) == 1
        after = d.heard()
        assert_legal([*after, Message("assistant", "x")] if after[-1].role != "assistant" else after)
        turn = after[1].content
        for needle in (
            "NEEDLE-FIRST",
            more,
            "NEEDLE-REASON",
            "NEEDLE-RULE",
            "NEEDLE-NOTES",
            "-    return len(items) - 1",
            "+    return len(items)",
            "-    return sum(items) - 1",
            "[>] Mend count",
            "Read big0.py",
        ):
            assert needle in turn, needle
        assert any(isinstance(e.body, ev.Noticed) and "condensed" in e.body.text for e in d.events)
        assert_whole(d)


async def test_the_persons_words_are_kept_where_what_came_along_is_cut(tmp_path: Path) -> None:
    words = "Mend it: " + " ".join(f"point {at}" for at in range(250))
    player = Player(FIX_TOTAL, *reads(4), "Done.")
    async with desk(tmp_path, *[player] * 20, profile=SMALL) as d:
        prepare(d.root)
        (d.root / "AGENTS.md").write_text("A rule of many.\n" * 450)
        await d.run(words)
        assert prefixes(d.model.requests) >= 1
        assert words in d.heard()[1].content


CONDENSED = """\
[The conversation was condensed, because it outgrew your context. What counts of it stands here; what was read before \
is no longer in view and can be read again.]

Earlier requests of the user, in order:
1. Mend the sum.

What the user decided:
- Applied: Mended. (cart.py)

The request that you are working on:
[Your last change was applied.]

Now the count.

[Date: TODAY; Workspace: shop; Open: cart.py]

What you noted:
The culprit is line 2; NEEDLE-NOTES.

Looked at before:
- Read big0.py
- Read big1.py
- Read big2.py

The to-do list:
[>] Mend total
[ ] Mend count

Staged so far:
--- a/cart.py
+++ b/cart.py
@@ -5,2 +5,2 @@
 def count(items):
-    return len(items) - 1
+    return len(items)"""


async def test_how_the_condensed_turn_reads(tmp_path: Path) -> None:
    player = Player(FIX_TOTAL, "Mended.", PLAN, FIX_COUNT, *reads(4), "Done.")
    async with desk(tmp_path, *[player] * 20, profile=SMALL) as d:
        prepare(d.root)
        await d.run("Mend the sum.")
        await d.agent.accept(d.change().id, d.change().digest)
        await d.run("Now the count.", session=d.session().id)
        told = re.sub(r"Date: [\d-]+", "Date: TODAY", d.heard()[1].content)
        assert told == CONDENSED


async def test_the_failing_output_outlives_a_compaction(tmp_path: Path) -> None:
    player = Player(FIX_TOTAL, "Mended.", *reads(4), *["I give up."] * 4)
    check = "echo NEEDLE-OUTPUT; exit 1"
    async with desk(tmp_path, *[player] * 20, profile=SMALL, check=check, sandbox="off") as d:
        prepare(d.root)
        await d.run()
        turns = [r.messages[1].content for r in d.model.requests if "was condensed" in r.messages[1].content]
        assert turns
        assert "NEEDLE-OUTPUT" in turns[0]


async def test_a_restored_session_goes_on_with_the_condensed_prompt(tmp_path: Path) -> None:
    player = Player(FIX_TOTAL, *reads(4), "Done.")
    async with desk(tmp_path, *[player] * 20, profile=SMALL) as d:
        prepare(d.root)
        await d.run("NEEDLE")
        kept = list(d.session().messages)
        path = d.session().log.path
        assert sum(isinstance(record, NewPrefix) for record in replay(path)) == 1
    again = Player("Went on.")
    async with desk(tmp_path, again) as d:
        await d.agent.restore()
        session = d.session()
        assert session.messages == kept
        assert session.findings == NOTES
        await d.run("Go on", session=session.id)
        assert tuple(d.heard()[: len(kept)]) == tuple(kept)


async def test_forty_turns_in_a_small_window(tmp_path: Path) -> None:
    """Every prompt fits, and only a compaction ever changes a byte of it."""
    turns = [call("read", path=f"big{at % 8}.py", start=1 + at, end=120 + at) for at in range(38)]
    player = Player(FIX_TOTAL, *turns, "Done.")
    async with desk(tmp_path, *[player] * 80, profile=SMALL) as d:
        prepare(d.root)
        await d.run("NEEDLE")
        assert d.change().files
        restarts = prefixes(d.model.requests)
        assert 2 <= restarts <= 12
        for request in d.model.requests:
            assert honest(request).usage.prompt < WINDOW
        assert "NEEDLE" in d.heard()[1].content
        assert d.heard()[1].content.count("+    return sum(items)") == 1


@pytest.mark.parametrize(
    "notes", [ModelError("gone"), call("read", path="cart.py"), ""], ids=["error", "call", "empty"]
)
async def test_without_the_models_notes_an_outline_stands_in(tmp_path: Path, notes: object) -> None:
    def says(request: Request) -> object:
        return Reply("I see: NEEDLE-SAID.", (call("read", path="big0.py"),), honest(request).usage, "calls")

    player = Player(FIX_TOTAL, call("list"), *reads(4), "Done.", notes=notes)
    async with desk(tmp_path, says, *[player] * 20, profile=SMALL) as d:
        prepare(d.root)
        await d.run()
        assert prefixes(d.model.requests) >= 1
        assert "NEEDLE-SAID" in d.heard()[1].content
        assert any(isinstance(e.body, ev.Noticed) and "outline" in e.body.text for e in d.events)


async def test_an_endpoint_that_refuses_the_length_is_asked_again_with_less(tmp_path: Path) -> None:
    """The window that was believed was too large: the endpoint's own word counts from then on."""
    refuses = ContextTooLongError("too long", window=9_000)
    player = Player(FIX_TOTAL, *reads(3), refuses, "Done.")
    async with desk(tmp_path, *[player] * 20) as d:
        prepare(d.root)
        await d.run("NEEDLE")
        assert d.change().files
        assert prefixes(d.model.requests) == 1
        assert any(isinstance(e.body, ev.UsageAdded) and e.body.window == 9_000 for e in d.events)


async def test_over_the_wire(tmp_path: Path) -> None:
    """A real endpoint refuses the length: what is asked from then on fits, the room for the reply included."""
    said = "This model's maximum context length is 9000 tokens. However, you requested 20000 tokens"
    names = [("read", {"path": f"big{at}.py"}) for at in range(4)]
    turns = [*(answer_calls(name) for name in names), answer_error(400, said), answer(NOTES), answer("Done.")]
    async with ScriptedEndpoint(*turns) as endpoint, desk(tmp_path) as d:
        d.agent.model = None
        d.agent.settings = AgentSettings(base_urls=(endpoint.base_url,), model="qwen3-coder", check="none")
        prepare(d.root)
        await d.run("NEEDLE")
        assert d.ending().summary == "Done."
        refused, notes, last = endpoint.prompts[-3:]
        assert len(json.dumps(notes["messages"])) < len(json.dumps(refused["messages"]))
        assert "will be condensed now" in notes["messages"][-1]["content"]
        assert notes["tools"] == last["tools"] == refused["tools"]
        assert (refused["max_tokens"], notes["max_tokens"], last["max_tokens"]) == (8_192, 1_024, 2_250)
        assert last["messages"][0] == refused["messages"][0]
        assert "NEEDLE-NOTES" in last["messages"][1]["content"]


async def test_a_window_that_turned_out_smaller_is_remembered(tmp_path: Path) -> None:
    refuses = ContextTooLongError("too long", window=9_000)
    player = Player(FIX_TOTAL, *reads(3), refuses, "Done.", *reads(4), "Done.")
    async with desk(tmp_path, *[player] * 30) as d:
        prepare(d.root)
        await d.run()
        await d.run("And now?", session=d.session().id)
        assert prefixes(d.model.requests) >= 2
        assert all(honest(request).usage.prompt < 9_000 for request in d.model.requests[7:])


async def test_results_that_are_too_much_at_once_are_cut_and_the_work_goes_on(tmp_path: Path) -> None:
    at_once = [call("read", path=f"big{at}.py") for at in range(8)]
    async with desk(tmp_path, at_once, "Done.", profile=SMALL) as d:
        prepare(d.root)
        await d.run("NEEDLE")
        assert d.ending().summary == "Done."
        results = [m.content for m in d.heard() if m.role == "tool"]
        assert len(results) == 8
        assert all("cut here" in text and "big" in text for text in results)
        assert honest(d.model.requests[-1]).usage.prompt < WINDOW
        assert "NEEDLE" in d.heard()[1].content
        assert_legal(d.heard())


async def test_a_cancel_while_notes_are_taken_leaves_the_prompt_as_it_was(tmp_path: Path) -> None:
    reached = asyncio.Event()

    class Hangs(Player):
        def __call__(self, request: Request) -> object:
            if "will be condensed now" in request.messages[-1].content:
                return self.wait()
            return super().__call__(request)

        async def wait(self) -> None:
            reached.set()
            await asyncio.Event().wait()

    async with desk(tmp_path, *[Hangs(*reads(4), "Done.")] * 9, profile=SMALL) as d:
        prepare(d.root)
        started = await d.agent.start(StartRequest("NEEDLE"))
        async with asyncio.timeout(SECONDS):
            await reached.wait()
            await d.agent.cancel(started.task)
        assert d.ending().status == "cancelled"
        assert len([m for m in d.session().messages if m.role == "tool"]) >= 3
        assert_legal(d.session().messages)
        assert_whole(d)


async def test_a_prompt_that_cannot_be_shortened_fails_with_the_endpoints_words(tmp_path: Path) -> None:
    async with desk(tmp_path, ContextTooLongError("The prompt does not fit.")) as d:
        await d.run("x" * 5_000)
        assert d.ending().status == "failed"
        assert "does not fit" in d.ending().summary


async def test_what_is_out_of_view_is_read_anew(tmp_path: Path) -> None:
    again = call("read", path="big0.py")
    player = Player(*reads(4), again, "Done.")
    async with desk(tmp_path, *[player] * 20, profile=SMALL) as d:
        prepare(d.root)
        await d.run()
        assert prefixes(d.model.requests) >= 1
        assert "some0 words" in d.heard()[-1].content


async def test_the_newest_results_stay_whole(tmp_path: Path) -> None:
    marks: list[str] = []

    def mark(request: Request) -> str:
        marks.append(request.messages[-1].content)
        return "Done."

    player = Player(*reads(3), call("read", path="cart.py"), mark)
    async with desk(tmp_path, *[player] * 20, profile=replace(SMALL, window=9_500)) as d:
        prepare(d.root)
        await d.run()
        assert prefixes(d.model.requests) >= 1
        assert "return sum(items) - 1" in marks[0]


async def test_a_commands_output_is_read_again_by_its_name(tmp_path: Path) -> None:
    noisy = call(
        "run", command="i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo oh: error 7; exit 3"
    )
    read = call("read", path="output:1", start=1500, end=1501)
    async with desk(tmp_path, noisy, read, call("read", path="output:2"), "Done.", sandbox="off") as d:
        d.answers.answers = ["Run it"]
        await d.run()
        first, second, third = [m.content for m in d.session().messages if m.role == "tool"]
        assert first.startswith("exit code 3 after")
        assert "(output:1)" in first
        assert len(first) < 20_000
        assert "cut here" in first
        assert second == "output:1 lines 1500-1501 of 3001:\n1500\tline 1499\n1501\tline 1500"
        assert "no output:2" in third
        folder = d.session().log.outputs
        assert [path.name for path in folder.iterdir()] == ["1.txt"]
        assert folder.stat().st_mode & 0o077 == 0
        await d.agent.forget(d.session().id)
        assert not folder.exists()


def test_output_is_cut_around_what_went_wrong() -> None:
    rows = [f"line {at}" for at in range(5_000)]
    rows[2_500] = "E   AssertionError: 3 != 4"
    rows[3_000] = "src/a.c:12:4: error: oops"
    text = around("\n".join(rows), 4_000, "output:1")
    assert len(text) < 4_400
    for kept in ("line 0\n", "line 4999", "E   AssertionError: 3 != 4", "line 2499", "line 2501", "src/a.c:12:4"):
        assert kept in text
    cuts = [row for row in text.split("\n") if row.startswith("[...")]
    assert len(cuts) == 3
    assert "output:1" in cuts[0]
    counted = sum(int(row.split()[1].replace(",", "")) for row in cuts)
    assert counted + len(text.split("\n")) - len(cuts) == 5_000
    assert len(around("y" * 900_000, 4_000)) < 4_400
    assert clip("short", 100) == "short"
    assert "characters cut here" in clip("z" * 1_000, 100)


@pytest.mark.parametrize(
    ("said", "window"),
    [
        ("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens", 8_192),
        ("request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it", 4_096),
        ("the prompt is too long", 0),
        ("Range of input length should be [1, 129024]", 0),
    ],
)
def test_the_window_in_an_endpoints_words(said: str, window: int) -> None:
    assert window_in(said) == window
