"""LSP text edits and file URIs by an implementation that shares nothing with the server's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit

Json: TypeAlias = Any
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)")


def path_of(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).path))


def edited(text: str, edits: Sequence[Json], encoding: str) -> str:
    """LSP text edits, done by an implementation that shares nothing with the server's."""
    codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    unit = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    starts = [0]
    for line in _LINE.finditer(text):
        starts.append(line.end())

    def offset(position: Json) -> int:
        if position["line"] >= len(starts):
            return len(text)
        number: int = position["line"]
        start = starts[number]
        end = starts[number + 1] if number + 1 < len(starts) else len(text)
        line = text[start:end].rstrip("\r\n")
        head = line.encode(codec)[: position["character"] * unit]
        return start + len(head.decode(codec, errors="ignore"))

    spans = sorted((offset(e["range"]["start"]), offset(e["range"]["end"]), e["newText"]) for e in edits)
    for start, end, new in reversed(spans):
        text = text[:start] + new + text[end:]
    return text
