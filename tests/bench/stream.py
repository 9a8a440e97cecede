"""From a token of the model to the notification that carries it: how late it is, and how many notifications there are.

    python tests/bench/stream.py [--tokens 10000]

In-process: a model that streams, the agent, the event stream, and the bytes of the message as the writer gets them.
Prints, for each pace, the delay of each token in ms, the notifications and their size.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from kaaj_agent.agent import Agent
from kaaj_agent.ports import Model, Profile, Reply, Request, StreamItem, TextDelta, Usage
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.world import Folders, World
from kaaj_server.convert import Convert
from kaaj_server.lsp.documents import Documents
from kaaj_server.lsp.event_stream import EventStream
from kaaj_server.uris import Places


class Streaming:
    """A model that gives `count` tokens of 20 characters, `pause` seconds apart, and remembers when it gave each."""

    def __init__(self, count: int, pause: float) -> None:
        self.given: list[float] = []
        self._count = count
        self._pause = pause

    async def profile(self) -> Profile:
        return Profile("bench")

    async def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        words = [f"token {n:013d} " for n in range(self._count)]
        for word in words:
            await asyncio.sleep(self._pause)
            self.given.append(time.perf_counter())
            yield TextDelta(word)
        yield Reply("".join(words), (), Usage(1, 0, self._count, 1))

    async def close(self) -> None:
        """Nothing is open."""


async def run(folder: Path, count: int, pause: float) -> tuple[list[float], int, int, float]:
    """Each token's delay in ms, the notifications, their bytes, and the seconds that it all took."""
    world = World(Folders.of(folder))
    model = Streaming(count, pause)

    async def connect() -> Model:
        return model

    agent = Agent(
        world, AgentSettings(check="none"), Answers(), BufferApplier(world), Problems(), folder / "state", connect
    )
    places = Places()
    late: list[float] = []
    sent = size = 0

    def tell(method: str, params: Any) -> None:
        nonlocal sent, size
        size += len(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))
        if params["type"] == "text":
            sent += 1
            now = time.perf_counter()
            tokens = len(params["text"]) // 20
            late.extend((now - at) * 1000 for at in model.given[len(late) : len(late) + tokens])

    stream = EventStream(Convert(places, Documents(places.locate, world.put, world.drop)), tell)
    agent.subscribe(stream.heard)
    began = time.perf_counter()
    started = await agent.start(StartRequest("Stream."))
    await agent.wait(started.task)
    took = time.perf_counter() - began
    await agent.close()
    return late, sent, size, took


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=10_000)
    tokens = parser.parse_args().tokens
    for name, count, pause in (
        ("as fast as it goes", tokens, 0.0),
        ("1,000 tokens/s", tokens // 5, 0.001),
        ("50 tokens/s", tokens // 100, 0.02),
    ):
        with tempfile.TemporaryDirectory() as folder:
            late, sent, size, took = await run(Path(folder).resolve(), count, pause)
        p95 = statistics.quantiles(late, n=20)[18]
        print(
            f"{name:<20} {count:6} tokens in {took:5.2f} s: {sent:5} notifications, {size / 1024:7.1f} KB; delay "
            f"first {late[0]:.2f}, p50 {statistics.median(late):.2f}, p95 {p95:.2f}, most {max(late):.2f} ms"
        )


if __name__ == "__main__":
    asyncio.run(main())
