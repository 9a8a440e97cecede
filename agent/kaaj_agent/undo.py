"""Taking an applied change back: a change set like any other, made against the texts as they stand now.

What was edited since is never overwritten. Where later edits stand in the way, `merged` makes a proposal out of both,
for the person to decide on.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kaaj_agent.changes import Applied, ChangeSet, FileChange, State, Undone
from kaaj_agent.document import Document
from kaaj_agent.failures import BadRequestError, StaleError
from kaaj_agent.staging import Staging
from kaaj_agent.threeway import Merged, merge
from kaaj_agent.world import Snapshot

NAMES: Final = ("as it is now", "before the change")
"""What stands beside the marks of a merge."""


@dataclass(frozen=True, slots=True)
class Merger:
    """A proposal that takes a change back around later edits. `conflicts` counts places that a person has to decide;
    `left` are the files that it does not touch, each with the reason.
    """

    change: ChangeSet
    conflicts: int
    left: tuple[str, ...]


def part_of(change: ChangeSet, path: Path | None) -> ChangeSet:
    """An applied change, or what it did to one file. Raises BadRequestError."""
    if not isinstance(change.state, Applied):
        raise BadRequestError("This change is not applied, so there is nothing to undo.", field="change")
    if path is None:
        return change
    files = [file for file in change.files if path in (file.path, file.target)]
    if not files:
        raise BadRequestError(f"{path.name} is not a part of this change.", field="uri")
    return only(change, files)


def only(change: ChangeSet, files: Iterable[FileChange]) -> ChangeSet:
    """An applied change with some of its files alone."""
    kept = replace(change, files=tuple(files))
    return replace(kept, state=_of_files(change.state, kept))


def _of_files(state: State, kept: ChangeSet) -> State:
    if not isinstance(state, Applied):
        return state
    names = {hunk.id for hunk in kept.hunks}
    after = {path: digest for path, digest in state.after.items() if path in kept.after}
    return replace(state, hunks=state.hunks.intersection(names), after=after)


def without(change: ChangeSet, gone: Iterable[FileChange], undone: str) -> tuple[ChangeSet, ...]:
    """An applied change once some of its files were taken back: what is left of it, and those, under the id `undone`.

    A change of which nothing is left is undone itself.
    """
    taken = tuple(gone)
    left = [file for file in change.files if file not in taken]
    if not left:
        return (change.to(Undone()),)
    return only(change, left), replace(change, id=undone, files=taken, state=Undone())


async def reverse(change: ChangeSet, now: Snapshot) -> ChangeSet:
    """The change that leads back to what was before `change`. It has the same id and task, and no files where that
    is how they are already.

    Later edits of other lines stay. Raises StaleError where the lines themselves, or a file that was created,
    deleted or moved, are no longer as `change` left them: later edits are never overwritten. Raises
    BadRequestError where the change is not applied.
    """
    back, stale = await _ways_back(change, now)
    if stale:
        names = tuple(now.folders.name_of(file.target) for file in stale)
        raise StaleError(
            f"{', '.join(names)} changed after the change was applied, where it would have to be taken back.",
            paths=names,
            kept="Nothing was undone, and the later edits are as they were.",
            hint="Undo with a merge to see both side by side, or take the later edits back first.",
        )
    return ChangeSet(change.id, change.task, tuple(back), summary=_summary(change), undoes=change.id)


async def merged(change: ChangeSet, now: Snapshot) -> Merger:
    """The way back with later edits kept: each file merged from what the change left (the base), what stands there
    now, and what stood there before. Raises BadRequestError where the change is not applied.
    """
    back, stale = await _ways_back(change, now)
    conflicts = 0
    left: list[str] = []
    for file in stale:
        made = await _merged(file, now)
        if isinstance(made, str):
            left.append(f"{now.folders.name_of(file.target)} {made}")
        else:
            text, one = made
            conflicts += text.conflicts
            back.append(one)
    name = "change-" + secrets.token_hex(5)
    summary = _summary(change, f", {conflicts} conflict{'s' * (conflicts != 1)}" if conflicts else "")
    proposal = ChangeSet(name, change.task, tuple(back), summary=summary, undoes=change.id)
    return Merger(proposal, conflicts, tuple(left))


def _summary(change: ChangeSet, with_what: str = "") -> str:
    return f"Undo{with_what}: {change.summary}".strip()


async def _ways_back(change: ChangeSet, now: Snapshot) -> tuple[list[FileChange], list[FileChange]]:
    """The files' ways back, and the files for which later edits stand in the way."""
    if not isinstance(change.state, Applied):
        raise BadRequestError("This change is not applied, so there is nothing to undo.", field="change")
    before = change.before
    edited: set[Path] = set()
    for path, digest in change.state.after.items():
        document = await now.find(path)
        if (document.digest if document else None) != digest:
            edited.add(path)
    back: list[FileChange] = []
    stale: list[FileChange] = []
    for file in reversed(change.files):
        if not edited.intersection((file.path, file.target)):
            back.append(await _back(file, await now.find(file.target) if file.after is not None else None))
        elif await now.holds({path: before[path] for path in (file.path, file.target)}):
            continue  # the person, or an undo that was cut off, has taken it back
        elif (carried := await _carried(file, change.state.after, now)) is not None:
            back.append(carried)
        else:
            stale.append(file)
    return back, stale


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


async def _merged(file: FileChange, now: Snapshot) -> tuple[Merged, FileChange] | str:
    """One file out of three texts, or why it is left alone."""
    current = await now.find(file.target)
    if file.before is None:
        return "was made by the change and edited since; it stays as it is"
    if current is None:
        return "was deleted or moved since; it stays so"
    place = None
    if file.new_path is not None:
        if await now.find(file.path) is not None:
            return "was moved by the change, and something else stands in its old place; it stays as it is"
        place = file.path
    text = await asyncio.to_thread(merge, file.after or "", current.text, file.before.text, NAMES)
    made = FileChange(file.target, current, text.text, place)
    return text, await asyncio.to_thread(made.with_hunks)
