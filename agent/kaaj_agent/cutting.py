"""Long texts cut around what matters, and the cut always told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

ROW_MAX: Final = 600
"""Characters of one line; a line that is longer is mostly of no use to anyone."""
HEAD: Final = 0.2
"""Shares of the room: the beginning says what was run, the end how it went, the lines between what went wrong."""
TAIL: Final = 0.45
_WRONG: Final = re.compile(
    r"\b(?:error|errors|failed|failure|fail|failing|exception|panic(?:ked)?|fatal|traceback|assert\w*|undefined|"
    r"unresolved|cannot|can't|not found|no such|denied|warning|mismatch|segfault|abort\w*)\b|^E\s|^\s*File \".*\", line"
    r"|[A-Z]\w+(?:Error|Exception)\b|\.\w{1,5}:\d+(?::\d+)?[:)]|^\s*\^+\s*$|✗|✘|×",
    re.IGNORECASE | re.MULTILINE,
)


def clip(text: str, room: int, more: str = "") -> str:
    """At most about `room` characters: head and tail, in whole lines where it can be.

    `more` says where the rest is.
    """
    if len(text) <= room:
        return text
    half = max(room // 2, 1)
    head, tail = text[:half], text[-half:]
    if (end := head.rfind("\n") + 1) > half // 2:
        head = head[:end]
    if 0 < (start := tail.find("\n") + 1) < half // 2:
        tail = tail[start:]
    cut = len(text) - len(head) - len(tail)
    where = f"; {more}" if more else ""
    return f"{head.rstrip(chr(10))}\n[... {cut:,} characters cut here{where} ...]\n{tail}"


def around(text: str, room: int, more: str = "") -> str:
    """At most about `room` characters of a command's output: its head, its tail, and between them what went wrong.

    `more` says where the rest can be read.
    """
    if len(text) <= room:
        return text
    rows = [_row(row) for row in text.split("\n")]
    head = _fitting(rows, int(room * HEAD))
    tail = len(rows) - _fitting(rows[head:][::-1], int(room * TAIL))
    kept = set(range(head)) | set(range(tail, len(rows)))
    left = room - sum(len(rows[at]) + 1 for at in kept)
    for at in _wrong(rows, head, tail):
        left -= len(rows[at]) + 1
        if left < 0:
            break
        kept.add(at)
    return _told(rows, kept, more)


def _row(row: str) -> str:
    if len(row) <= ROW_MAX:
        return row
    half = ROW_MAX // 2
    return f"{row[:half]}[... {len(row) - 2 * half:,} characters cut ...]{row[-half:]}"


def _fitting(rows: Sequence[str], room: int) -> int:
    """How many of the first rows fit."""
    for count, row in enumerate(rows):
        room -= len(row) + 1
        if room < 0:
            return count
    return len(rows)


def _wrong(rows: Sequence[str], first: int, last: int) -> list[int]:
    """The rows between that tell what went wrong, each with its neighbours; the first ones count most."""
    found: dict[int, None] = {}
    for at in range(first, last):
        if _WRONG.search(rows[at]):
            found |= dict.fromkeys(near for near in (at - 1, at, at + 1) if first <= near < last)
    return list(found)


def _told(rows: Sequence[str], kept: set[int], more: str) -> str:
    parts: list[str] = []
    before = -1
    where = f" ({more})" if more else ""
    for at in sorted(kept):
        if at > before + 1:
            count = at - before - 1
            parts.append(f"[... {count:,} line{'s' * (count != 1)} cut here{where} ...]")
            where = ""
        parts.append(rows[at])
        before = at
    return "\n".join(parts)
