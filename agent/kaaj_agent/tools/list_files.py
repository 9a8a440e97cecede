"""list(path?): a folder's tree, what is ignored left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kaaj_agent.listing import list_files
from kaaj_agent.ports import ToolSpec
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, schema


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    asked = arguments.get("path")
    path = await bench.path(asked) if asked and asked not in (".", "./", "/") else None
    listing = await list_files(bench.staging, bench.ignore, path)
    cut = "+" if listing.cut else ""
    return ToolResult(listing.text, f"{listing.entries}{cut} entries")


TOOL: Final = Tool(
    ToolSpec("list", "List a folder's files as a tree.", schema({}, {"path": {"type": "string"}})),
    lambda a: f"List {a.get('path') or '.'}",
    run,
    reads=True,
)
