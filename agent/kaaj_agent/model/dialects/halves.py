"""Characters of which a stream brought the two halves apart.

Programs that count in UTF-16 units cut a stream between the halves of a character beyond U+FFFF; each half is then
sent as an escape of its own (`"\\ud83d"`, `"\\ude00"`), which JSON allows.
"""

from __future__ import annotations

import re

_FIRST = re.compile("[\ud800-\udbff]")


def whole(text: str) -> str:
    """The text with halves that stand side by side put together; a half that stands alone stays."""
    if text.isascii() or _FIRST.search(text) is None:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def opens(text: str) -> bool:
    """Whether the text ends in a first half, whose second may be on its way."""
    return "\ud800" <= text[-1:] <= "\udbff"
