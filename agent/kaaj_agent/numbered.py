"""A document's lines as the model sees them: each with its number, from 1, and a tab."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kaaj_agent.document import Document
from kaaj_agent.redaction import whole


@dataclass(frozen=True, slots=True)
class Piece:
    """Numbered lines. `last` is the last line that was asked for, `cut` what is missing of a line that is too long."""

    rows: list[str]
    total: int
    last: int
    cut: int = 0


def line_count(document: Document) -> int:
    """The lines of a text; what follows its last line end is none if it is empty."""
    lines = document.lines
    return len(lines) - (lines.starts[-1] == lines.length and len(lines) > 1)


def piece(document: Document, first: int, asked: int | None, *, lines_max: int, characters_max: int) -> Piece:
    """The lines from `first` to `asked` (both from 1 and included; None: the last), as far as there is room.

    Also works out the digest, which takes its time in a large file: call it off the event loop.
    """
    _ = document.digest  # kept by the document
    if (text := whole(document.text)) is not document.text:
        document = replace(document, text=text)
    lines = document.lines
    total = line_count(document)
    last = min(total, asked or total)
    rows: list[str] = []
    size = cut = 0
    for number in range(first, last + 1):
        row = f"{number}\t{document.text[lines.start(number - 1) : lines.end(number - 1)].rstrip(chr(13) + chr(10))}"
        size += len(row) + 1
        if rows and (size > characters_max or len(rows) >= lines_max):
            break
        cut += max(0, len(row) - characters_max)
        rows.append(row[:characters_max])
    return Piece(rows, total, last, cut)
