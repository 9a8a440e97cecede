"""Taking an applied change back: a change set like any other, made against the texts as they stand now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from kaaj_agent.changes import Applied, ChangeSet, FileChange
from kaaj_agent.document import Document
from kaaj_agent.failures import BadRequestError, StaleError
from kaaj_agent.staging import Staging
from kaaj_agent.world import Snapshot


async def reverse(change: ChangeSet, now: Snapshot) -> ChangeSet:
    """The change that leads back to what was before `change`. It has the same id and task.

    Later edits of other lines stay. Raises StaleError where the lines themselves, or a file that was created,
    deleted or moved, are no longer as `change` left them: later edits are never overwritten. Raises
    BadRequestError where the change is not applied.
    """
    if not isinstance(change.state, Applied):
        raise BadRequestError("This change is not applied, so there is nothing to undo.", field="change")
    edited: set[Path] = set()
    for path, digest in change.state.after.items():
        document = await now.find(path)
        if (document.digest if document else None) != digest:
            edited.add(path)
    back: list[FileChange] = []
    stale: list[Path] = []
    for file in reversed(change.files):
        if not edited.intersection((file.path, file.target)):
            back.append(await _back(file, await now.find(file.target) if file.after is not None else None))
        elif (carried := await _carried(file, change.state.after, now)) is not None:
            back.append(carried)
        else:
            stale.append(file.target)
    if stale:
        names = tuple(now.folders.name_of(path) for path in stale)
        raise StaleError(
            f"{', '.join(names)} changed after the change was applied, where it would have to be taken back.",
            paths=names,
            kept="Nothing was undone, and the later edits are as they were.",
            hint="Take the later edits back first, or undo by hand.",
        )
    return ChangeSet(change.id, change.task, tuple(back), summary=f"Undo: {change.summary}".strip())


async def _carried(file: FileChange, after: Mapping[Path, str | None], now: Snapshot) -> FileChange | None:
    """An edit taken back in a text that was edited elsewhere since; None where that is not possible."""
    if file.kind != "edit" or file.after is None or after.get(file.path) != file.after_digest:
        return None  # (in the last case the editor itself had more to say about the text, as it was applied)
    left = Document(file.path, file.after, None, file.before.format if file.before else file.style)
    staging = Staging(now)
    staging.load((await _back(file, left),))
    if await staging.rebase(now):
        return None
    return staging.files[0]


async def _back(file: FileChange, current: Document | None) -> FileChange:
    """The way back from `current`, which is what the change left; None where it left nothing."""
    if current is None:
        old = file.before
        made = FileChange(file.path, None, old.text if old else "", style=old.format if old else file.style)
    elif file.before is None:
        made = FileChange(file.target, current, None)
    else:
        made = FileChange(file.target, current, file.before.text, file.path if file.new_path else None)
    return await asyncio.to_thread(made.with_hunks)
