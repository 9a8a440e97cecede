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
    """The absolute `roots` of the workspace, or of its copy, and the user's `home`. `kind` says in words what is not in
    them. Looks at names only, never at the disk.
    """

    roots: tuple[str, ...]
    home: str
    kind: str = WORKSPACE

    @classmethod
    def of(cls, roots: Sequence[Path], home: Path, kind: str = WORKSPACE) -> Places:
        return cls(tuple(str(root) for root in roots), str(home), kind)

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
        within = (*self.roots, *_SCRATCH, posixpath.join(self.home, ".cache"))
        if any(place == root or place.startswith(root.rstrip("/") + "/") for root in within):
            return None
        return place
