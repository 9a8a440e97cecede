"""search(pattern, path?): lines that match, in buffers, staged texts and files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kaaj_agent.ports import ToolSpec
from kaaj_agent.search import search
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, schema


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    path = await bench.path(arguments["path"]) if arguments.get("path") else None
    found = await search(bench.staging, bench.ignore, arguments["pattern"], path)
    count = len(found.hits)
    files = len({hit.path for hit in found.hits})
    matches = f"{count}{'+' if found.cut else ''} match{'es' * (count != 1)}"
    summary = f"{matches} in {files} file{'s' * (files != 1)}" if count else "no matches"
    return ToolResult(found.text(bench.staging.folders), summary)


TOOL: Final = Tool(
    ToolSpec(
        "search",
        "Search file contents by regular expression.",
        schema({"pattern": {"type": "string"}}, {"path": {"type": "string"}}),
    ),
    lambda a: f"Search `{str(a.get('pattern', ''))[:60]}`" + (f" in {a['path']}" if a.get("path") else ""),
    run,
    reads=True,
)
