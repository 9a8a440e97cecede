"""write(path, content): a whole file, new or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kaaj_agent.document import newline_of
from kaaj_agent.ports import ToolSpec
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal, schema


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    path = await bench.path(arguments["path"], "write")
    name = bench.name(path)
    content: str = arguments["content"]
    before = await bench.staging.find(path)
    if before is not None:
        if before.text and not content.strip():
            return refusal(f"{name} has content; to empty or delete it, run `rm` on it. Nothing changed.")
        newline = newline_of(before.text)
        if newline != "\n" and newline not in content:
            content = content.replace("\n", newline)
        if content == before.text:
            return refusal(f"{name} already has exactly this content; nothing changed.")
    hunks = bench.hunks(path)
    await bench.staging.put(path, content)
    verb = "rewritten" if before else "created"
    count = content.count("\n") + (not content.endswith("\n"))
    note = bench.refused_note(path, hunks)
    what = f"{verb}, {count} {'line' if count == 1 else 'lines'}"
    return ToolResult(f"Staged: {name} {what}.{note}", what)


TOOL: Final = Tool(
    ToolSpec(
        "write",
        "Create a file, or replace all of it.",
        schema({"path": {"type": "string"}, "content": {"type": "string"}}),
    ),
    lambda a: f"Write {a.get('path', '')}",
    run,
    stages=True,
)
