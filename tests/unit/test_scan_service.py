"""The embedded model's second service: several lines side by side in one request, and an end when nobody waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.embedded import scan_service
from kaaj_agent.embedded.lowlevel import AbandonedError, TooLongError, UnsupportedError
from kaaj_agent.embedded.scorer import LlamaScorer
from kaaj_agent.failures import ModelError
from kaaj_agent.ports import Alternative
from kaaj_agent.repair.search import Budget, repair
from kaaj_agent.repair.unit import Candidate, Unit, Verdict
from kaaj_agent.testing import ScriptedEndpoint

SECONDS = 10.0


@dataclass
class Engine:
    """In the place of the real one: says `x` and the prefix's last token. Where `hangs` it works until nobody waits."""

    hangs: bool = False
    fails: Exception | None = None
    asked: list[list[list[int]]] = field(default_factory=list[list[list[int]]])
    begun: threading.Event = field(default_factory=threading.Event)
    abandoned: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        if self.fails is not None:
            raise self.fails

    def scan(self, prefix: Sequence[int], tokens: Sequence[int], count: int, gone: Callable[[], bool]) -> list[Any]:
        self._work(gone)
        return [[(token + 1, -0.5, b"a")] * count for token in tokens]

    def lines(self, prefixes: Sequence[Sequence[int]], limit: int, gone: Callable[[], bool]) -> list[bytes]:
        self.asked.append([list(prefix) for prefix in prefixes])
        self._work(gone)
        return [f"x{prefix[-1]}\n".encode() for prefix in prefixes]

    def _work(self, gone: Callable[[], bool]) -> None:
        self.begun.set()
        while self.hangs:
            if gone():
                self.abandoned.set()
                raise AbandonedError
            self.abandoned.wait(0.01)


@asynccontextmanager
async def serving(engine: Engine, *, known: bool = True) -> AsyncGenerator[LlamaScorer]:
    server = scan_service._Server(engine, "right")  # type: ignore[arg-type]  # has what the service uses
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    async with ScriptedEndpoint() as slow:
        scorer = LlamaScorer(slow.base_url, "right" if known else "wrong", f"http://127.0.0.1:{server.server_port}")
        try:
            yield scorer
        finally:
            engine.hangs = False
            await scorer.close()
            await asyncio.to_thread(server.shutdown)
            server.server_close()
            thread.join(SECONDS)


async def test_lines_are_finished_side_by_side_in_one_request() -> None:
    engine = Engine()
    async with serving(engine) as scorer:
        assert await scorer.finish_lines([[1, 2], [1, 3], [1, 4]], 5) == ["x2\n", "x3\n", "x4\n"]
        assert engine.asked == [[[1, 2], [1, 3], [1, 4]]]
        assert scorer.spent().requests == 3, "each line is counted"
        rows = await scorer.scan([1], [7, 8], 2)
        assert [[alternative.token for alternative in row] for row in rows] == [[8, 8], [9, 9]]


@pytest.mark.parametrize("what", ["lines", "scan"])
async def test_the_engine_stops_when_nobody_waits_any_more(what: str) -> None:
    engine = Engine(hangs=True)
    async with serving(engine) as scorer:
        work = scorer.finish_lines([[1, 2]], 5) if what == "lines" else scorer.scan([1], [2], 3)
        task = asyncio.ensure_future(work)
        assert await asyncio.to_thread(engine.begun.wait, SECONDS)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(engine.abandoned.wait, SECONDS)
        engine.hangs = False
        assert await scorer.finish_lines([[1, 5]], 5) == ["x5\n"], "it serves the next one"


async def test_who_has_no_token_is_not_served() -> None:
    engine = Engine()
    async with serving(engine, known=False) as scorer:
        with pytest.raises(ModelError):  # it falls back to the server's own interface, which is not there
            await scorer.finish_lines([[1]], 5)
        assert engine.asked == []


@pytest.mark.parametrize(("error", "stays"), [(UnsupportedError("no"), False), (TooLongError("long"), True)])
async def test_where_the_library_is_of_no_use_it_is_not_asked_again(error: Exception, *, stays: bool) -> None:
    async with serving(Engine(fails=error)) as scorer:
        with pytest.raises(ModelError):
            await scorer.finish_lines([[1]], 5)
        assert bool(scorer.scan_url) is stays


@dataclass
class Slow:
    """A model that prefers another token at once, and takes for ever to write a line."""

    writing: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False

    async def render(self, messages: Any, opening: str) -> list[int]:
        return [0]

    async def tokenize(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    async def text_of(self, tokens: Sequence[int]) -> list[bytes]:
        return [chr(token).encode() for token in tokens]

    async def alternatives(self, prefix: Sequence[int], count: int) -> list[Any]:
        return [Alternative(ord("2"), "2", -0.1), Alternative(ord("3"), "3", -3.0)]

    async def finish_line(self, prefix: Sequence[int], limit: int) -> str:
        self.writing.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return ""

    def spent(self) -> Any:
        raise AssertionError


async def test_what_is_still_written_is_cancelled_once_a_candidate_passes() -> None:
    slow = Slow()

    async def judge(candidate: Candidate) -> Verdict:
        if candidate.changed:
            await slow.writing.wait()
        return Verdict("a = 2" in candidate.text)

    unit = Unit(Path("a.py"), "python", "a = 1\n", 1, 1)
    budget = Budget(rivals_seconds=0.05, rivals_share=0.0, beaten_seconds=0.05)
    async with asyncio.timeout(SECONDS):
        found = await repair(slow, [unit], judge, budget=budget)
    assert found[0].candidate.text == "a = 2\n"
    assert slow.cancelled
