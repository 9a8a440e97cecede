"""What a request names: identifiers and files, by their look."""

from __future__ import annotations

import re
from typing import Final

_QUOTED: Final = re.compile(r"[`'\"]([\w$][\w$.]*)(?:\(\))?[`'\"]")
_CODEY: Final = re.compile(r"\b([A-Za-z]\w*_\w+|_\w+|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*)\b|(?<![\w.])([\w.]+)\(\)")
_DOTTED: Final = re.compile(r"\b([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)\b")
_WORD: Final = re.compile(r"\b[A-Za-z_]\w{2,}\b")


def identifiers(words: str) -> dict[str, float]:
    """Bare names that a request may mean, with how surely it means them."""
    found: dict[str, float] = {}

    def put(name: str, weight: float) -> None:
        bare = name.rpartition(".")[2]
        if bare:
            found[bare] = max(weight, found.get(bare, 0.0))

    for match in _WORD.finditer(words):
        put(match[0], 1.5)
    for match in _DOTTED.finditer(words):
        put(match[1], 4.0)
    for match in _CODEY.finditer(words):
        put(match[1] or match[2], 6.0)
    for match in _QUOTED.finditer(words):
        put(match[1], 8.0)
    return found


_PATHLIKE: Final = re.compile(r"[\w./\\-]+")
_SUFFIX: Final = re.compile(r"\w\.\w{1,12}\Z")
_PATH_MAX: Final = 300


def paths(words: str) -> list[str]:
    """What looks like a file's or a folder's name, with `/`, in the order of the text."""
    found: list[str] = []
    for match in _PATHLIKE.finditer(words):
        name = match[0].replace("\\", "/").strip("./")
        if len(name) <= _PATH_MAX and ("/" in name or _SUFFIX.search(name)):
            found.append(name)
    return list(dict.fromkeys(found))
