"""Edits are staged while the reply streams, and nothing of a reply that does not hold remains."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaaj_agent import events as ev
from kaaj_agent.changes import Draft
from kaaj_agent.failures import ModelError
from kaaj_agent.ports import CallReady, Reply, Restart, StreamItem, TextDelta, ToolCall, Usage
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls, call
from kaaj_agent.testing_desk import CART, FIX_COUNT, FIX_TOTAL, Desk, assert_legal, assert_whole, desk

TOTAL = ("edit", {"path": "cart.py", "old": "sum(items) - 1", "new": "sum(items)"})
COUNT = ("edit", {"path": "cart.py", "old": "len(items) - 1", "new": "len(items)"})
RUN = call("run", command="true")


def drafts(d: Desk) -> list[int]:
    """How many hunks each draft had that was shown."""
    return [
        len(e.body.change.hunks)
        for e in d.events
        if isinstance(e.body, ev.ChangeChanged) and isinstance(e.body.change.state, Draft)
    ]


def reply(*calls: ToolCall, finish: str = "calls") -> Reply:
    return Reply("", calls, Usage(1, 0, 1, 1), "length" if finish == "length" else "calls")


async def test_the_preview_grows_with_the_reply(tmp_path: Path) -> None:
    seen: list[list[int]] = []
    whole: list[StreamItem] = [CallReady(FIX_TOTAL), TextDelta("a"), CallReady(FIX_COUNT), reply(FIX_TOTAL, FIX_COUNT)]
    async with desk(tmp_path, whole, "Done.") as d:

        def note(event: ev.Event) -> None:
            if isinstance(event.body, ev.ToolStarted):
                seen.append(drafts(d))

        d.agent.subscribe(note)
        await d.run()
        assert seen == [[1, 2], [1, 2]]
        assert drafts(d) == [1, 2]
        assert [m.content for m in d.heard() if m.role == "tool"] == [
            "Staged: cart.py line 2.",
            "Staged: cart.py line 6.",
        ]
        assert_whole(d)


@pytest.mark.parametrize("how", ["length", "other", "fewer", "error", "restart", "none"])
async def test_nothing_of_a_void_reply_stays(tmp_path: Path, how: str) -> None:
    ready: list[StreamItem] = [CallReady(FIX_TOTAL), CallReady(FIX_COUNT)]
    other = call("edit", path="cart.py", old="def count", new="def size")
    ends: dict[str, list[StreamItem]] = {
        "length": [*ready, reply(FIX_TOTAL, FIX_COUNT, finish="length")],
        "other": [*ready, reply(FIX_TOTAL, other)],
        "fewer": [*ready, reply(FIX_TOTAL)],
        "restart": [*ready, Restart(), reply(other)],
        "none": [*ready, Reply("Done.", (), Usage(1, 0, 1, 1))],
    }
    texts = {
        "length": CART,
        "other": CART.replace("sum(items) - 1", "sum(items)").replace("def count", "def size"),
        "fewer": CART.replace("sum(items) - 1", "sum(items)"),
        "restart": CART.replace("def count", "def size"),
        "none": CART,
        "error": CART,
    }

    async with desk(tmp_path, ends.get(how, []), "Done.") as d:
        if how == "error":
            d.model._turns[:] = []

            async def breaks(_: object) -> object:
                for item in ready:
                    yield item
                raise ModelError("gone")

            d.model.stream = breaks  # type: ignore[method-assign,assignment]  # a stream that fails half-way
        await d.run()
        assert 2 in drafts(d)
        changes = d.session().changes
        after = {file.path.name: file.after for change in changes.values() for file in change.files}
        assert after.get("cart.py", CART) == texts[how]
        assert_whole(d)


async def test_a_cancel_in_the_middle_of_a_reply_takes_the_preview_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        reached = asyncio.Event()

        async def hangs(_: object) -> object:
            yield CallReady(FIX_TOTAL)
            reached.set()
            await asyncio.Event().wait()

        d.model.stream = hangs  # type: ignore[method-assign,assignment]  # a stream that hangs
        started = await d.agent.start(StartRequest("Mend it"))
        await reached.wait()
        await d.agent.cancel(started.task)
        assert drafts(d) == [1, 0]
        assert_legal(d.session().messages)


async def test_what_stands_behind_a_command_waits_for_it(tmp_path: Path) -> None:
    whole: list[StreamItem] = [CallReady(RUN), CallReady(FIX_TOTAL), reply(RUN, FIX_TOTAL)]
    async with desk(tmp_path, whole, "Done.", sandbox="off") as d:
        order: list[str] = []
        d.agent.subscribe(lambda e: order.append(type(e.body).__name__))
        d.answers.answers = ["Run it"]
        await d.run()
        assert order.index("ToolFinished") < order.index("ChangeChanged")


async def test_a_limit_in_the_middle_takes_back_what_was_not_reached(tmp_path: Path) -> None:
    """A call that is answered with `nothing of it took effect` had better not be in the proposal."""
    bad = call("edit", path="cart.py", old="nowhere", new="x")
    turns: list[object] = [bad] * 5
    last: list[StreamItem] = [CallReady(bad), CallReady(FIX_TOTAL), reply(bad, FIX_TOTAL)]
    async with desk(tmp_path, *turns, last) as d:
        await d.run()
        assert d.ending().status == "stopped"
        assert "nothing of it took effect" in d.session().messages[-2].content
        assert not [c for c in d.session().changes.values() if not isinstance(c.state, Draft)]


EDITS = (
    FIX_TOTAL,
    FIX_COUNT,
    call("write", path="new.py", content="x = 1\n"),
    call("write", path="new.py", content="y = 2\n"),
    call("edit", path="new.py", old="x = 1", new="x = 3"),
    call("edit", path="cart.py", old="nowhere", new="x"),
    call("read", path="cart.py"),
    call("todo", items=[{"title": "One", "status": "running"}]),
)
CALLS = st.lists(st.sampled_from(EDITS), max_size=4)


@settings(max_examples=25, deadline=None)
@given(
    announced=st.lists(CALLS, min_size=1, max_size=3),
    final=CALLS.filter(bool),
    finish=st.sampled_from(["calls", "length"]),
)
def test_whatever_was_announced_only_the_reply_counts(
    tmp_path_factory: pytest.TempPathFactory,
    announced: Sequence[Sequence[ToolCall]],
    final: Sequence[ToolCall],
    finish: str,
) -> None:
    """The staged files are the same with any announcements and restarts before the reply as with none."""
    items: list[StreamItem] = []
    for part in announced:
        items += [*(CallReady(one) for one in part), Restart()]
    items = [*items[:-1], *((Restart(),) if finish == "length" else ())]
    ends = reply(*final, finish=finish)

    async def staged(turn: list[StreamItem], folder: Path) -> dict[str, str | None]:
        async with desk(folder, turn, "Done.") as d:
            await d.run()
            assert_whole(d)
            assert_legal(d.session().messages)
            last = list(d.session().changes.values())
            return {file.path.name: file.after for file in last[-1].files} if last else {}

    async def both() -> None:
        with_it = await staged([*items, ends], tmp_path_factory.mktemp("a"))
        without = await staged([ends], tmp_path_factory.mktemp("b"))
        assert with_it == without

    asyncio.run(both())


@pytest.mark.parametrize("form", ["native", "xml"])
async def test_through_a_real_endpoint(tmp_path: Path, form: str) -> None:
    """The first call is in the preview before the second has arrived."""
    held = asyncio.Event()
    if form == "native":
        whole = answer_calls(TOTAL, COUNT, chunk=7)
        # the second call begins with its head, behind which the stream is held
        heads = [at for at, event in enumerate(whole.events) if "id" in str(event)]
        cut = [at for at in heads if "'name': 'edit'" in str(whole.events[at])][1]
    else:
        text = "".join(
            f"<tool_call>\n<function={name}>\n"
            + "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in arguments.items())
            + "</function>\n</tool_call>\n"
            for name, arguments in (TOTAL, COUNT)
        )
        whole = answer(text, chunk=5)
        cut = (text.index("</tool_call>") + len("</tool_call>")) // 5 + 2
    events = [*whole.events[:cut], held, *whole.events[cut:]]
    async with ScriptedEndpoint(replace(whole, events=events), answer("Done.")) as endpoint, desk(tmp_path) as d:
        d.agent.model = None
        d.agent.settings = AgentSettings(base_urls=(endpoint.base_url,), model="qwen3-coder", check="none")

        def one_is_shown(_: ev.Event) -> None:
            if drafts(d) == [1]:
                held.set()

        d.agent.subscribe(one_is_shown)
        async with asyncio.timeout(20):
            await d.run()
        assert drafts(d) == [1, 2]
        assert len(d.change().hunks) == 2


async def test_a_connection_that_breaks_behind_a_call_is_asked_again_and_counts_once(tmp_path: Path) -> None:
    whole = answer_calls(TOTAL, COUNT, chunk=7)
    broken = replace(whole, cut_after=len(whole.events) - 3)
    async with ScriptedEndpoint(broken, answer_calls(COUNT), answer("Done.")) as endpoint, desk(tmp_path) as d:
        d.agent.model = None
        d.agent.settings = AgentSettings(base_urls=(endpoint.base_url,), model="qwen3-coder", check="none")
        async with asyncio.timeout(20):
            await d.run()
        assert drafts(d) == [1, 0, 1]
        assert d.change().files[0].after == CART.replace("len(items) - 1", "len(items)")
