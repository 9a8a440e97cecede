"""Pieces of prose: none is lost, none is late, and there are few of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kaaj_agent import events as ev
from kaaj_agent.ports import Reply, Restart, StreamItem, TextDelta, Usage
from kaaj_agent.prose import Prose
from kaaj_agent.testing_desk import assert_whole, desk

FOREVER = 3_600.0


async def test_the_first_piece_goes_out_at_once_and_the_rest_in_one() -> None:
    got: list[str] = []
    prose = Prose(got.append, FOREVER)
    for word in ("a", "b", "c"):
        prose.add(word)
    assert got == ["a"]
    prose.flush()
    assert got == ["a", "bc"]
    prose.add("d")
    assert got == ["a", "bc", "d"]
    prose.drop()


async def test_what_waits_goes_out_by_itself_and_a_piece_after_a_pause_at_once() -> None:
    got: list[str] = []
    prose = Prose(got.append, 0.0)
    prose.add("a")
    prose.add("b")
    async with asyncio.timeout(5):
        while len(got) < 2:
            await asyncio.sleep(0)
        for _ in range(3):  # the timer finds nothing to give, and ends
            await asyncio.sleep(0)
    prose.add("c")
    assert got == ["a", "b", "c"]
    prose.drop()


async def test_what_was_dropped_never_comes() -> None:
    got: list[str] = []
    prose = Prose(got.append, 0.0)
    prose.add("a")
    prose.add("b")
    prose.drop()
    for _ in range(3):
        await asyncio.sleep(0)
    assert got == ["a"]


@pytest.mark.parametrize("restarts", [False, True])
async def test_ten_thousand_tokens_are_few_events_and_all_the_text(tmp_path: Path, *, restarts: bool) -> None:
    words = [f"w{n} " for n in range(10_000)]

    async def stream(_: object) -> AsyncIterator[StreamItem]:
        if restarts:
            yield TextDelta("void ")
            yield TextDelta("and void ")
            yield Restart()
        for word in words:
            yield TextDelta(word)
        yield Reply("".join(words), (), Usage(1, 0, 1, 1))

    async with desk(tmp_path, "never asked") as d:
        d.model.stream = stream  # type: ignore[assignment]  # a model that streams word by word
        await d.run()
        told = [event.body for event in d.events if isinstance(event.body, ev.TextAdded)]
        since = max((at for at, body in enumerate(told) if body.reset), default=-1) + 1
        assert "".join(body.text for body in told[since:]) == "".join(words)
        assert told[0].text == ("void " if restarts else "w0 ")
        assert len(told) < 1_000
        assert "and void" not in "".join(body.text for body in told)
        assert_whole(d)
