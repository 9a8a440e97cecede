"""Bytes that are on the disk when the call returns: write, fsync, rename, fsync of the folder (fsync(2), rename(2)).

What is written here goes straight to the system, without a buffer of Python's, so that nothing waits to be flushed.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from kaaj_agent import beneath

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def write_new(path: Path, data: bytes, mode: int | None) -> None:
    """A new file with these bytes, on disk when this returns; its name is once its folder is synced. Raises OSError."""
    fill(os.open(path, _NEW, 0o666), data, mode)


def write_beneath(path: Path, data: bytes, mode: int | None) -> None:
    """The same in a workspace, where no part of the path may have become a link meanwhile."""
    fill(beneath.open_file(path, _NEW), data, mode)


def fill(descriptor: int, data: bytes, mode: int | None) -> None:
    """Write a file that was just made, sync and close it. Raises OSError."""
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        if mode is not None:
            os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Names that were made, moved or removed in `folder` are on disk when this returns. Raises OSError."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # a system on which folders cannot be opened
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot sync folders
            raise
    finally:
        os.close(descriptor)
