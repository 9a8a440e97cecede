"""A change as a document to read and decide on: a unified diff, one section a hunk, with a place for each lens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.document import Document
from kaaj_agent.hunks import Hunk, line_span
from kaaj_server.lsp.board import counted
from kaaj_server.lsp.plain.proposals_text import check_line

_CONTEXT: Final = 3


def review(
    change: ChangeSet, name_of: Callable[[Path], str], warnings: Sequence[str] = ()
) -> tuple[str, dict[int, str]]:
    """The document, and the lines (from 0) at which hunks begin, with their ids. Lines before a diff begin with `#`.

    `warnings` say what has to be looked at closely; the diff itself is exact.
    """
    state = type(change.state).__name__.lower()
    rows = [
        f"# Kaaj: {change.summary.strip().partition(chr(10))[0] or 'change'}",
        f"# {state} · {counted(change)} · {check_line(change.check)}",
    ]
    if change.check is not None and change.check.status == "failed":
        rows.extend(f"#   {line}" for line in change.check.output.splitlines()[-20:])
    rows.extend(f"# ! {warning}" for warning in warnings)
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
    """One hunk as a section of its own that shares no line with its neighbours, so that the whole is a valid patch."""
    base = file.before or Document(file.path, "")
    lines = _rows(base.text)
    first, last = line_span(base.text, hunk)
    head = first
    if file.kind != "create":
        ended = line_span(base.text, file.hunks[index - 1])[1] + _CONTEXT if index else 0
        head = min(first, max(first - _CONTEXT, ended))
    after = file.hunks[index + 1] if index + 1 < len(file.hunks) else None
    tail = min(last + _CONTEXT, line_span(base.text, after)[0] if after else len(lines))
    old, new = _rows(hunk.old), _rows(hunk.new)
    context = (first - head) + (tail - last)
    grown = sum(len(_rows(one.new)) - len(_rows(one.old)) for one in file.hunks[:index])
    rows = [f"@@ -{_place(head, len(old) + context)} +{_place(head + grown, len(new) + context)} @@"]
    rows += [f" {line}" for line in lines[head:first]]
    rows += [f"-{line}" for line in old] + _no_end(hunk.old)
    rows += [f"+{line}" for line in new] + _no_end(hunk.new)
    rows += [f" {line}" for line in lines[last:tail]]
    return rows + (_no_end(base.text) if last < tail == len(lines) else [])


def _place(start: int, count: int) -> str:
    """Where a side of a hunk stands; an empty one stands after the line before it."""
    return f"{start + 1 if count else start},{count}"


def _no_end(text: str) -> list[str]:
    return [] if not text or text.endswith(("\n", "\r")) else ["\\ No newline at end of file"]


def _rows(text: str) -> list[str]:
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return rows[:-1] if not rows[-1] else rows
