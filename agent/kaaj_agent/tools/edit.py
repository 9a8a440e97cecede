"""edit(path, old, new): replace one exact piece of a file, or change nothing and say where the nearest text is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kaaj_agent import matching
from kaaj_agent.ports import ToolSpec
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal, schema


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    path = bench.path(arguments["path"])
    name = bench.name(path)
    old, new = arguments["old"], arguments["new"]
    document = await bench.staging.read(path)
    outcome = matching.locate(document.text, old)
    if not isinstance(outcome, matching.Match):
        return refusal(matching.explain(outcome, name))
    text = matching.replacement(document.text, outcome, old, new)
    if text == document.text:
        return refusal(f"{name}: old and new are the same; nothing changed.")
    await bench.staging.put(path, text)
    how = "" if outcome.how == "exact" else f" (matched apart from {outcome.how})"
    return ToolResult(f"Staged: {name} line {outcome.line}{how}.", f"{name}:{outcome.line}{how}")


TOOL: Final = Tool(
    ToolSpec(
        "edit",
        "Replace `old`, which must occur exactly once in the file, by `new`.",
        schema({"path": {"type": "string"}, "old": {"type": "string"}, "new": {"type": "string"}}),
    ),
    lambda a: f"Edit {a.get('path', '')}",
    run,
)
