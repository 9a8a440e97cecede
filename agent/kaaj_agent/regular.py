"""Reading what stands under a name that is looked for: a regular file, or nothing. It never waits.

To open a named pipe to read waits for ever for somebody who writes, and a device may never end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

_MOST: Final = 1_048_576


def first_bytes(path: Path, limit: int = _MOST) -> bytes:
    """At most `limit` bytes of a regular file, links followed. Raises OSError, also for what is no regular file."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        return file.read(limit)


def first_text(path: Path, limit: int = _MOST) -> str:
    """As `first_bytes`, as UTF-8; what is none becomes U+FFFD."""
    return first_bytes(path, limit).decode("utf-8", "replace")
