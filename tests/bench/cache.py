"""How much of the prompt the embedded server takes from its cache over a task of 40 turns in the agentic loop.

    python -m tests.bench.cache [--model qwen2.5-coder-0.5b] [--turns 40]

Each turn's prompt is the session's own, sent to the embedded server for a few tokens; what the model would do is
scripted, so that the task always has the same turns. Reusable is what the server has seen before: the whole prompt of
the turn before. Exits 1 where less than 98% of it came from the cache.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from kaaj_agent.agent import Agent
from kaaj_agent.connect import connect
from kaaj_agent.ports import Model, Profile, Reply, Request, StreamItem, Usage
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel, call
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.world import Folders, World

GOAL: Final = 0.98
CART = "def total(items):\n    return sum(items) - 1\n\n\ndef count(items):\n    return len(items)\n"


@dataclass
class Substituted:
    """The real endpoint reads every prompt; the script says what came back."""

    real: Model
    script: ScriptedModel
    turns: list[Usage] = field(default_factory=list[Usage])

    async def profile(self) -> Profile:
        return replace(await self.real.profile(), loop="agentic")

    async def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        async for item in self.real.stream(replace(request, max_tokens=2)):
            if isinstance(item, Reply):
                self.turns.append(item.usage)
        async for item in self.script.stream(request):
            yield item

    async def close(self) -> None:
        await self.real.close()


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--turns", type=int, default=40)
    options = parser.parse_args()
    model_name: str = options.model
    script = ScriptedModel(
        call("todo", items=[{"title": "Mend total", "status": "running"}]),
        call("read", path="cart.py"),
        *(call("read", path="stock.py", start=at, end=at + 1) for at in range(1, 2 * options.turns - 9, 2)),
        call("edit", path="cart.py", old="sum(items) - 1", new="sum(items)"),
        call("todo", items=[{"title": "Mend total", "status": "done"}]),
        "The sum was one too low.",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        root = folder / "shop"
        root.mkdir()
        (root / "cart.py").write_text(CART)
        (root / "stock.py").write_text("".join(f"ITEM_{at} = {at * 7}\n" for at in range(2 * options.turns)))
        connection = await connect(AgentSettings(model=model_name), folder / "state")
        model = Substituted(connection.model, script)

        async def substituted() -> Model:
            return model

        world = World(Folders.of(root))
        settings = AgentSettings(check="none", loop="agentic")
        agent = Agent(world, settings, Answers(), BufferApplier(world), Problems(), folder / "state", substituted)
        started = await agent.start(StartRequest("total() is one too low. Mend it.", path=root / "cart.py"))
        await agent.wait(started.task)
        await agent.close()
    print(f"{'turn':>4} {'prompt':>8} {'reusable':>9} {'cached':>8} {'share':>7}")
    reusable = cached = 0
    for number, (before, turn) in enumerate(zip([Usage(), *model.turns], model.turns, strict=False), 1):
        share = f"{turn.cached / before.prompt:7.1%}" if before.prompt else f"{'-':>7}"
        print(f"{number:>4} {turn.prompt:>8} {before.prompt:>9} {turn.cached:>8} {share}")
        if number > 1:
            reusable += before.prompt
            cached += min(turn.cached, before.prompt)
    share_of_all = cached / max(reusable, 1)
    print(f"{len(model.turns)} turns; from the cache: {share_of_all:.2%} of what could be reused (at least {GOAL:.0%})")
    return int(share_of_all < GOAL or len(model.turns) < options.turns)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
