"""What a change means in bytes: every base compared again, every target verified, before anything is written."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent import beneath, disk
from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.document import Document, encode
from kaaj_agent.failures import ApplyError, FileError, MissingFileError, OutsideError, StaleError
from kaaj_agent.world import Folders, is_version_control

_KEPT: Final = "Nothing was written."


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of the bytes at one path. Digests are SHA-256 of the bytes; None means that no file stands there.

    `mode` is the old file's, or, for a new one, that of the file whose place it takes; None leaves it to the umask.
    """

    path: str
    before: str | None
    after: str | None
    mode: int | None
    temporary: str


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Everything an apply needs, read and verified before anything is written."""

    change: str
    steps: tuple[Step, ...]
    images: dict[str, bytes]
    news: dict[str, bytes]
    folders: tuple[str, ...]


def plan_of(change: ChangeSet, folders: Folders, modes_before: Mapping[Path, int] | None = None) -> WritePlan:
    """Compare every base again and work out the bytes. Raises StaleError, OutsideError, NotTextError, ApplyError.

    A file that is made anew gets its permissions of `modes_before`, if it had any.
    """
    held: dict[Path, bytes | None] = {}
    wanted: dict[Path, bytes | None] = {}
    modes: dict[Path, int | None] = {}
    stale: list[str] = []
    for file in change.files:
        path, target = _place(file.path, folders), _place(file.target, folders)
        name = folders.name_of(file.path)
        document = _now(path, name)
        held[path] = bytes_at(path)
        if (document.digest if document else None) != (file.before.digest if file.before else None):
            stale.append(name)
            continue
        _refuse_readonly(path, name)
        wanted.setdefault(path, None)
        if file.after is not None:
            _refuse_readonly(target, folders.name_of(target))
            if wanted.get(target) is not None:
                raise ApplyError(f"Two files of the change become {folders.name_of(target)}.", kept=_KEPT)
            wanted[target] = _new_bytes(file, document, name)
            known = (modes_before or {}).get(file.target)
            modes[target] = stat.S_IMODE(path.stat().st_mode) if document else known
    for target in wanted:
        if target not in held:
            held[target] = bytes_at(target)
            if held[target] is not None:
                stale.append(folders.name_of(target))
    if stale:
        raise StaleError(
            f"{', '.join(dict.fromkeys(stale))} changed on disk since the change was made.",
            paths=tuple(dict.fromkeys(stale)),
            kept=_KEPT,
            hint="Run the task again on the files as they are now.",
        )
    steps: list[Step] = []
    for path, data in wanted.items():
        before = held[path]
        if before == data:
            continue
        mode = stat.S_IMODE(path.stat().st_mode) if before is not None else modes.get(path)
        temporary = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex[:12]}.kaaj")
        steps.append(Step(str(path), sum_of(before), sum_of(data), mode, str(temporary)))
    images = {step.path: held[Path(step.path)] or b"" for step in steps if step.before is not None}
    news = {step.path: wanted[Path(step.path)] or b"" for step in steps if step.after is not None}
    return WritePlan(change.id, tuple(steps), images, news, tuple(_missing_folders(map(Path, news))))


def _place(path: Path, folders: Folders) -> Path:
    """The path with its links resolved. Raises OutsideError where that leaves the workspace."""
    resolved = path.resolve()
    root = folders.root_of(resolved)
    name = folders.name_of(path)
    if root is None or resolved == root:
        link = " through a link" if folders.root_of(path) is not None else ""
        raise OutsideError(f"{name} leads out of the workspace{link}; nothing was written.", path=name)
    if any(map(is_version_control, resolved.relative_to(root).parts)):
        raise OutsideError(f"{name} belongs to version control, which Kaaj does not touch.", path=name)
    return resolved


def _now(path: Path, name: str) -> Document | None:
    try:
        return disk.read(path, name)
    except MissingFileError:
        return None
    except FileError as error:
        raise ApplyError(str(error), kept=_KEPT) from error


def bytes_at(path: Path) -> bytes | None:
    try:
        return beneath.read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise ApplyError(f"{path} is a folder, or no regular file.", kept=_KEPT) from error
        raise


def _new_bytes(file: FileChange, now: Document | None, name: str) -> bytes:
    style = now.format if now is not None else file.style
    return encode(file.after or "", style, name)


def _refuse_readonly(path: Path, name: str) -> None:
    """A rename would replace a read-only file all the same; that it is read-only is somebody's wish."""
    hint = "Make it writable, then accept the change again."
    try:
        status = path.stat()
    except FileNotFoundError:
        folder = next(parent for parent in path.parents if parent.exists())
    else:
        if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
            raise ApplyError(f"{name} is read-only.", kept=_KEPT, hint=hint)
        folder = path.parent
    if not folder.is_dir():
        raise ApplyError(f"{name} cannot be made: {folder} is not a folder.", kept=_KEPT)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ApplyError(f"{name} cannot be written: its folder is read-only.", kept=_KEPT, hint=hint)


def _missing_folders(files: Iterable[Path]) -> list[str]:
    """Folders that have to be made, outermost first."""
    missing = {parent for file in files for parent in file.parents if not parent.exists()}
    return [str(folder) for folder in sorted(missing, key=lambda folder: len(folder.parts))]


def sum_of(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()
