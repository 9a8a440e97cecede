"""edit(path, old, new): replace one exact piece of a file, or change nothing and say where the nearest text is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from kaaj_agent import matching
from kaaj_agent.ports import ToolSpec
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal, schema


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    path = await bench.path(arguments["path"], "write")
    name = bench.name(path)
    document = await bench.staging.read(path)
    # In a thread: a piece that is not there is looked for in every relaxed way, which may take a moment.
    outcome = await asyncio.to_thread(matching.edit, document.text, arguments["old"], arguments["new"])
    if not isinstance(outcome, matching.Edited):
        return refusal(matching.explain(outcome, name))
    before = bench.hunks(path)
    await bench.staging.put(path, outcome.text)
    place = outcome.match
    how = "" if place.how == "exact" else f" (matched apart from {place.how})"
    note = bench.refused_note(path, before)
    return ToolResult(f"Staged: {name} line {place.line}{how}.{note}", f"line {place.line}{how}")


TOOL: Final = Tool(
    ToolSpec(
        "edit",
        "Replace `old`, which must occur exactly once in the file, by `new`.",
        schema({"path": {"type": "string"}, "old": {"type": "string"}, "new": {"type": "string"}}),
    ),
    lambda a: f"Edit {a.get('path', '')}",
    run,
    stages=True,
)
