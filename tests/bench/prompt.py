"""Tokens of the system text, the tool schemas and a task's first request, by Qwen's own tokenizer and chat template.

    python tests/bench/prompt.py

Needs the embedded model (`kaaj model pull qwen2.5-coder-0.5b`), whose tokenizer is that of the whole family.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from kaaj_agent.agent import Agent
from kaaj_agent.embedded.lease import acquire
from kaaj_agent.embedded.scorer import LlamaScorer
from kaaj_agent.ports import Model
from kaaj_agent.prompt import SYSTEM
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.tools.registry import SPECS
from kaaj_agent.world import Folders, World


def schemas() -> str:
    """The tools as Qwen's chat template writes them into the system turn: one JSON object a line."""
    rows = [
        {"type": "function", "function": {"name": s.name, "description": s.description, "parameters": s.parameters}}
        for s in SPECS
    ]
    return "\n".join(json.dumps(row) for row in rows)


async def first_turn() -> str:
    """The first user turn of a task in a three-file repository, with a file open."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "shop")
        root.mkdir()
        for name in ("cart.py", "prices.py", "test_cart.py"):
            (root / name).write_text("def f():\n    return 1\n")
        world = World(Folders.of(root))
        model = ScriptedModel("Done.")

        async def connect() -> Model:
            return model

        settings = AgentSettings(check="none")
        agent = Agent(world, settings, Answers(), BufferApplier(world), Problems(), Path(folder, "state"), connect)
        started = await agent.start(StartRequest("Add a discount to the cart, with a test.", path=root / "cart.py"))
        await agent.wait(started.task)
        await agent.close()
        return model.requests[0].messages[1].content


async def main() -> None:
    lease = await acquire("qwen2.5-coder-0.5b")
    scorer = LlamaScorer(lease.native_url, lease.api_key)
    try:
        system, tools, turn = [len(await scorer.tokenize(text)) for text in (SYSTEM, schemas(), await first_turn())]
    finally:
        await scorer.close()
        await lease.release()
    print(f"system text        {system:6,} tokens")
    print(f"tool schemas       {tools:6,} tokens")
    print(f"together           {system + tools:6,} tokens (at most 1,500)")
    print(f"first user turn    {turn:6,} tokens")
    print(f"first request      {system + tools + turn:6,} tokens (at most 2,000)")


if __name__ == "__main__":
    asyncio.run(main())
