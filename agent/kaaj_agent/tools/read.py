"""read(path, start?, end?): lines, numbered: a file's as buffers and staged edits have them, or those of a text that is
no file, such as a kept output.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kaaj_agent import numbered
from kaaj_agent.document import Document
from kaaj_agent.ports import ToolSpec
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal, schema

LINES_MAX: Final = 400
CHARACTERS_MAX: Final = 24_000
WORTH: Final = 60
"""Lines from which on a part of what stands above is not shown again."""


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    asked: str = arguments["path"]
    kind, colon, name = asked.partition(":")
    if colon and kind in bench.named:
        text = await bench.named[kind](name)
        if text is None:
            return refusal(f"There is no {asked}.")
        return await _lines(bench, Document(Path(asked), text, None), asked, arguments)
    path = await bench.path(asked, "read")
    document = await bench.staging.read(path)
    return await _lines(bench, document, bench.name(path), arguments)


async def _lines(bench: Bench, document: Document, name: str, arguments: Mapping[str, Any]) -> ToolResult:
    if not document.text:
        return ToolResult(f"{name} is empty.", "empty")
    first = max(1, arguments.get("start") or 1)
    piece = await asyncio.to_thread(
        numbered.piece, document, first, arguments.get("end"), lines_max=LINES_MAX, characters_max=CHARACTERS_MAX
    )
    if not piece.rows:
        return refusal(f"{name} has {piece.total} lines; there are none from {first} to {piece.last}.")
    end = first + len(piece.rows) - 1
    note = f" of {piece.total}" if (first, end) != (1, piece.total) else ""
    more = f"\n[cut at line {end}; go on with start={end + 1}]" if end < piece.last else ""
    if piece.cut:
        more = f"\n[line {first} is cut; it has {piece.cut:,} more characters]{more}"
    if (where := _shown(bench, document, first, end)) is not None:
        among = "" if where == (first, end) else f", among lines {where[0]}-{where[1]}"
        text = f"{name} lines {first}-{end} are unchanged since you read them above{among}.{more}"
        return ToolResult(text, "unchanged since it was read")
    bench.shown[document.path, first, end] = document.digest
    return ToolResult(
        f"{name} lines {first}-{end}{note}:\n" + "\n".join(piece.rows) + more, f"lines {first}-{end}{note}"
    )


def _shown(bench: Bench, document: Document, first: int, end: int) -> tuple[int, int] | None:
    """The lines above, first and last, that hold these; a few lines out of many are not worth being looked for."""
    for (path, start, last), digest in bench.shown.items():
        held = path == document.path and digest == document.digest and start <= first and end <= last
        if held and ((start, last) == (first, end) or end - first >= WORTH):
            return start, last
    return None


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
