"""Where the papers of a workspace are: a folder that one server alone holds, found again by the next one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout


class PaperFolder:
    """Two editors on one workspace are two servers: each needs papers of its own, or one writes over the other's.

    `base` holds them all. A disk that refuses the lock leaves the folder unlocked: the papers are a view.
    """

    def __init__(self, base: Path) -> None:
        self._base = base
        self._held: dict[tuple[Path, ...], tuple[Path, FileLock | None]] = {}

    def of(self, roots: Sequence[Path]) -> Path:
        """The folder for these workspace folders, links resolved; it stays the same until `close`."""
        key = tuple(roots)
        if key not in self._held:
            self._held[key] = self._claim(key)
        return self._held[key][0]

    def close(self) -> None:
        for _, lock in self._held.values():
            if lock is not None:
                lock.release()
        self._held.clear()

    def _claim(self, roots: tuple[Path, ...]) -> tuple[Path, FileLock | None]:
        seed = "\0".join(map(str, roots)).encode("utf-8", "surrogatepass")
        name = hashlib.sha256(seed).hexdigest()[:12]
        base = self._base.resolve()
        try:
            base.mkdir(mode=0o700, parents=True, exist_ok=True)
            for number in count(1):
                folder = base / (name if number == 1 else f"{name}-{number}")
                lock = FileLock(base / f"{folder.name}.lock", blocking=False, thread_local=False)
                try:
                    lock.acquire()
                except Timeout:
                    continue
                return folder, lock
        except OSError:
            pass
        return base / name, None
