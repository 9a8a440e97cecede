"""read(path, start?, end?): a file's lines, numbered, as buffers and staged edits have them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kaaj_agent.document import Document
from kaaj_agent.ports import ToolSpec
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal, schema

LINES_MAX: Final = 400
CHARACTERS_MAX: Final = 24_000


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    path = await bench.path(arguments["path"])
    name = bench.name(path)
    document = await bench.staging.read(path)
    if not document.text:
        return ToolResult(f"{name} is empty.", "empty")
    first = max(1, arguments.get("start") or 1)
    piece = await asyncio.to_thread(_piece, document, first, arguments.get("end"))
    if not piece.rows:
        return refusal(f"{name} has {piece.total} lines; there are none from {first} to {piece.last}.")
    end = first + len(piece.rows) - 1
    note = f" of {piece.total}" if (first, end) != (1, piece.total) else ""
    more = f"\n[cut at line {end}; go on with start={end + 1}]" if end < piece.last else ""
    if piece.cut:
        more = f"\n[line {first} is cut; it has {piece.cut:,} more characters]{more}"
    key = (path, first, end)
    if bench.shown.get(key) == document.digest:
        text = f"{name} lines {first}-{end} are unchanged since you read them above.{more}"
        return ToolResult(text, "unchanged since it was read")
    bench.shown[key] = document.digest
    return ToolResult(
        f"{name} lines {first}-{end}{note}:\n" + "\n".join(piece.rows) + more, f"lines {first}-{end}{note}"
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Numbered lines. `last` is the last line that was asked for, `cut` what is missing of a line that is too long."""

    rows: list[str]
    total: int
    last: int
    cut: int = 0


def _piece(document: Document, first: int, asked: int | None) -> _Piece:
    """Also works out the digest, which takes its time in a large file."""
    lines = document.lines
    total = len(lines) - (lines.starts[-1] == lines.length and len(lines) > 1)
    last = min(total, asked or total)
    rows: list[str] = []
    size = cut = 0
    for number in range(first, last + 1):
        row = f"{number}\t{document.text[lines.start(number - 1) : lines.end(number - 1)].rstrip(chr(13) + chr(10))}"
        size += len(row) + 1
        if rows and (size > CHARACTERS_MAX or len(rows) >= LINES_MAX):
            break
        cut += max(0, len(row) - CHARACTERS_MAX)
        rows.append(row[:CHARACTERS_MAX])
    _ = document.digest  # kept by the document
    return _Piece(rows, total, last, cut)


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
