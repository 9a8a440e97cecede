"""The append-only log of one session: JSON Lines in the user's state folder, resumed by replay.

The first line is a header `{"kaaj": 1, "session", "roots", "created"}`. Each other line holds either an event
(`{"event": …}`), a message of the prompt (`{"message": …}`) or the messages with which it began anew
(`{"prefix": …}`), in the order in which they happened. A last line that was torn by a crash is dropped. A change
set's files stand in the log once: a later state of it refers to them by digest, and drafts are logged without them.

What is large is written by a thread, in the order in which it came, and all that comes meanwhile behind it.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, cast

from filelock import FileLock, Timeout

from kaaj_agent.changes import ChangeSet, Draft
from kaaj_agent.codec import from_json, to_json
from kaaj_agent.events import Body, ChangeChanged, Event
from kaaj_agent.json_pieces import blocks, pieces
from kaaj_agent.ports import Message, NewPrefix

_log = logging.getLogger(__name__)
VERSION = 1
T = TypeVar("T")
Record: TypeAlias = Event | Message | NewPrefix
Row: TypeAlias = dict[str, Any]

LARGE: Final = 100_000
"""Characters, from which an entry is made into JSON and written by a thread: the event loop stays free."""

_HUNK: Final = 400
"""Characters that a hunk counts for beside its text."""


@dataclass(slots=True)
class SessionLog:
    """Appends to one file, which it holds locked; a file that another process holds cannot be opened.

    `problem` is the last error of the disk, told once to the person by the session: the session goes on in memory.
    """

    path: Path
    file: FileIO | None = None
    lock: FileLock | None = None
    problem: str = ""
    _seen: set[str] = field(default_factory=set[str])
    _waiting: deque[Callable[[], Row]] = field(default_factory=deque[Callable[[], Row]])
    _writer: threading.Thread | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)
    """Of `_waiting` and `_writer`; the writer has the rest to itself while there is one."""

    @classmethod
    def create(cls, path: Path, session: str, roots: tuple[Path, ...], created: float) -> SessionLog:
        """A new log. A disk that refuses leaves the log in memory only, with `problem` set."""
        log = cls(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            log.lock = _lock(path)
            log.file = _append_to(path)
            path.chmod(0o600)
        except OSError as error:
            log.problem = f"The session cannot be saved ({error.strerror}); it goes on, but will not outlive Kaaj."
        head = {"kaaj": VERSION, "session": session, "roots": [str(r) for r in roots], "created": created}
        log._write((json.dumps(head).encode() + b"\n",))
        return log

    @classmethod
    def reopen(cls, path: Path) -> SessionLog:
        """An existing log, to go on with. Raises OSError (BlockingIOError where another process holds it)."""
        try:
            lock = _lock(path)
        except Timeout as error:
            raise BlockingIOError(f"{path.name} is in use by another Kaaj") from error
        try:
            path.stat()  # it may have been deleted since it was listed
            return cls(path, _append_to(path), lock)
        except OSError:
            lock.release()
            raise

    def event(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ChangeChanged):
            self._append(lambda: self._row(event, body), _size(body.change))
        else:
            row = {"event": to_json(event)}
            self._append(lambda: row, _length(row))

    def _row(self, event: Event, body: ChangeChanged) -> Row:
        change = body.change
        digest = "" if isinstance(change.state, Draft) else change.digest
        if not digest or digest in self._seen:
            event = replace(event, body=replace(body, change=replace(change, files=())))
        self._seen.add(digest)
        row = to_json(event)
        row["body"]["change"]["digest"] = digest
        return {"event": row}

    def message(self, message: Message) -> None:
        row = {"message": to_json(message)}
        self._append(lambda: row, _length(row))

    def prefix(self, prefix: NewPrefix) -> None:
        row = {"prefix": to_json(prefix)}
        self._append(lambda: row, _length(row))

    def flush(self) -> None:
        """Until all that came so far is written. Blocks."""
        while (writer := self._writer) is not None:
            writer.join()

    @property
    def busy(self) -> bool:
        """Whether something is still to be written."""
        return self._writer is not None

    @property
    def outputs(self) -> Path:
        """The folder for what the session's commands printed."""
        return self.path.with_suffix(".outputs")

    def close(self) -> None:
        self._let_go()
        if self.lock is not None:
            self.lock.release()

    def delete(self) -> bool:
        """Close the log and take it off the disk; whether that worked. Blocks.

        The lock is held until the file is gone, so that no other process opens it meanwhile.
        """
        self._let_go()
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("deleting %s: %s", self.path, error)
            return False
        finally:
            self.close()
        with suppress(OSError):
            self.path.with_suffix(".lock").unlink(missing_ok=True)
        shutil.rmtree(self.outputs, ignore_errors=True)
        return True

    def _let_go(self) -> None:
        self.flush()
        if self.file is not None:
            try:
                self.file.close()
            except OSError as error:
                _log.warning("closing %s: %s", self.path, error)
            self.file = None

    def _append(self, row: Callable[[], Row], size: int) -> None:
        if self.file is None:
            return
        with self._guard:
            later = self._writer is not None or size >= LARGE
            if later:
                self._waiting.append(row)
            if later and self._writer is None:
                self._writer = threading.Thread(target=self._write_waiting, name="kaaj-log")
                self._writer.start()
        if not later:
            self._write((json.dumps(row(), separators=(",", ":")).encode() + b"\n",))

    def _write_waiting(self) -> None:
        while True:
            with self._guard:
                if not self._waiting:
                    self._writer = None
                    return
                row = self._waiting.popleft()
            try:
                self._write(blocks((*pieces(row()), "\n")))
            except Exception:  # noqa: BLE001 - we erred: the entry is lost, and what comes behind it is written
                _log.exception("an entry of %s", self.path)

    def _write(self, line: Iterable[bytes]) -> None:
        if self.file is None:
            return
        try:
            for part in line:
                if self.file.write(part) == len(part):
                    continue
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - as the next write would
        except OSError as error:
            self.problem = (
                f"The session can no longer be saved ({error.strerror}); it goes on, but will not outlive Kaaj."
            )
            _log.warning("writing %s: %s", self.path, error)
            self.file.close()
            self.file = None


