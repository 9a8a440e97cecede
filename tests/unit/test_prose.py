"""Pieces of prose: none is lost, none is late, and there are few of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent import events as ev
from kaaj_agent.ports import Reply, Restart, StreamItem, TextDelta, Usage
from kaaj_agent.prose import Prose
from kaaj_agent.redaction import MARK, Redactor
from kaaj_agent.testing_desk import assert_whole, desk

FOREVER = 3_600.0
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b64line4716\n" * 5 + "-----END OPENSSH PRIVATE KEY-----"


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


@pytest.mark.parametrize("seed", range(60))
async def test_a_secret_that_comes_in_pieces_is_seen_whole(seed: int) -> None:
    redactor, got = Redactor(), list[str]()
    redactor.learn("endpoint-key/4711+x")
    forms = ("sk-proj-0123456789abcdefghij", "ghp_" + "a1B2c3D4e5F6" * 3, "AKIA0123456789ABCDEF", PEM)
    said = "The keys: " + ", or - so they say -\n".join(("endpoint-key/4711+x", *forms)) + "; that is all."
    prose = Prose(lambda text: got.append(redactor.text(text)), 0.0, redactor.unfinished)
    source, at = random.Random(seed), 0  # noqa: S311 - no secret
    while at < len(said):
        size = source.choice((1, 1, 2, 5, 30))
        prose.add(said[at : at + size])
        at += size
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    prose.flush()
    assert len(got) > 5, "it streams"
    assert "".join(got) == redactor.text(said)
    assert "".join(got).count(MARK) >= 5


@given(st.text(max_size=30), st.text(max_size=30))
def test_what_waits_for_the_end_of_a_secret_is_never_more_than_there_is(before: str, after: str) -> None:
    redactor = Redactor()
    redactor.learn("known-value-0815")
    assert 0 <= redactor.unfinished(before) <= len(before)
    cut = len(before + "known-value-") - redactor.unfinished(before + "known-value-")
    assert cut <= len(before)
    assert redactor.unfinished(after + " and so on. ") == 0


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
