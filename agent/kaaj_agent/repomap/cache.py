"""Records on disk by content, in the user's state folder: an SQLite file a workspace, thrown away where it is damaged.

Nothing of it is ever needed: what cannot be read or written is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from kaaj_agent.repomap.record import Record, unpacked, version

SIZE_MAX: Final = 128 * 1024 * 1024
"""Bytes of one workspace's file above which nothing more is put in."""
FOLDER_MAX: Final = 512 * 1024 * 1024
"""Bytes of all of them above which those that were not used for longest are deleted."""

_FRESH: Final = 2_000_000_000
"""Nanoseconds: a file changed this shortly before it was read may change again without its time stamp showing it."""

Stamp: TypeAlias = tuple[int, int]
"""Time of the last change in nanoseconds, and size in bytes."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
  path TEXT PRIMARY KEY, changed INTEGER NOT NULL, size INTEGER NOT NULL, key BLOB NOT NULL
) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Cache:
    """Open until `close`. No method raises; after a failure the cache stays empty."""

    path: Path | None
    _db: sqlite3.Connection | None = None

    @classmethod
    def open(cls, folder: Path | None, roots: Sequence[Path]) -> Cache:
        """The cache of some workspace folders; None keeps nothing."""
        if folder is None:
            return cls(None)
        name = hashlib.blake2b("\0".join(map(str, roots)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
        cache = cls(folder / f"{name}.sqlite")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _trim(folder, keep=cache.path)
        except OSError:
            return cls(None)
        cache._connect()
        return cache

    def _connect(self, *, again: bool = True) -> None:
        if self.path is None:
            return
        try:
            db = self._db = sqlite3.connect(self.path, timeout=2.0, isolation_level=None)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if db.execute("PRAGMA user_version").fetchone()[0] != version():
                db.executescript("DROP TABLE IF EXISTS records; DROP TABLE IF EXISTS files;")
                db.execute(f"PRAGMA user_version = {version()}")
            db.executescript(_SCHEMA)
        except sqlite3.DatabaseError:
            self.close()
            if again:
                _delete(self.path)
                self._connect(again=False)

    def load(self) -> Iterator[tuple[str, Stamp, bytes, Record]]:
        """Every file that is known with its stamp, key and record."""
        if self._db is None:
            return
        try:
            for path, changed, size, key, data in self._db.execute(
                "SELECT path, changed, size, files.key, data FROM files JOIN records ON files.key = records.key"
            ):
                yield str(path), (int(changed), int(size)), bytes(key), unpacked(bytes(data))
        except (sqlite3.Error, ValueError):
            self._damaged()

    def save(self, records: Iterable[tuple[bytes, bytes]], files: Iterable[tuple[str, Stamp, bytes]]) -> None:
        """Keep records by their keys, and which file had which key when it was read just now."""
        if self._db is None or self._size() > SIZE_MAX:
            return
        before = time.time_ns() - _FRESH
        rows = [(path, changed, size, key) for path, (changed, size), key in files if changed < before]
        try:
            with self._transaction(self._db):
                self._db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?)", records)
                self._db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error:
            self.close()

    def prune(self, gone: Iterable[str]) -> None:
        """Forget files, and every record that no file has any more."""
        if self._db is None:
            return
        try:
            with self._transaction(self._db):
                self._db.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in gone])
                self._db.execute("DELETE FROM records WHERE key NOT IN (SELECT key FROM files)")
        except sqlite3.Error:
            self.close()

    def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()

    @contextlib.contextmanager
    def _transaction(self, db: sqlite3.Connection) -> Generator[None]:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def _size(self) -> int:
        try:
            return self.path.stat().st_size if self.path else 0
        except OSError:
            return 0

    def _damaged(self) -> None:
        self.close()
        if self.path is not None:
            _delete(self.path)
            self._connect(again=False)


def _trim(folder: Path, keep: Path | None) -> None:
    """Delete the caches of other workspaces, the longest unused first, until all fit. Raises OSError."""
    found = sorted((file.stat().st_mtime, file.stat().st_size, file) for file in folder.glob("*.sqlite"))
    total = sum(size for _, size, _ in found)
    for _, size, file in found:
        if total <= FOLDER_MAX:
            return
        if file != keep:
            _delete(file)
            total -= size


def _delete(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).unlink()
