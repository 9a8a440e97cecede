"""The staging area of one task: reads see buffers over disk plus what is staged; nothing is written.

`Staging` is the one mutable owner of a change in the making. What leaves it is an immutable `ChangeSet`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.document import Document
from kaaj_agent.failures import FileError, MissingFileError
from kaaj_agent.hunks import rebase
from kaaj_agent.redaction import MARK
from kaaj_agent.world import Folders, Snapshot

SMALL: Final = 32_000
"""Characters up to which texts are compared at once."""

P = ParamSpec("P")
T = TypeVar("T")


class Staging:
    """What a task has changed so far, over the newest snapshot that it was given.

    `todo` is the to-do item that new hunks serve. Every method is atomic: where it raises, nothing has changed.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.todo: str | None = None
        self._files: dict[Path, FileChange] = {}
        self.revision = 0
        """Counts the changes of the staged state, so that a check can be skipped when nothing changed since."""

    @property
    def folders(self) -> Folders:
        return self.snapshot.folders

    @property
    def files(self) -> tuple[FileChange, ...]:
        return tuple(self._files.values())

    def change(self, change_id: str, task: str, summary: str = "") -> ChangeSet:
        return ChangeSet(change_id, task, self.files, summary=summary)

    def load(self, files: tuple[FileChange, ...]) -> None:
        """Replace everything staged: back to an earlier `files`."""
        self._files = {file.path: file for file in files}
        self.revision += 1

    async def read(self, path: Path) -> Document:
        """The text as it stands with what is staged. Raises as `Snapshot.read`."""
        held = self._at(path)
        if held is not None and held.after is not None:
            before = held.before
            version = before.version if before else None
            return Document(path, held.after, version, before.format if before else held.style)
        if path in self._files:
            name = self.folders.name_of(path)
            raise MissingFileError(f"{name} was moved or deleted in this change.", path=name)
        return await self.snapshot.read(path)

    async def find(self, path: Path) -> Document | None:
        try:
            return await self.read(path)
        except MissingFileError:
            return None

    async def put(self, path: Path, text: str) -> None:
        """The whole new text of a file, which need not exist. Raises FileError where it would lose a secret."""
        held = self._at(path)
        if MARK in text:
            before = await self.find(path)
            self._keep_secrets(path, before.text if before else "", text)
        if held is not None:
            await self._store(replace(held, after=text))
            return
        gone = self._files.get(path)
        if gone is None:
            await self._store(FileChange(path, await self.snapshot.find(path), text))
        elif gone.after is None:
            await self._store(FileChange(path, gone.before, text))
        else:  # it was moved away: what was moved becomes a new file, and this one keeps its base
            style = gone.before.format if gone.before else gone.style
            moved = await self._made(FileChange(gone.target, None, gone.after, style=style), None)
            fresh = await self._made(FileChange(path, gone.before, text), None)
            del self._files[path]
            self._keep(moved)
            self._keep(fresh)

    async def delete(self, path: Path) -> None:
        """Raises MissingFileError where there is no such file."""
        held = self._at(path)
        if held is None:
            await self._store(FileChange(path, await self.read(path), None))
        elif held.before is None:
            del self._files[held.path]
            self.revision += 1
        else:
            await self._store(replace(held, after=None, new_path=None))

    async def rename(self, path: Path, new_path: Path) -> None:
        """Raises MissingFileError without the old file, FileError where the new one exists."""
        if await self.find(new_path) is not None:
            name = self.folders.name_of(new_path)
            raise FileError(f"{name} exists already; nothing was moved.", path=name)
        document = await self.read(path)
        held = self._at(path)
        taken = self._files.get(new_path)
        if taken is not None and taken is not held:
            # another file stood there before this change: it gets the new text, so that its base is still compared
            await self.delete(path)
            await self.put(new_path, document.text)
        elif held is None:
            await self._store(FileChange(path, document, document.text, new_path))
        elif held.before is None:
            made = await self._made(replace(held, path=new_path), None)
            del self._files[held.path]
            self._keep(made)
        else:
            await self._store(replace(held, new_path=new_path if new_path != held.path else None))

    def drop(self, hunks: Collection[str]) -> None:
        """Take hunks out again, by id. A file that is left with none of its hunks is as it was."""
        for path, file in tuple(self._files.items()):
            left = file.only({hunk.id for hunk in file.hunks}.difference(hunks))
            if left is None:
                del self._files[path]
            else:
                self._files[path] = left
        self.revision += 1

    async def rebase(self, snapshot: Snapshot) -> tuple[Path, ...]:
        """Carry what is staged over to a newer snapshot; the paths that could not be carried are returned.

        Those keep their old base, so that the change stays complete and is refused as stale rather than half done.
        """
        stale: list[Path] = []
        carried: dict[Path, FileChange] = {}
        for file in self.files:
            fresh = await self._carried(file, snapshot)
            if fresh is None:
                stale.append(file.path)
            elif fresh is not file:
                carried[file.path] = fresh
        self.snapshot = snapshot
        for path, file in carried.items():
            if file.after != self._files[path].after:
                self.revision += 1
            self._files[path] = file
        return tuple(stale)

    async def _carried(self, file: FileChange, snapshot: Snapshot) -> FileChange | None:
        """A file's change on the text that stands there now; None where it cannot be carried over."""
        try:
            now = await snapshot.find(file.path)
            if file.new_path is not None and await snapshot.find(file.new_path) is not None:
                return None
        except FileError:
            return None  # it is no text any more, or cannot be read
        if (now.digest if now else None) == (file.before.digest if file.before else None):
            moved_on = now is not None and file.before is not None and now.version != file.before.version
            return replace(file, before=now) if moved_on else file
        if now is None or file.before is None or file.after is None:
            return None
        if file.after == file.before.text:  # moved only
            return replace(file, before=now, after=now.text)
        return await _aside(max(len(now.text), len(file.after)), _moved_on, file, file.before, now)

    def _keep_secrets(self, path: Path, before: str, text: str) -> None:
        """The model was not shown what `MARK` stands for: a text with more of them than there were would destroy it."""
        if text.count(MARK) > before.count(MARK):
            name = self.folders.name_of(path)
            raise FileError(
                f"{name} would get `{MARK}` in the place of a secret that you were not shown.",
                path=name,
                kept="Nothing changed.",
                hint="Change the lines around it with smaller edits.",
            )

    def _at(self, path: Path) -> FileChange | None:
        """The change whose result stands at `path`."""
        return next((f for f in self._files.values() if f.target == path and f.after is not None), None)

    async def _store(self, file: FileChange) -> None:
        self._keep(await self._made(file, self._files.get(file.path)))

    async def _made(self, file: FileChange, earlier: FileChange | None) -> FileChange:
        """The change with its hunks."""
        return await _aside(len(file.after or ""), file.with_hunks, earlier, self.todo)

    def _keep(self, file: FileChange) -> None:
        self.revision += 1
        if file.before is not None and file.after == file.before.text and file.new_path is None:
            self._files.pop(file.path, None)
        else:
            self._files[file.path] = file


async def _aside(size: int, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """Comparing texts of some size takes its time, which is not the event loop's."""
    if size < SMALL:
        return work(*args, **more)
    return await asyncio.to_thread(work, *args, **more)


def _moved_on(file: FileChange, before: Document, now: Document) -> FileChange | None:
    """An edit of `before` made on `now`; None where they meet. Its hunks keep their to-do items."""
    after = rebase(file.hunks, before.text, now.text)
    if after is None:
        return None
    moved = replace(file, before=now, after=after).with_hunks()
    if len(moved.hunks) != len(file.hunks):
        return moved
    todos = (hunk.todo for hunk in file.hunks)
    return replace(moved, hunks=tuple(replace(h, todo=t) for h, t in zip(moved.hunks, todos, strict=True)))
