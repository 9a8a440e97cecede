"""Taking an applied change back: a change set like any other, made against the texts as they stand now."""

from __future__ import annotations

import asyncio

from kaaj_agent.changes import Applied, ChangeSet, FileChange
from kaaj_agent.failures import BadRequestError, StaleError
from kaaj_agent.world import Snapshot


async def reverse(change: ChangeSet, now: Snapshot) -> ChangeSet:
    """The change that leads back to what was before `change`. It has the same id and task.

    Raises StaleError where a touched file is no longer as `change` left it: later edits are never overwritten.
    Raises BadRequestError where the change is not applied.
    """
    if not isinstance(change.state, Applied):
        raise BadRequestError("This change is not applied, so there is nothing to undo.", field="change")
    edited: list[str] = []
    for path, digest in change.state.after.items():
        document = await now.find(path)
        if (document.digest if document else None) != digest:
            edited.append(now.folders.name_of(path))
    if edited:
        raise StaleError(
            f"{', '.join(edited)} changed after the change was applied.",
            paths=tuple(edited),
            kept="Nothing was undone, and the later edits are as they were.",
            hint="Take the later edits back first, or undo by hand.",
        )
    files = [await _back(file, now) for file in reversed(change.files)]
    return ChangeSet(change.id, change.task, tuple(files), summary=f"Undo: {change.summary}".strip())


async def _back(file: FileChange, now: Snapshot) -> FileChange:
    current = await now.find(file.target) if file.after is not None else None
    if current is None:
        old = file.before
        made = FileChange(file.path, None, old.text if old else "", style=old.format if old else file.style)
    elif file.before is None:
        made = FileChange(file.target, current, None)
    else:
        made = FileChange(file.target, current, file.before.text, file.path if file.new_path else None)
    return await asyncio.to_thread(made.with_hunks)
