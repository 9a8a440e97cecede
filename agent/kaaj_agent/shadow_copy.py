"""One file of the workspace laid down a second time: reflinked where the file system can, copied where not.

Never hard-linked: a command that writes in place must not reach the user's file.
"""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

from kaaj_agent.shadow_budget import LARGE
from kaaj_agent.shadow_removal import remove
from kaaj_agent.shadow_survey import go_on

_FICLONE: Final = 0x40049409
"""`ioctl_ficlonerange(2)`: share the blocks of another file until one of the two is written."""

_CHUNK: Final = 1024 * 1024
_READ: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_MAKE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)

Stamp: TypeAlias = tuple[int, int, int, int, int]


def stamp_of(status: os.stat_result) -> Stamp:
    """How a file looks that nobody has touched since."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode


class Copier:
    """Copies from `root` to the same names in `folder`. Files above `limit` bytes only where blocks can be shared.

    Names are strings, relative, with `/`: making a Path costs more than copying a small file.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = f"{root}/"
        self._folder = f"{folder}/"
        self.clones = True
        """Whether blocks can be shared, as far as is known."""
        self.limit = LARGE

    def copy(self, name: str, status: os.stat_result, stop: threading.Event, *, fresh: bool) -> Stamp | None:
        """Lay one file down, `fresh` where none stands there yet. None where it is too large; then nothing was done.

        Raises OSError, Stopped.
        """
        reading = os.open(self._root + name, _READ)
        try:
            if status.st_size > self.limit and not self.clones:
                return None
            place = self._folder + name
            writing = _make(place, stat.S_IMODE(status.st_mode) & 0o777 | 0o600, fresh=fresh)
            try:
                if not self._clone(reading, writing):
                    if status.st_size > self.limit:
                        os.unlink(place)  # noqa: PTH108 - strings, see above
                        return None
                    _pour(reading, writing, status.st_size, stop)
                if fresh:
                    # Build tools go by time stamps: an untouched file keeps its own, one that takes another's place
                    # is new.
                    os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
                return stamp_of(os.fstat(writing))
            finally:
                os.close(writing)
        finally:
            os.close(reading)

    def try_to_clone(self, files: Mapping[str, os.stat_result], beside: Path) -> None:
        """Find out, with one file, whether blocks can be shared; how much may be copied depends on it."""
        name = next((name for name, status in files.items() if status.st_size), None)
        if not self.clones or name is None:
            return
        try:
            reading = os.open(self._root + name, _READ)
        except OSError:
            return
        try:
            with tempfile.TemporaryFile(dir=beside) as probe:
                self._clone(reading, probe.fileno())
        finally:
            os.close(reading)

    def _clone(self, reading: int, writing: int) -> bool:
        if not self.clones:
            return False
        try:
            from fcntl import ioctl  # noqa: PLC0415 - not on every system

            ioctl(writing, _FICLONE, reading)
        except (ImportError, OSError):
            self.clones = False
            return False
        return True


def _make(place: str, mode: int, *, fresh: bool) -> int:
    """A descriptor of a new file at a place, whatever stood there before."""
    if not fresh:
        make_room(Path(place))
    try:
        return os.open(place, _MAKE, mode)
    except FileExistsError:  # in a folder of outputs, which the scan leaves out
        make_room(Path(place))
        return os.open(place, _MAKE, mode)


def _pour(reading: int, writing: int, size: int, stop: threading.Event) -> None:
    most = min(_CHUNK, size + 1)  # a buffer for more costs more than the reading
    while data := os.read(reading, most):
        write_all(writing, data)
        if len(data) < most:
            return  # a regular file gives less only at its end
        most = _CHUNK
        go_on(stop)


def write_all(descriptor: int, data: bytes) -> None:
    """All of it, however many writes that takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def make_room(place: Path) -> None:
    """Take away whatever stands at a place; a link goes itself, not what it leads to."""
    try:
        place.unlink()
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):  # the latter on macOS
        remove(place)
