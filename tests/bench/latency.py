"""How fast Kaaj answers and edits: `kaaj.start`, and from the last token of a call to the staged edit.

    python tests/bench/latency.py [--rounds 200]

In-process, with a scripted model, a file of 10,000 lines and a `Clock` read around each step. Prints p50 and p99.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kaaj_agent import events as ev
from kaaj_agent.agent import Agent
from kaaj_agent.document import Document
from kaaj_agent.ports import Model, Reply, Request, ToolCall, Usage
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel, call
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.world import Folders, World

LINES = 10_000


def big_text() -> str:
    return "".join(f"    value_{n} = compute({n}, offset={n % 7})  # step {n}\n" for n in range(LINES))


def exact(n: int) -> ToolCall:
    line = 37 + n * 31 % (LINES - 100)
    old = f"    value_{line} = compute({line}, offset={line % 7})  # step {line}\n"
    return call("edit", path="big.py", old=old, new=old.replace("compute", "compute_exactly"))


def fuzzy(n: int) -> ToolCall:
    """Matches only with its indentation and trailing blanks forgiven."""
    line = 37 + n * 31 % (LINES - 100)
    rows = [f"value_{m} = compute({m}, offset={m % 7})  # step {m}  \n" for m in (line, line + 1)]
    return call("edit", path="big.py", old="".join(rows), new=rows[0] + "extra = 1\n" + rows[1])


def missing(n: int) -> ToolCall:
    """Matches nowhere: the nearest candidates are looked for."""
    old = f"    value_{n} = calculate({n}, shift={n})  # stage {n}\n    nothing like it\n"
    return call("edit", path="big.py", old=old, new="x\n")


async def edits(folder: Path, make: Callable[[int], ToolCall], rounds: int) -> list[float]:
    """Milliseconds from the moment the reply is given out to `ToolFinished`, a call each."""
    world = World(Folders.of(folder))
    world.put(Document(folder / "big.py", big_text(), 1))
    given = [0.0]
    left = iter(range(rounds))

    def turn(_: Request) -> Reply:
        n = next(left, None)
        given[0] = time.perf_counter()
        return Reply("Done.", (), Usage()) if n is None else Reply("", (make(n),), Usage(), "calls")

    model = ScriptedModel(*[turn] * (rounds + 1))

    async def connect() -> Model:
        return model

    settings = AgentSettings(check="none", max_steps=rounds + 5)
    agent = Agent(world, settings, Answers(), BufferApplier(world), Problems(), folder / "state", connect)
    took: list[float] = []

    def listen(event: ev.Event) -> None:
        if isinstance(event.body, ev.ToolFinished):
            took.append((time.perf_counter() - given[0]) * 1000)

    agent.subscribe(listen)
    started = await agent.start(StartRequest("Edit."))
    await agent.wait(started.task)
    await agent.close()
    return took


async def starts(folder: Path, rounds: int) -> list[float]:
    """Milliseconds that `Agent.start` takes, with the file open."""
    world = World(Folders.of(folder))
    world.put(Document(folder / "big.py", big_text(), 1))
    model = ScriptedModel(last="Done.")

    async def connect() -> Model:
        return model

    settings = AgentSettings(check="none")
    agent = Agent(world, settings, Answers(), BufferApplier(world), Problems(), folder / "state", connect)
    took: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        started = await agent.start(StartRequest("Edit."))
        took.append((time.perf_counter() - began) * 1000)
        await agent.wait(started.task)
    await agent.close()
    return took


def show(name: str, values: list[float], goal: str) -> None:
    p99 = statistics.quantiles(values, n=100)[98]
    print(f"{name:<44} p50 {statistics.median(values):7.2f} ms   p99 {p99:7.2f} ms   (goal: {goal})")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        show("kaaj.start", await starts(folder, rounds), "p99 at most 50 ms")
        show("staged edit, exact, 10,000 lines", await edits(folder, exact, rounds), "p99 at most 10 ms")
        show("staged edit, relaxed, 10,000 lines", await edits(folder, fuzzy, rounds), "p99 at most 100 ms")
        show("refused edit, nearest found, 10,000 lines", await edits(folder, missing, rounds), "p99 at most 100 ms")


if __name__ == "__main__":
    asyncio.run(main())
