"""read(path, start?, end?): a file's lines, numbered, as buffers and staged edits have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kaaj_agent.document import Lines
from kaaj_agent.ports import ToolSpec
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal, schema

LINES_MAX: Final = 400
CHARACTERS_MAX: Final = 24_000


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    path = bench.path(arguments["path"])
    name = bench.name(path)
    document = await bench.staging.read(path)
    lines = Lines.of(document.text)
    total = len(lines) - (lines.starts[-1] == lines.length and len(lines) > 1)
    if not document.text:
        return ToolResult(f"{name} is empty.", "empty")
    first = max(1, arguments.get("start") or 1)
    last = min(total, arguments.get("end") or total)
    if first > total or last < first:
        return refusal(f"{name} has {total} lines; there are none from {first} to {last}.")
    key = (path, first, last)
    if bench.shown.get(key) == document.digest:
        return ToolResult(
            f"{name} lines {first}-{last} are unchanged since you read them above.", "unchanged since it was read"
        )
    shown: list[str] = []
    size = 0
    for number in range(first, last + 1):
        row = f"{number}\t{document.text[lines.start(number - 1) : lines.end(number - 1)].rstrip(chr(13) + chr(10))}"
        size += len(row) + 1
        if shown and (size > CHARACTERS_MAX or len(shown) >= LINES_MAX):
            break
        shown.append(row[:CHARACTERS_MAX])
    end = first + len(shown) - 1
    bench.shown[key] = document.digest
    note = f" of {total}" if (first, end) != (1, total) else ""
    more = f"\n[cut at line {end}; go on with start={end + 1}]" if end < last else ""
    return ToolResult(f"{name} lines {first}-{end}{note}:\n" + "\n".join(shown) + more, f"lines {first}-{end}{note}")


TOOL: Final = Tool(
    ToolSpec(
        "read",
        "Read a file's lines (numbered from 1; the number and tab are not part of the file).",
        schema({"path": {"type": "string"}}, {"start": {"type": "integer"}, "end": {"type": "integer"}}),
    ),
    lambda a: f"Read {a.get('path', '')}" + (f":{a['start']}" if a.get("start") else ""),
    run,
    reads=True,
)
