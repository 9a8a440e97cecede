"""The world as the agent sees it: buffers over disk over nothing.

`World` is the one mutable owner of what editors have open; it lives on the event loop and is never handed to a
turn. A turn gets a `Snapshot`, which no keystroke can change.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from kaaj_agent import disk
from kaaj_agent.document import Document
from kaaj_agent.failures import FileError, MissingFileError, OutsideError

_WIDTHLESS: Final = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
FORBIDDEN: Final = frozenset({".git", ".hg", ".svn", ".jj"})
"""Folders that are neither read nor written through the agent, wherever they stand (some disks ignore case)."""

_SHORT: Final = re.compile(r"(?:git|hg|svn|jj)~\d+\Z")
_NAME_SHOWN: Final = 200


def is_version_control(name: str) -> bool:
    """Whether a name means one of `FORBIDDEN` on any disk: case and characters without width do not count on some,
    nor do dots and blanks at the end, streams after a colon, and there are short names such as `GIT~1`.
    """
    if name in FORBIDDEN:
        return True
    if name[:1] != "." and "~" not in name and name.isascii():  # most names, in walks
        return False
    bare = "".join(c for c in name if not _WIDTHLESS.match(c)).partition(":")[0].rstrip(". ").casefold()
    return bare in FORBIDDEN or _SHORT.match(bare) is not None


def printable(name: str) -> str:
    """A file's name on one line: line ends, terminal escapes, marks of direction and the like as escapes."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


@dataclass(frozen=True, slots=True)
class Folders:
    """The workspace folders, absolute, links resolved, in the editor's order."""

    roots: tuple[Path, ...]

    @classmethod
    def of(cls, *roots: Path) -> Folders:
        return cls(tuple(root.resolve() for root in roots))

    def resolve(self, name: str) -> Path:
        """The absolute path that a relative (or absolute) name means, links resolved.

        With several roots a name may begin with the folder's own name; a file that exists in one of them is
        preferred. Raises OutsideError where the path leaves the workspace or enters a version-control folder.
        """
        if not name or "\0" in name:
            raise OutsideError("A path is needed.", path=name)
        if not self.roots:
            raise OutsideError("No workspace folder is open.", path=name, hint="Open a folder first.")
        asked = Path(name)
        tries = [asked] if asked.is_absolute() else [root / asked for root in self.roots]
        if not asked.is_absolute() and len(self.roots) > 1:
            named = (root for root in self.roots if asked.parts[:1] == (root.name,))
            tries = [root.joinpath(*asked.parts[1:]) for root in named] + tries
        first: Path | None = None
        try:
            for candidate in tries:
                resolved = candidate.resolve()
                if self.root_of(resolved) is None:
                    continue
                if any(part.is_symlink() for part in (resolved, *resolved.parents)):
                    resolved.stat()  # what is left of a loop of links; raises OSError
                if resolved.exists():
                    return self._guard(resolved, name)
                first = first or resolved
        except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, no valid characters
            shown = name if len(name) <= _NAME_SHOWN else name[:_NAME_SHOWN] + "…"
            raise OutsideError(f"{shown!a} is not a usable path.", path=shown) from error
        if first is None:
            raise OutsideError(f"{name} is outside of the workspace.", path=name)
        return self._guard(first, name)

    def _guard(self, path: Path, name: str) -> Path:
        root = self.root_of(path)
        if root is None or any(map(is_version_control, path.relative_to(root).parts)):
            raise OutsideError(f"{name} belongs to version control, which Kaaj does not touch.", path=name)
        return path

    def root_of(self, path: Path) -> Path | None:
        """The innermost workspace folder that holds `path`."""
        holders = [root for root in self.roots if path.is_relative_to(root)]
        return max(holders, key=lambda root: len(root.parts), default=None)

    def name_of(self, path: Path) -> str:
        """The name that people and the model know `path` by: relative, with `/`, what does not show itself escaped."""
        root = self.root_of(path)
        if root is None:
            return printable(str(path))
        name = path.relative_to(root).as_posix()
        return printable(name if len(self.roots) == 1 else f"{root.name}/{name}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The folders and buffers of one moment. Files that no editor has open are read when they are asked for."""

    folders: Folders
    buffers: Mapping[Path, Document]

    async def read(self, path: Path) -> Document:
        """The buffer, else the file. Raises MissingFileError, NotTextError, TooLargeError, FileError."""
        buffer = self.buffers.get(path)
        if buffer is not None:
            disk.check_size(len(buffer.text), self.folders.name_of(path))
            return buffer
        return await asyncio.to_thread(disk.read, path, self.folders.name_of(path))

    async def find(self, path: Path) -> Document | None:
        """As `read`, with None where there is no such file."""
        try:
            return await self.read(path)
        except MissingFileError:
            return None

    async def holds(self, digests: Mapping[Path, str | None]) -> bool:
        """Whether each path has the text of that digest, or is no file where it is None."""
        try:
            texts = {path: await self.find(path) for path in digests}
        except FileError:
            return False  # what cannot be read is not known to be so
        return all((text.digest if text else None) == digests[path] for path, text in texts.items())


@dataclass(slots=True)
class World:
    """What is open now. Changes only on the event loop; listeners hear of each changed path."""

    folders: Folders = Folders(())
    _buffers: dict[Path, Document] = field(default_factory=dict[Path, Document])
    _listeners: list[Callable[[Path], None]] = field(default_factory=list[Callable[[Path], None]])

    def put(self, document: Document) -> None:
        """A buffer was opened or changed."""
        self._buffers[document.path] = document
        self.touched(document.path)

    def drop(self, path: Path) -> None:
        """A buffer was closed: its file on disk is the truth again."""
        if self._buffers.pop(path, None) is not None:
            self.touched(path)

    def buffer(self, path: Path) -> Document | None:
        return self._buffers.get(path)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.folders, MappingProxyType(dict(self._buffers)))

    def listen(self, listener: Callable[[Path], None]) -> Callable[[], None]:
        """Hear of each path whose text may have changed; the returned function ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def touched(self, path: Path) -> None:
        """A path's text may have changed (a keystroke, or a file on disk as the watcher saw it)."""
        for listener in tuple(self._listeners):
            listener(path)
