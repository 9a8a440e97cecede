"""A file that arrives in pieces, in any order and over several runs.

The bytes stand at their final offsets in `FILE.partial`; `FILE.partial.json` tells which ranges are there. It is
written after the bytes, so a kill at any point costs at most the last piece. All methods block: call them in a thread.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias, cast

Span: TypeAlias = tuple[int, int]
"""Bytes from the first up to the second, not included."""

_BLOCK: Final = 4 * 1024 * 1024


def merged(spans: list[Span]) -> list[Span]:
    """The same bytes as sorted spans that neither overlap nor touch."""
    result: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def gaps(spans: list[Span], start: int, end: int) -> list[Span]:
    """What of `start:end` the merged `spans` do not hold."""
    missing: list[Span] = []
    at = start
    for low, high in spans:
        if high <= at or low >= end:
            continue
        if low > at:
            missing.append((at, low))
        at = max(at, high)
    if at < end:
        missing.append((at, end))
    return missing


@dataclass(slots=True)
class Partial:
    """The one owner of a partial file; a lock outside keeps other processes off."""

    target: Path
    size: int
    spans: list[Span] = field(default_factory=list[Span])

    @property
    def path(self) -> Path:
        return self.target.with_name(self.target.name + ".partial")

    @property
    def _record(self) -> Path:
        return self.target.with_name(self.target.name + ".partial.json")

    @property
    def held(self) -> int:
        """Bytes that are there."""
        return sum(end - start for start, end in self.spans)

    def load(self) -> None:
        """Take up what an earlier run left; anything unreadable counts as nothing."""
        try:
            raw = cast("object", json.loads(self._record.read_text("utf-8")))
            length = self.path.stat().st_size
        except (OSError, ValueError):
            self.spans = []
            return
        pairs = cast("list[object]", raw) if isinstance(raw, list) else []
        found: list[Span] = []
        for pair in pairs:
            match pair:
                case [int(start), int(end)] if 0 <= start < end <= min(length, self.size):
                    found.append((start, end))
                case _:
                    pass
        self.spans = merged(found)

    def missing(self, start: int = 0, end: int | None = None) -> list[Span]:
        return gaps(self.spans, start, self.size if end is None else end)

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes at their place. They count only once `keep` was called."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        with os.fdopen(descriptor, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def keep(self, start: int, end: int) -> None:
        """Remember that `start:end` is there, also for a later run."""
        self.spans = merged([*self.spans, (start, end)])
        fresh = self._record.with_name(self._record.name + ".new")
        fresh.write_text(json.dumps(self.spans), "utf-8")
        fresh.replace(self._record)

    def digest(self, stopped: Callable[[], bool] = lambda: False) -> str:
        """The SHA-256 of the whole partial file; `stopped` ends the work early (the result is then worthless)."""
        return file_digest(self.path, stopped)

    def finish(self) -> None:
        """Give the file its real name, durably and at once."""
        with self.path.open("r+b") as file:
            os.fsync(file.fileno())
        self.path.replace(self.target)
        self._record.unlink(missing_ok=True)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)
        self.spans = []


def file_digest(path: Path, stopped: Callable[[], bool] = lambda: False) -> str:
    state = hashlib.sha256()
    with path.open("rb") as file:
        while not stopped() and (block := file.read(_BLOCK)):
            state.update(block)
    return state.hexdigest()
