"""Where a command may write: the workspace's folders, the temporary ones, and the usual devices."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SCRATCH: Final = ("/tmp", "/var/tmp", "/dev/shm", "/dev/fd", "/proc/self")  # noqa: S108 - the sandbox's own
_DEVICES: Final = ("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/full")

WORKSPACE: Final = "outside of the workspace"
COPY: Final = "not in the copy of the workspace that commands run on; use a path relative to its root"


@dataclass(frozen=True, slots=True)
class Places:
    """The absolute `roots` that a command works in, and the user's `home`.

    The roots are the workspace's, or those of its copy; `originals` are then the workspace's, which are outside. Looks
    at names only, never at the disk.
    """

    roots: tuple[str, ...]
    home: str
    originals: tuple[str, ...] = ()

    @classmethod
    def of(cls, roots: Sequence[Path], home: Path, originals: Sequence[Path] = ()) -> Places:
        return cls(tuple(map(str, roots)), str(home), tuple(map(str, originals)))

    @property
    def kind(self) -> str:
        return COPY if self.originals else WORKSPACE

    def join(self, text: str, base: str | None) -> str | None:
        """The absolute place that a path means in `base`; None where that is not known."""
        if text.startswith("/"):
            return posixpath.normpath("/" + text.lstrip("/"))
        return posixpath.normpath(posixpath.join(base, text)) if base is not None else None

    def outside(self, text: str, base: str | None) -> str | None:
        """The place, if it is one that no command may write to; None where it may, or where it cannot be told."""
        place = self.join(text, base) if text else None
        if place is None or place in _DEVICES:
            return None
        scratch = (*_SCRATCH, posixpath.join(self.home, ".cache"))
        if _within(place, self.roots) or (_within(place, scratch) and not _within(place, self.originals)):
            return None
        return place


def _within(place: str, folders: Sequence[str]) -> bool:
    return any(place == folder or place.startswith(folder.rstrip("/") + "/") for folder in folders)
