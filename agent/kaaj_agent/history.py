"""What files held before each change of Kaaj's: on disk, and synced, before the change is applied.

From it a change can be taken back at any later time, and the next start knows what a crash cut off. It needs no git,
and keeps nothing inside of a workspace. One file a change, in a folder a workspace (a set of folders):

    history/<workspace>/<number>-<change>.<stage>

The first line is a header, the second the whole change, both JSON. The stage is `begun` until it is known that the
change is in the user's files (`applied`), only in part (`part`), or taken back (`undone`). Before a file is `begun` it
is `tmp`. As long as a process works on one, it holds `<number>-<change>.lock`. What is over the cap goes, oldest first.
"""

from __future__ import annotations

import hashlib
import json
import logging
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast, get_args

from filelock import FileLock, Timeout

from kaaj_agent.changes import ChangeSet
from kaaj_agent.codec import from_json, to_json
from kaaj_agent.durable import sync_folder, write_new

_log = logging.getLogger(__name__)

CAP: Final = 256 * 1024 * 1024
"""Bytes kept for one workspace. The newest entry stays whatever its size."""

_VERSION: Final = 1
_HEADER_MAX: Final = 16 * 1024 * 1024

Stage: TypeAlias = Literal["begun", "applied", "part", "undone"]
Digests: TypeAlias = dict[Path, str | None]


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry by its header. `before` and `after` hold each touched path's digest, None where no file stands there.

    `undoes` is the change that this one takes back, if it is such a one. `time` is seconds since the epoch. `modes` are
    the permissions that the files had before, as far as they stood on disk.
    """

    file: Path
    stage: Stage
    change: str
    task: str
    session: str
    roots: tuple[Path, ...]
    before: Digests
    after: Digests
    undoes: str
    summary: str
    time: float
    modes: Mapping[Path, int] = field(default_factory=dict[Path, int])

    @property
    def lock(self) -> Path:
        return self.file.with_suffix(".lock")


class Entry:
    """An entry that this process works on. End it with `end`."""

    def __init__(self, file: Path, lock: FileLock) -> None:
        self.file = file
        self._lock = lock

    def end(self, stage: Stage | None) -> None:
        """The change has come to this; None: nothing of it came to be. Blocks. Raises OSError."""
        try:
            self.file = moved(self.file, stage)
        finally:
            self.leave()

    def leave(self) -> None:
        """Let go of it as it is."""
        with suppress(OSError):
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()


@dataclass(frozen=True, slots=True)
class History:
    """All methods block: call them in a thread."""

    folder: Path
    cap: int = CAP

    def begin(self, change: ChangeSet, session: str, roots: Iterable[Path]) -> Entry:
        """Keep what `change` is about to replace. On disk when this returns. Raises OSError."""
        places = sorted(set(roots))
        seed = "\0".join(map(str, places)).encode("utf-8", "surrogatepass")
        workspace = self.folder / hashlib.sha256(seed).hexdigest()[:16]
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        header = {
            "kaaj": _VERSION,
            "change": change.id,
            "task": change.task,
            "session": session,
            "roots": [str(root) for root in places],
            "before": _digests(change.before),
            "after": _digests(change.after),
            "undoes": change.undoes,
            "summary": change.summary,
            "time": time.time(),
            "modes": {str(path): mode for path, mode in _modes(change).items()},
        }
        data = b"".join(json.dumps(row).encode() + b"\n" for row in (header, to_json(change)))
        self._trim(workspace, self.cap - len(data))
        # Numbers, not times, order them: clocks jump.
        number = 1 + max((_number(file) for file in workspace.iterdir()), default=0)
        name = workspace / f"{number:08d}-{change.id}"
        lock = _held(name.with_suffix(".lock"))
        try:
            write_new(name.with_suffix(".tmp"), data, None)  # the folder is its owner's alone
            file = name.with_suffix(".tmp").replace(name.with_suffix(".begun"))
            sync_folder(workspace)
            if number == 1:
                sync_folder(self.folder)
        except BaseException:
            name.with_suffix(".tmp").unlink(missing_ok=True)
            name.with_suffix(".begun").unlink(missing_ok=True)
            Entry(name, lock).leave()
            raise
        return Entry(file, lock)

    def entries(self, roots: Iterable[Path] = ()) -> list[Kept]:
        """The entries of every workspace that shares one of `roots` (of all, if none is named), oldest first."""
        wanted = set(roots)
        return [kept for kept in self._in_order("*") if not wanted or wanted.intersection(kept.roots)]

    def of_change(self, change: str) -> list[Kept]:
        """The entries of one change, oldest first: applied once, and perhaps again after it was taken back."""
        if not change.replace("-", "").isalnum():
            return []
        return self._in_order(f"*-{change}")

    def modes_before(self, change: str) -> dict[Path, int]:
        """The permissions of the files that a change has touched, from before it."""
        return {path: mode for kept in self.of_change(change) if not kept.undoes for path, mode in kept.modes.items()}

    def claim(self, kept: Kept) -> Entry | None:
        """Take over what another process left; None where that process lives, or somebody else was quicker."""
        try:
            entry = Entry(kept.file, _held(kept.lock))
        except (OSError, Timeout):
            return None
        if kept.file.is_file():
            return entry
        entry.leave()
        return None

    def forget(self, session: str) -> None:
        """Delete what was kept of a session."""
        for kept in self.entries():
            if kept.session == session and (entry := self.claim(kept)) is not None:
                with suppress(OSError):
                    entry.end(None)

    def _in_order(self, stem: str) -> list[Kept]:
        """Oldest first: by number within a workspace, by time between workspaces. A clock that was set back does not
        make a later entry the older one.
        """
        found: list[tuple[float, Kept]] = []
        latest: dict[Path, float] = {}
        for file in sorted(self._files(stem), key=lambda file: file.name):
            if (kept := read(file)) is not None:
                latest[file.parent] = max(kept.time, latest.get(file.parent, kept.time))
                found.append((latest[file.parent], kept))
        found.sort(key=lambda row: (row[0], row[1].file.name))
        return [kept for _, kept in found]

    def _files(self, stem: str) -> Iterator[Path]:
        for stage in get_args(Stage):
            yield from self.folder.glob(f"*/{stem}.{stage}")

    def _trim(self, workspace: Path, cap: int) -> None:
        """What is over `cap` bytes goes, oldest first, and what killed processes left. What the disk keeps, stays."""
        total = 0
        for file in sorted(workspace.iterdir(), reverse=True):
            try:
                if file.suffix in (".tmp", ".lock"):
                    _sweep(file)
                    continue
                total += file.stat().st_size
                if total > cap and file.suffix != ".begun":
                    file.unlink()
            except (OSError, Timeout) as error:
                _log.debug("%s stays: %s", file, error)


def read(file: Path) -> Kept | None:
    """An entry's header; None for what is no entry of this version."""
    try:
        with file.open("rb") as source:
            row = json.loads(source.readline(_HEADER_MAX))
        if row["kaaj"] != _VERSION:
            return None
        return Kept(
            file,
            cast("Stage", file.suffix[1:]),
            str(row["change"]),
            str(row["task"]),
            str(row["session"]),
            tuple(map(Path, row["roots"])),
            {Path(path): digest for path, digest in row["before"].items()},
            {Path(path): digest for path, digest in row["after"].items()},
            str(row["undoes"]),
            str(row["summary"]),
            float(row["time"]),
            {Path(path): int(mode) for path, mode in row.get("modes", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("%s cannot be read: %s", file, error)
        return None


def load(kept: Kept) -> ChangeSet:
    """The whole change. Blocks. Raises OSError, ValueError (also for what another version wrote)."""
    with kept.file.open("rb") as source:
        source.readline(_HEADER_MAX)
        try:
            change: Any = from_json(json.loads(source.readline()))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{kept.file} is of another version of Kaaj") from error
    if not isinstance(change, ChangeSet):
        raise ValueError(f"{kept.file} holds no change")  # noqa: TRY004 - what it says is about the file
    return change


def moved(file: Path, stage: Stage | None) -> Path:
    """The entry in another stage; None deletes it. One call of the system: a kill finds it before or after."""
    if stage is None:
        file.unlink(missing_ok=True)
        return file
    return file.replace(file.with_suffix(f".{stage}"))


def staged(kept: Kept, stage: Stage) -> Kept:
    """The entry moved to another stage. Raises OSError."""
    return replace(kept, file=moved(kept.file, stage), stage=stage)


def _digests(digests: Digests) -> dict[str, str | None]:
    return {str(path): digest for path, digest in digests.items()}


def _modes(change: ChangeSet) -> dict[Path, int]:
    found: dict[Path, int] = {}
    for path, digest in change.before.items():
        if digest is not None:
            with suppress(OSError):  # it stands in an editor alone
                found[path] = stat.S_IMODE(path.stat().st_mode)
    return found


def _number(file: Path) -> int:
    head = file.name.partition("-")[0]
    return int(head) if head.isdecimal() else 0


def _held(path: Path) -> FileLock:
    """Raises Timeout where a process holds it, OSError."""
    lock = FileLock(path, blocking=False, thread_local=False)
    lock.acquire()
    return lock


def _sweep(file: Path) -> None:
    """What a process left that was killed while it wrote an entry. Raises Timeout where it lives, OSError."""
    entry = Entry(file, _held(file.with_suffix(".lock")))
    if file.suffix == ".tmp":
        file.unlink(missing_ok=True)
    entry.leave()
