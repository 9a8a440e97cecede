"""Immutable texts: what a buffer or a file held at one moment.

`Document.text` keeps every line end as it was (`\\n`, `\\r\\n`, `\\r`); only a byte-order mark is taken off and
remembered in `format`, because editors take it off too and both must have the same digest.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Final

from kaaj_agent.failures import NotTextError

_SNIFF: Final = 8192
_LINE_END: Final = re.compile(r"\r\n?|\n")
_AND_ONE: Final = (1).__add__
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How a text is laid down as bytes. `bom` is the mark's bytes, or empty."""

    encoding: str = "utf-8"
    bom: bytes = b""


UTF8: Final = TextFormat()


def digest_of(text: str) -> str:
    """The SHA-256 of a text's UTF-8 bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Document:
    """One text at one moment.

    `path` is absolute. `version` is the editor's number, or None where the text was read from disk and no editor
    has it open.
    """

    path: Path
    text: str
    version: int | None = None
    format: TextFormat = field(default=UTF8, compare=False)

    @cached_property
    def digest(self) -> str:
        return digest_of(self.text)

    @cached_property
    def lines(self) -> Lines:
        return Lines.of(self.text)


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the lines of a text begin. Offsets count characters (code points), lines count from 0.

    Only `\\n`, `\\r\\n` and `\\r` end a line, as the LSP specification says; `str.splitlines` knows eight more.
    """

    starts: tuple[int, ...]
    length: int

    @classmethod
    def of(cls, text: str) -> Lines:
        if "\r" in text:
            ends: Iterable[int] = (match.end() for match in _LINE_END.finditer(text))
        else:
            ends = accumulate(map(_AND_ONE, map(len, text.split("\n")[:-1])))
        return cls((0, *ends), len(text))

    def __len__(self) -> int:
        return len(self.starts)

    def line_at(self, offset: int) -> int:
        """The line that holds the character at `offset`; the last line for the end of the text."""
        return max(0, bisect_right(self.starts, offset) - 1)

    def start(self, line: int) -> int:
        """Where `line` begins; the text's length for any line after the last."""
        return self.starts[line] if line < len(self.starts) else self.length

    def end(self, line: int) -> int:
        """Where `line` ends, its line end included."""
        return self.start(line + 1)


def line_number(text: str, offset: int) -> int:
    """The line, from 1, that holds the character at `offset`, at the speed of counting."""
    before = text[:offset]
    return 1 + before.count("\n") + before.count("\r") - before.count("\r\n") - _splits_end(text, offset)


def _splits_end(text: str, offset: int) -> bool:
    """Whether `offset` lies between the two characters of one line end."""
    return 0 < offset < len(text) and text[offset - 1] == "\r" and text[offset] == "\n"


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends kept; an empty text has none."""
    starts = Lines.of(text).starts
    pieces = [text[a:b] for a, b in zip(starts, (*starts[1:], len(text)), strict=True)]
    return pieces if pieces[-1] else pieces[:-1]


def newline_of(text: str) -> str:
    """The line end that a text uses most, for text that is added to it; `\\n` where it has none."""
    crlf = text.count("\r\n")
    lf = text.count("\n") - crlf
    cr = text.count("\r") - crlf
    if crlf > lf and crlf >= cr:
        return "\r\n"
    return "\r" if cr > lf else "\n"


def decode(data: bytes, path: str) -> tuple[str, TextFormat]:
    """Bytes to text so that `encode` gives the same bytes back: UTF-8, UTF-16 with a mark, else Latin-1.

    Raises NotTextError for binary content (a NUL byte near the start, or bytes that do not decode).
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                text = data[len(bom) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise NotTextError(f"{path} is not valid {encoding}.", path=path) from error
            if "\0" in text[:_SNIFF]:  # such as UTF-32, whose mark begins like that of UTF-16
                raise NotTextError(f"{path} is a binary file.", path=path)
            return text, TextFormat(encoding, bom)
    if b"\0" in data[:_SNIFF]:
        raise NotTextError(f"{path} is a binary file.", path=path)
    try:
        return data.decode("utf-8"), UTF8
    except UnicodeDecodeError:
        return data.decode("latin-1"), TextFormat("latin-1")


def encode(text: str, style: TextFormat, path: str) -> bytes:
    """Text to the bytes of its format. Raises NotTextError where the encoding has no byte for a character."""
    try:
        return style.bom + text.encode(style.encoding)
    except UnicodeEncodeError as error:
        bad = text[error.start]
        raise NotTextError(
            f"{path} is encoded as {style.encoding}, which has no {bad!r}; nothing was written.", path=path
        ) from error
