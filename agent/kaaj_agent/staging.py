"""The staging area of one task: reads see buffers over disk plus what is staged; nothing is written.

`Staging` is the one mutable owner of a change in the making. What leaves it is an immutable `ChangeSet`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.document import Document
from kaaj_agent.failures import FileError, MissingFileError
from kaaj_agent.hunks import rebase
from kaaj_agent.world import Folders, Snapshot


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
        name = self.folders.name_of(path)
        for file in self._files.values():
            if file.target == path and file.after is not None:
                before = file.before
                version = before.version if before else None
                style = before.format if before else Document(path, "").format
                return Document(path, file.after, version, style)
            if file.path == path:
                raise MissingFileError(f"{name} was moved or deleted in this change.", path=name)
        return await self.snapshot.read(path)

    async def find(self, path: Path) -> Document | None:
        try:
            return await self.read(path)
        except MissingFileError:
            return None

    async def put(self, path: Path, text: str) -> None:
        """The whole new text of a file, which need not exist."""
        held = self._at(path)
        if held is not None:
            self._store(replace(held, after=text))
            return
        gone = self._files.get(path)
        before = gone.before if gone and gone.after is None else await self.snapshot.find(path)
        self._store(FileChange(path, before, text))

    async def delete(self, path: Path) -> None:
        """Raises MissingFileError where there is no such file."""
        held = self._at(path)
        if held is None:
            self._store(FileChange(path, await self.snapshot.read(path), None))
        elif held.before is None:
            del self._files[held.path]
            self.revision += 1
        else:
            self._store(replace(held, after=None, new_path=None))

    async def rename(self, path: Path, new_path: Path) -> None:
        """Raises MissingFileError without the old file, FileError where the new one exists."""
        if await self.find(new_path) is not None:
            name = self.folders.name_of(new_path)
            raise FileError(f"{name} exists already; nothing was moved.", path=name)
        document = await self.read(path)
        held = self._at(path)
        if held is None:
            self._store(FileChange(path, document, document.text, new_path))
        elif held.before is None:
            del self._files[held.path]
            self._store(replace(held, path=new_path))
        else:
            self._store(replace(held, new_path=new_path if new_path != held.path else None))

    async def rebase(self, snapshot: Snapshot) -> tuple[Path, ...]:
        """Carry what is staged over to a newer snapshot; the paths that could not be carried are returned.

        Those keep their old base, so that the change stays complete and is refused as stale rather than half done.
        """
        self.snapshot = snapshot
        stale: list[Path] = []
        for file in self.files:
            now = await snapshot.find(file.path)
            if (now.digest if now else None) == (file.before.digest if file.before else None):
                if now is not None and file.before is not None and now.version != file.before.version:
                    self._files[file.path] = replace(file, before=now)
                continue
            if now is None or file.before is None or file.after is None:
                stale.append(file.path)
                continue
            carried = rebase(file.hunks, file.before.text, now.text)
            if carried is None:
                stale.append(file.path)
                continue
            todos = tuple(hunk.todo for hunk in file.hunks)
            moved = replace(file, before=now, after=carried).with_hunks()
            if len(moved.hunks) == len(todos):
                hunks = tuple(replace(h, todo=t) for h, t in zip(moved.hunks, todos, strict=True))
                moved = replace(moved, hunks=hunks)
            self._files[file.path] = moved
            self.revision += 1
        return tuple(stale)

    def _at(self, path: Path) -> FileChange | None:
        """The change whose result stands at `path`."""
        return next((f for f in self._files.values() if f.target == path and f.after is not None), None)

    def _store(self, file: FileChange) -> None:
        self.revision += 1
        earlier = self._files.get(file.path)
        if file.before is not None and file.after == file.before.text and file.new_path is None:
            self._files.pop(file.path, None)
            return
        self._files[file.path] = file.with_hunks(earlier, self.todo)
