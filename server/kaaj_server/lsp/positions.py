"""LSP positions against Python strings, in the three encodings that a client may choose.

A position's `character` counts UTF-8 bytes, UTF-16 code units or code points of the line; an index counts code
points. Out-of-range positions mean what the specification says: the end of the line (before its line end), or the
end of the text. A position inside of a character means the place before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

Encoding: TypeAlias = Literal["utf-8", "utf-16", "utf-32"]
DEFAULT: Final[Encoding] = "utf-16"
"""What holds where a client names none (LSP 3.17, PositionEncodingKind)."""

_KNOWN: Final[dict[str, Encoding]] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


def choose(offered: Sequence[str] | None) -> Encoding:
    """The first encoding in the client's order that is known here; UTF-16 where there is none."""
    for name in offered or ():
        if (encoding := _KNOWN.get(name)) is not None:
            return encoding
    return DEFAULT


def lines_of(text: str) -> list[str]:
    """The lines of a text, ends kept, as positions count them: never empty, the last one has no line end."""
    if "\r" not in text:
        *whole, last = text.split("\n")
        return [line + "\n" for line in whole] + [last]
    lines: list[str] = _LINE.findall(text)
    if lines[-1][-1] in "\r\n":
        lines.append("")
    return lines


def index_of(line: str, character: int, encoding: Encoding) -> int:
    """The index in `line` of a position's `character`, at most the place before the line end."""
    limit = len(line)
    if line.endswith("\r\n"):
        limit -= 2
    elif line.endswith(("\n", "\r")):
        limit -= 1
    if character <= 0:
        return 0
    if encoding == "utf-32" or line.isascii():
        return min(character, limit)
    units = 0
    for index in range(limit):
        units += width(line[index], encoding)
        if units > character:
            return index
        if units == character:
            return index + 1
    return limit


def character_of(line: str, index: int, encoding: Encoding) -> int:
    """The `character` of the place before `line[index]`."""
    if encoding == "utf-32" or line.isascii():
        return min(index, len(line))
    head = line[:index]
    if encoding == "utf-8":
        return len(head.encode("utf-8", "surrogatepass"))
    return len(head) + sum(char > "\uffff" for char in head)


def width(char: str, encoding: Encoding) -> int:
    """How many units of `encoding` one code point takes."""
    if encoding == "utf-32":
        return 1
    code = ord(char)
    if encoding == "utf-16":
        return 2 if code > 0xFFFF else 1
    return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
