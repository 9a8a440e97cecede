"""A change as a document to read and decide on: a unified diff, one section a hunk, with a place for each lens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.document import Document
from kaaj_agent.hunks import Hunk, line_span
from kaaj_server.lsp.board import counted
from kaaj_server.lsp.plain.proposals_text import check_line

_CONTEXT: Final = 3


def review(change: ChangeSet, name_of: Callable[[Path], str]) -> tuple[str, dict[int, str]]:
    """The document, and the lines (from 0) at which hunks begin, with their ids. Lines before a diff begin with `#`."""
    state = type(change.state).__name__.lower()
    rows = [
        f"# Kaaj: {change.summary.strip().partition(chr(10))[0] or 'change'}",
        f"# {state} · {counted(change)} · {check_line(change.check)}",
    ]
    if change.check is not None and change.check.status == "failed":
        rows.extend(f"#   {line}" for line in change.check.output.splitlines()[-20:])
    places: dict[int, str] = {}
    for file in change.files:
        rows.append("")
        rows.extend(_file_head(file, name_of))
        for index, hunk in enumerate(file.hunks):
            places[len(rows)] = hunk.id
            rows.extend(_hunk(file, index, hunk))
    return "\n".join(rows) + "\n", places


def _file_head(file: FileChange, name_of: Callable[[Path], str]) -> list[str]:
    old = "/dev/null" if file.kind == "create" else f"a/{name_of(file.path)}"
    new = "/dev/null" if file.kind == "delete" else f"b/{name_of(file.target)}"
    rename = [f"rename from {name_of(file.path)}", f"rename to {name_of(file.target)}"] if file.new_path else []
    return [*rename, f"--- {old}", f"+++ {new}"]


def _hunk(file: FileChange, index: int, hunk: Hunk) -> list[str]:
    base = file.before or Document(file.path, "")
    lines = base.text.split("\n")
    first, last = line_span(base.text, hunk)
    before = file.hunks[index - 1] if index else None
    after = file.hunks[index + 1] if index + 1 < len(file.hunks) else None
    head = max(first - _CONTEXT, line_span(base.text, before)[1] if before else 0)
    tail = min(last + _CONTEXT, line_span(base.text, after)[0] if after else len(lines) - (not lines[-1]))
    old, new = _rows(hunk.old), _rows(hunk.new)
    context = (first - head) + max(0, tail - last)
    rows = [f"@@ -{head + 1},{len(old) + context} +{head + 1},{len(new) + context} @@"]
    rows += [f" {line.rstrip(chr(13))}" for line in lines[head:first]]
    rows += [f"-{line}" for line in old]
    rows += [f"+{line}" for line in new]
    rows += [f" {line.rstrip(chr(13))}" for line in lines[last:tail]]
    return rows


def _rows(text: str) -> list[str]:
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return rows[:-1] if not rows[-1] else rows
