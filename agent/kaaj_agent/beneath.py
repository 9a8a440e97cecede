"""Files opened by a path in which nothing is a link: the path that was resolved is the one that is opened.

Between the moment in which a path is resolved and judged and the moment in which it is opened, a folder of it may be
replaced by a link that leads elsewhere. Here every part is opened from the part before it and none may be a link
(openat(2) with O_NOFOLLOW; macOS has O_NOFOLLOW_ANY), so that such a race is lost with an error. Where a system has
neither (Windows), the plain call is made. Paths are absolute, their links resolved. Everything blocks.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_ANY: Final = getattr(os, "O_NOFOLLOW_ANY", 0)
"""macOS: no part of the path may be a link."""
_PATH: Final = getattr(os, "O_PATH", 0)
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY: Final = getattr(os, "O_DIRECTORY", 0)
_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)
_STEPWISE: Final = bool(_PATH) and os.open in os.supports_dir_fd
_LINKED: Final = "a folder on the way was replaced by a link"


def open_file(path: Path, flags: int, mode: int = 0o666) -> int:
    """A descriptor, as `os.open` gives it; OSError (ELOOP) where a part of the path is a link."""
    if _ANY:
        return os.open(path, flags | _ANY | _CLOEXEC, mode)
    if not _STEPWISE:
        return os.open(path, flags | _CLOEXEC, mode)
    with folder_of(path) as folder:
        return os.open(path.name, flags | _NOFOLLOW | _CLOEXEC, mode, dir_fd=folder)


@contextmanager
def folder_of(path: Path) -> Generator[int | None]:
    """The folder that holds a path, as `dir_fd` for what is done to the path's last part; None where there is no such
    thing, and the path itself has to be named. Raises OSError (ELOOP) where a part of it is a link.
    """
    if not (_STEPWISE or _ANY):
        yield None
        return
    held = _descend(path.parent)
    try:
        yield held
    finally:
        os.close(held)


def name_in(path: Path, folder: int | None) -> str | Path:
    """What to call `path` in an operation relative to `folder`."""
    return path if folder is None else path.name


def _descend(folder: Path) -> int:
    if _ANY:
        return os.open(folder, os.O_RDONLY | _DIRECTORY | _ANY | _CLOEXEC)
    flags = _PATH | _NOFOLLOW | _CLOEXEC
    held = os.open(folder.anchor or os.curdir, flags | _DIRECTORY)
    try:
        for part in folder.parts[1:] if folder.anchor else folder.parts:
            inner = os.open(part, flags, dir_fd=held)
            os.close(held)
            held = inner
            _must_be_folder(held, folder)
    except BaseException:
        os.close(held)
        raise
    return held


def _must_be_folder(descriptor: int, folder: Path) -> None:
    """With O_PATH a link is opened itself. Raises OSError."""
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISLNK(kind):
        raise OSError(errno.ELOOP, _LINKED, str(folder))
    if not stat.S_ISDIR(kind):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def read_bytes(path: Path, most: int = -1) -> bytes:
    """A regular file's bytes, at most `most` of them. Raises OSError; EINVAL for what is no regular file."""
    descriptor = open_file(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most)


def replace(source: Path, target: Path) -> None:
    """Rename `source` to `target`, which stands in the same folder."""
    with folder_of(target) as folder:
        os.replace(name_in(source, folder), name_in(target, folder), src_dir_fd=folder, dst_dir_fd=folder)


def unlink(path: Path) -> None:
    with folder_of(path) as folder:
        os.unlink(name_in(path, folder), dir_fd=folder)


def make_folder(path: Path, mode: int = 0o777) -> None:
    """Make one folder where there is none; one that stands there is fine. Raises OSError."""
    with folder_of(path) as folder:
        try:
            os.mkdir(name_in(path, folder), mode, dir_fd=folder)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(name_in(path, folder), dir_fd=folder, follow_symlinks=False).st_mode):
                raise


def remove_folder(path: Path) -> None:
    """Remove an empty folder. Raises OSError."""
    with folder_of(path) as folder:
        os.rmdir(name_in(path, folder), dir_fd=folder)


def sync_folder(path: Path) -> None:
    """Make what was renamed in a folder last (fsync(2)). Raises OSError."""
    descriptor = open_file(path, os.O_RDONLY | _DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot sync folders
            raise
    finally:
        os.close(descriptor)
