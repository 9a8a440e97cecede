"""Characters that look alike: typographic quotes, dashes and blanks, and the two ways to write an accent.

Models write `'` for `’` and one composed letter for a letter and its accent. `fold` brings a line to one form, and
`Folded` remembers which character of the line each part came from.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

_TABLE: Final = str.maketrans(
    dict.fromkeys("‘’‚‛′ʼ＇", "'")
    | dict.fromkeys("“”„‟″＂", '"')
    | dict.fromkeys("‐‑‒–—―−﹘﹣－", "-")
    | dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " ")
    | {"…": "..."}
)


def fold(text: str) -> str:
    """A line in its plain form; ASCII stays what it is."""
    if text.isascii():
        return text
    if unicodedata.is_normalized("NFC", text):
        return text.translate(_TABLE)
    return "".join(piece for _, piece in _clusters(text))


def _clusters(text: str) -> list[tuple[int, str]]:
    """Pieces that fold on their own: where each begins, and its plain form."""
    found: list[tuple[int, str]] = []
    begin = 0
    for at in range(1, len(text) + 1):
        if at < len(text) and _continues(text[at]):
            continue
        found.append((begin, unicodedata.normalize("NFC", text[begin:at]).translate(_TABLE)))
        begin = at
    return found


def _continues(char: str) -> bool:
    """Whether a character may melt into the one before it: an accent, or a vowel or final of Hangul."""
    return char >= "\u0300" and (unicodedata.combining(char) != 0 or "\u1160" <= char <= "\u11ff")


@dataclass(frozen=True, slots=True)
class Folded:
    """A line's plain form, and for those of its offsets where a piece begins, the offset in the line."""

    text: str
    sources: dict[int, int]

    @classmethod
    def of(cls, line: str) -> Folded:
        sources: dict[int, int] = {}
        length = 0
        pieces: list[str] = []
        for begin, piece in _clusters(line):
            sources[length] = begin
            length += len(piece)
            pieces.append(piece)
        sources[length] = len(line)
        return cls("".join(pieces), sources)

    def source(self, offset: int) -> int | None:
        """Where `offset` of the plain form stands in the line; None within what was one character."""
        return self.sources.get(offset)

    def front(self, other: Folded, limit: int) -> tuple[int, int]:
        """The last offsets (in this line, in the other) up to `limit` in the other that mean the same place."""
        return max((mine, theirs) for mine, theirs in self._shared(other) if theirs <= limit)

    def back(self, other: Folded, limit: int) -> tuple[int, int]:
        """The first offsets (in this line, in the other) from `limit` in the other that mean the same place."""
        return min((mine, theirs) for mine, theirs in self._shared(other) if theirs >= limit)

    def _shared(self, other: Folded) -> list[tuple[int, int]]:
        return [(self.sources[at], other.sources[at]) for at in self.sources.keys() & other.sources.keys()]