def _size(change: ChangeSet) -> int:
    """Characters that the entry of a change takes, roughly."""
    if isinstance(change.state, Draft):
        return 0
    texts = sum(len(file.after or "") + (len(file.before.text) if file.before else 0) for file in change.files)
    return texts + _HUNK * sum(len(file.hunks) for file in change.files)


def _length(row: Any) -> int:
    """Characters of all texts in it."""
    if isinstance(row, str):
        return len(row)
    if isinstance(row, dict):
        return sum(_length(value) for value in cast("Row", row).values())
    if isinstance(row, list):
        return sum(_length(value) for value in cast("Sequence[object]", row))
    return 0


def _append_to(path: Path) -> FileIO:
    """The file opened for appending, a line that a crash tore cut off first."""
    with path.open("ab+") as file:
        size = file.seek(0, os.SEEK_END)
        at = size
        while at > 0:
            step = min(65_536, at)
            file.seek(at - step)
            cut = file.read(step).rfind(b"\n")
            if cut >= 0:
                at = at - step + cut + 1
                break
            at -= step
        if at != size:
            file.truncate(at)
    return FileIO(path, "ab")


def _lock(path: Path) -> FileLock:
    """Hold a log as this process's own. Raises filelock.Timeout where another process holds it."""
    lock = FileLock(path.with_suffix(".lock"), blocking=False, thread_local=False)  # taken in one, let go in another
    lock.acquire()
    return lock


@dataclass(frozen=True, slots=True)
class Header:
    session: str
    roots: tuple[Path, ...]
    created: float


def header(path: Path) -> Header | None:
    """What a log is of; None for a file that is no log of this version."""
    try:
        with path.open("rb") as file:
            row = json.loads(file.readline(65_536))
        if row.get("kaaj") != VERSION:
            return None
        return Header(row["session"], tuple(map(Path, row["roots"])), float(row["created"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def replay(path: Path) -> Iterator[Record]:
    """The events, messages and prefixes of a log in order; lines that cannot be read are skipped and logged."""
    files: dict[str, Any] = {}
    with path.open("rb") as log:
        for number, line in enumerate(log, 1):
            try:
                row = json.loads(line)
                if "message" in row:
                    yield _a(Message, from_json(row["message"]))
                elif "prefix" in row:
                    yield _a(NewPrefix, from_json(row["prefix"]))
                elif "event" in row:
                    event = _a(Event, from_json(row["event"]))
                    _has_body(event.body)
                    yield _with_files(event, row["event"]["body"], files)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                _log.warning("%s:%d cannot be read: %s", path, number, error)


def _a(kind: type[T], value: Any) -> T:
    """The value, if it is of that kind; else TypeError."""
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} does not belong there")
    return value


def _has_body(body: object) -> None:
    """Raises TypeError for anything but the body of an event."""
    if not isinstance(body, Body):
        raise TypeError(f"no event has a {type(body).__name__} for its body")


def _with_files(event: Event, body: dict[str, Any], known: dict[str, Any]) -> Event:
    if not isinstance(event.body, ChangeChanged):
        return event
    digest = body["change"].get("digest", "")
    change: ChangeSet = event.body.change
    if change.files:
        known[digest] = change.files
    elif digest in known:
        change = replace(change, files=known[digest])
    return replace(event, body=replace(event.body, change=change))
