"""explore(question): a question about the code, looked into in a context of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kaaj_agent.ports import ToolSpec
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal, schema


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    question: str = arguments["question"]
    if bench.explore is None or not question.strip():
        return refusal("There is no question; nothing was looked into.")
    return await bench.explore(question)


TOOL: Final = Tool(
    ToolSpec(
        "explore",
        "Have a wide question about the code looked into apart from this conversation; you get a short answer with "
        "path:line.",
        schema({"question": {"type": "string"}}),
    ),
    lambda a: f"Explore: {' '.join(str(a.get('question', '')).split())[:80]}",
    run,
    reads=True,
)
