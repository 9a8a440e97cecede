"""A command as a person may see it: nothing in it can act on a terminal, turn the text around, or hide."""

from __future__ import annotations

import unicodedata
from typing import Final

SHOWN_MAX: Final = 4_000
"""Characters of a command above which nobody is asked: a question has to show the whole of it."""

_TITLE_MAX: Final = 120
_HIDING: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f")
"""Letters by name that show nothing."""


def visible(text: str, *, lines: bool = True) -> str:
    """The text with everything that is not seen, or that changes how others are seen, written out as an escape.

    Line ends and tabs stay with `lines`.
    """
    return "".join(char if (lines and char in "\n\t") or not _hides(char) else _escape(char) for char in text)


def _hides(char: str) -> bool:
    if char.isascii():
        return not char.isprintable()
    category = unicodedata.category(char)
    return category in _HIDING or char in _BLANK or (category == "Zs" and char != " ")


def _escape(char: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\x1b": "\\x1b"}.get(char)
    code = ord(char)
    return named or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def title(command: str) -> str:
    """A command in one line, which is cut where it is long; the cut is told."""
    line = visible(command.strip(), lines=False)
    return line if len(line) <= _TITLE_MAX else f"{line[: _TITLE_MAX - 20]} … ({len(command):,} characters)"


def is_cut(command: str) -> bool:
    """Whether `title` shows less than the whole command."""
    return len(visible(command.strip(), lines=False)) > _TITLE_MAX
