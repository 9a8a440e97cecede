"""Decisions on proposed changes: accept, reject, undo. Each looks again before anything is written.

Decisions on the same task or the same file take turns; others do not wait. What has begun is brought to its end in a
task of its own, whoever waits for it: nobody is held up by an editor that does not answer, and a cancel least of all.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from kaaj_agent import events as ev
from kaaj_agent.changes import Applied, ChangeSet, CheckResult, FileChange, Proposed, Rejected, Stale
from kaaj_agent.failures import BadRequestError, KaajError, StaleError
from kaaj_agent.ports import Applier, Written
from kaaj_agent.prompt import APPLIED, PART_APPLIED, refusal_text
from kaaj_agent.refusals import SUPERSEDED, taken_back_text
from kaaj_agent.session import Session
from kaaj_agent.staging import Staging
from kaaj_agent.turns import Turns
from kaaj_agent.undo import merged, part_of, reverse, without
from kaaj_agent.world import Folders, World

CANCELLED: Final = "cancelled"
GRACE: Final = 0.2
"""Seconds that a cancel waits for a change that is just being applied. Most are applied by then, and the task done."""

PATIENCE: Final = 1.0
"""Seconds that a decision waits for another one on the same change. Most have come to their end by then."""

_LATE: Final = "The editor has made the edit of the cancelled task after all; undo the change to take it back."
_HALF: Final = "Of the edit of the cancelled task a part came through; the change is kept, to apply it or reject it."


@dataclass(slots=True)
class Reviews:
    """A second decision on the same change meets its new state.

    What has begun is brought to its end also where the one who asked for it has gone: what stands in the user's
    files is then known, told, and can be taken back.
    """

    world: World
    applier: Applier
    deciding: set[str] = field(default_factory=set[str])
    """The changes that are just being decided on."""
    abandoned: set[str] = field(default_factory=set[str])
    """Those of them whose task was cancelled meanwhile."""
    _turns: Turns = field(default_factory=Turns)
    _works: dict[asyncio.Task[ChangeSet], str] = field(default_factory=dict["asyncio.Task[ChangeSet]", str])
    """The decisions that have an owner here, each with its change."""

    async def accept(
        self, session: Session, change_id: str, digest: str, hunks: Sequence[str] | None = None
    ) -> ChangeSet:
        """Apply the change, or the chosen hunks of it: the others then stay proposed, as a change of their own.

        Raises BadRequestError, StaleError, ApplyError.
        """
        return await self._decide(session, change_id, lambda: self._accept(session, change_id, digest, hunks))

    async def reject(
        self, session: Session, change_id: str, digest: str, hunks: Sequence[str] | None = None, reason: str = ""
    ) -> ChangeSet:
        """Refuse the change, or take some hunks out of it. Raises BadRequestError, StaleError."""
        await self._not_at_once(change_id)
        async with self._turns.take((session.changes[change_id].task,)):
            change, check = _proposed(session, change_id, digest)
            refused = [hunk.id for hunk in _choose(change, hunks).hunks]
            rest = change.only({hunk.id for hunk in change.hunks}.difference(refused))
            self._refuse(session, change, refused, reason)
            if rest.files:
                left = rest.to(Proposed(_of_part(check)))
                session.emit(ev.ChangeChanged(change.task, left))
                return left
            gone = change.to(Rejected(reason))
            session.emit(ev.ChangeChanged(change.task, gone))
            if any(one.task == change.task and isinstance(one.state, Applied) for one in session.changes.values()):
                _finish(session, change.task, "done", "The rest of the change was refused.")
            else:
                _finish(session, change.task, "stopped", "The change was refused; nothing was written.")
            return gone

    async def undo(
        self, session: Session, change_id: str, path: Path | None = None, *, merge: bool = False
    ) -> ChangeSet:
        """Take an applied change back, or what it did to one file. With `merge` nothing is written: what leads back
        is proposed, later edits merged into it, as a change of its own, which is returned.

        Raises BadRequestError, StaleError where a file was edited since (not with `merge`), ApplyError.
        """
        if merge:
            return await self._decide(session, change_id, lambda: self._merge(session, change_id, path))
        return await self._decide(session, change_id, lambda: self._undo(session, change_id, path))

    async def cancel(self, session: Session, task: str) -> None:
        """End a task that does not run any more and waits for a decision; its proposal is refused.

        What is just being applied is not torn: it comes to its end, and what became of it is told, if need be after
        the task's.
        """
        busy = self.deciding.intersection(change.id for change in session.changes.values() if change.task == task)
        if session.tasks[task].status is None and busy:
            self.abandoned |= busy
            await asyncio.wait([work for work, change in self._works.items() if change in busy], timeout=GRACE)
        if session.tasks[task].status is not None:
            return
        waiting = [change for change in session.proposed() if change.task == task]
        for change in waiting:
            if change.id not in busy:
                self._refuse_all(session, change, CANCELLED)
        asked = any(change.id in busy for change in waiting)
        untold = "Cancelled while the editor was making the edit; if it still comes, you are told."
        _finish(session, task, "cancelled", untold if asked else "Cancelled; nothing was changed.")

    async def settled(self) -> None:
        """Until nothing is being decided on."""
        await self._turns.over()

    async def close(self, seconds: float) -> None:
        """What is being decided on gets that long to come to its end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.settled()
        works = tuple(self._works)
        for work in works:
            work.cancel()
        if works:
            await asyncio.wait(works)

    async def _decide(self, session: Session, change_id: str, decide: Callable[[], Awaitable[ChangeSet]]) -> ChangeSet:
        """What is decided on in a task of its own, in its turn. Cancelled while it waits, nothing has begun."""
        await self._not_at_once(change_id)
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        work = asyncio.create_task(self._in_turn(session, change_id, decide, begun))
        self._works[work] = change_id
        work.add_done_callback(self._ended)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if not begun.done():
                work.cancel()
            raise

    async def _not_at_once(self, change_id: str) -> None:
        """Whoever decides on a change that an editor is asked to apply is told so, and not kept until it answers.

        Raises BadRequestError.
        """
        if change_id in self.deciding:
            await asyncio.wait([work for work, change in self._works.items() if change == change_id], timeout=PATIENCE)
        if change_id in self.deciding:
            raise BadRequestError(
                "This change is being applied or taken back by the editor, which has not answered yet.",
                field="change",
                kept="This decision was left out.",
                hint="Decide once it has answered, or has been given up.",
            )

    def _ended(self, work: asyncio.Task[ChangeSet]) -> None:
        self._works.pop(work, None)
        if not work.cancelled():
            work.exception()  # looked at: whoever asked may have gone

    async def _in_turn(
        self,
        session: Session,
        change_id: str,
        decide: Callable[[], Awaitable[ChangeSet]],
        begun: asyncio.Future[None],
    ) -> ChangeSet:
        change = session.changes[change_id]
        places = {place for file in change.files for place in (file.path, file.target)}
        async with self._turns.take((change.task, *places)):
            begun.set_result(None)
            self.deciding.add(change_id)
            try:
                return await decide()
            finally:
                self.deciding.discard(change_id)
                self.abandoned.discard(change_id)

    async def _accept(self, session: Session, change_id: str, digest: str, hunks: Sequence[str] | None) -> ChangeSet:
        change, check = _proposed(session, change_id, digest)
        chosen = _choose(change, hunks)
        _inside(chosen, self.world.folders)
        if await self.world.snapshot().holds(chosen.after):  # the editor did it late, or the person by hand
            ready, written = chosen, Written(chosen.after)
        else:
            ready = await self._carried(session, change, chosen)
            written = await self._write(session, change, ready)
        taken = frozenset(hunk.id for hunk in chosen.hunks)
        rest = change.only({hunk.id for hunk in change.hunks}.difference(taken))
        applied = ready.to(Applied(_of_part(check) if rest.files else check, taken, written.after))
        session.emit(ev.ChangeChanged(change.task, applied))
        if change.id in self.abandoned and session.tasks[change.task].status is not None:
            session.emit(ev.Noticed(change.task, "warning", _LATE))
        session.feedback.append(PART_APPLIED if rest.files else APPLIED)
        self._undoes(session, change, rest)
        if rest.files:
            left = await self._left(rest)
            session.emit(ev.ChangeChanged(change.task, left.to(Proposed(_of_part(check)))))
        else:
            count = len(applied.hunks)
            _finish(session, change.task, "done", change.summary or f"Applied {count} hunk{'s' * (count != 1)}.")
        return applied

    def _undoes(self, session: Session, change: ChangeSet, rest: ChangeSet) -> None:
        """Where the change that was applied takes another one back, the files that it did whole count as undone."""
        undone = session.changes.get(change.undoes)
        if undone is None or not isinstance(undone.state, Applied):
            return
        waiting = {file.path for file in rest.files}
        done = {path for file in change.files if file.path not in waiting for path in (file.path, file.target)}
        gone = [file for file in undone.files if done.intersection((file.path, file.target))]
        if gone:
            self.taken_back(session, undone, gone)

    async def _write(self, session: Session, change: ChangeSet, ready: ChangeSet) -> Written:
        """Apply; what does not come through for a task that was cancelled is refused. Raises as the applier does."""
        try:
            if change.id in self.abandoned:
                raise BadRequestError("The task was cancelled.", field="change", kept="Nothing was written.")
            if session.log.busy:  # what is about to be applied can be undone after a crash, too
                await asyncio.to_thread(session.log.flush)
            return await self.applier.apply(ready)
        except KaajError:
            if change.id in self.abandoned:
                if await self.world.snapshot().holds(ready.before):
                    self._refuse_all(session, change, CANCELLED)
                else:
                    session.emit(ev.Noticed(change.task, "warning", _HALF))
            raise

    async def _left(self, rest: ChangeSet) -> ChangeSet:
        """What was not chosen, as a change of its own, on the texts as they are now.

        What doesn't fit them keeps its base: the decision on it will say so. The hunks keep their ids, so that the
        evidence of to-do items still names them.
        """
        staging = Staging(self.world.snapshot())
        staging.load(tuple(map(_moved, rest.files)))
        await staging.rebase(staging.snapshot)
        files = tuple(_named_alike(new, old) for new, old in zip(staging.files, rest.files, strict=True))
        return ChangeSet("change-" + secrets.token_hex(5), rest.task, files, summary=rest.summary, undoes=rest.undoes)

    async def _carried(self, session: Session, change: ChangeSet, chosen: ChangeSet) -> ChangeSet:
        """What was chosen, made for the texts of now. Raises StaleError, after the session was told."""
        staging = Staging(self.world.snapshot())
        staging.load(chosen.files)
        stale = await staging.rebase(self.world.snapshot())
        if stale:
            names = tuple(staging.folders.name_of(path) for path in stale)
            session.emit(ev.ChangeChanged(change.task, change.to(Stale(stale))))
            _finish(session, change.task, "stopped", f"Not applied: {', '.join(names)} changed meanwhile.")
            raise StaleError(
                f"{', '.join(names)} changed where the proposal edits it.",
                paths=names,
                kept="Nothing was written.",
                hint="Start the task again on the new text.",
            )
        return ChangeSet(change.id, change.task, staging.files, change.state, change.summary, change.undoes)

    async def _undo(self, session: Session, change_id: str, path: Path | None) -> ChangeSet:
        change = session.changes[change_id]
        part = part_of(change, path)
        _inside(part, self.world.folders)
        now = self.world.snapshot()
        if not await now.holds(part.before):  # else the person took it back by their editor's own undo
            back = await reverse(part, now)
            if back.files:
                await self.applier.apply(back)
        return self.taken_back(session, change, part.files)

    def taken_back(self, session: Session, change: ChangeSet, gone: Sequence[FileChange]) -> ChangeSet:
        """Some files of an applied change, or all, are as they were before it: tell the session."""
        left = without(change, gone, "change-" + secrets.token_hex(5))
        for one in left:
            session.emit(ev.ChangeChanged(change.task, one))
        names = {hunk.id for file in gone for hunk in file.hunks}
        if len(left) == 1 and isinstance(change.state, Applied):
            # A hunk's id holds its place, and the evidence names the hunks as they were proposed: perhaps elsewhere.
            names.update(change.state.hunks)
        session.set_todo(change.task, session.tasks[change.task].todo.reopen(names), "harness")
        session.feedback.append(taken_back_text(change, left[0], self.world.folders))
        return left[-1]

    async def found_applied(self, session: Session, change: ChangeSet, written: ChangeSet) -> None:
        """A proposal that the last process was just applying when it died: `written` stands in the files.

        What is not a part of it is proposed anew.
        """
        check = change.check or CheckResult("none")
        taken = _same_hunks(change, written)
        rest = change.only({hunk.id for hunk in change.hunks} - taken)
        part = _of_part(check) if rest.files else check
        applied = replace(written, state=Applied(part, taken, written.after), summary=change.summary)
        session.emit(ev.ChangeChanged(change.task, applied))
        session.feedback.append(PART_APPLIED if rest.files else APPLIED)
        self._undoes(session, change, rest)
        if rest.files:
            left = await self._left(rest)
            session.emit(ev.ChangeChanged(change.task, left.to(Proposed(_of_part(check)))))
        else:
            _finish(session, change.task, "done", change.summary or "Applied.")

    async def _merge(self, session: Session, change_id: str, path: Path | None) -> ChangeSet:
        change = session.changes[change_id]
        found = await merged(part_of(change, path), self.world.snapshot())
        told = "; ".join(found.left)
        if not found.change.files:
            why = f"{told}." if told else "The files are as they were before the change."
            raise BadRequestError(why, field="change", kept="Nothing was undone.")
        for earlier in session.proposed():
            if earlier.undoes == change_id:
                session.emit(ev.ChangeChanged(change.task, earlier.to(Rejected(SUPERSEDED))))
        proposal = found.change.to(Proposed(CheckResult("none", parsed=not found.conflicts)))
        session.emit(ev.ChangeChanged(change.task, proposal))
        words = "Taking the change back is proposed, with what was edited since kept."
        if found.conflicts:
            words += f" In {found.conflicts} place{'s' * (found.conflicts != 1)} both texts stand between marks."
        words = f"{words} Left alone: {told}." if told else words
        session.emit(ev.Noticed(change.task, "warning" if found.conflicts else "info", words))
        return proposal

    def _refuse_all(self, session: Session, change: ChangeSet, reason: str) -> None:
        self._refuse(session, change, [hunk.id for hunk in change.hunks], reason)
        session.emit(ev.ChangeChanged(change.task, change.to(Rejected(reason))))

    def _refuse(self, session: Session, change: ChangeSet, refused: Sequence[str], reason: str) -> None:
        session.feedback.append(refusal_text(change, self.world.folders, refused, reason))
        session.set_todo(change.task, session.tasks[change.task].todo.reopen(refused), "harness")


def _moved(file: FileChange) -> FileChange:
    """A change of a file that was renamed together with the hunks that were taken."""
    if file.new_path is None or file.before is None:
        return file
    return replace(file, path=file.new_path, new_path=None, before=replace(file.before, path=file.new_path))


def _named_alike(new: FileChange, old: FileChange) -> FileChange:
    if len(new.hunks) != len(old.hunks):
        return new
    return replace(new, hunks=tuple(replace(now, id=was.id) for now, was in zip(new.hunks, old.hunks, strict=True)))


def _of_part(check: CheckResult) -> CheckResult:
    """A check of the whole says nothing of a part, except that its files parsed."""
    return CheckResult("none", parsed=check.parsed)


def _proposed(session: Session, change_id: str, digest: str) -> tuple[ChangeSet, CheckResult]:
    change = session.changes[change_id]
    match change.state:
        case Proposed(check):
            if session.continued == change_id:
                raise BadRequestError(
                    "A running task goes on from this change.",
                    field="change",
                    kept="Nothing was decided.",
                    hint="Wait for its proposal, or cancel it first.",
                )
            if change.digest != digest:
                raise StaleError(
                    "The change is not the one that was decided on; it has moved on since.",
                    kept="Nothing was written.",
                    hint="Look at it again and decide then.",
                )
            return change, check
        case state:
            raise BadRequestError(
                f"This change is {type(state).__name__.lower()}, so there is nothing to decide.", field="change"
            )


def _inside(change: ChangeSet, folders: Folders) -> None:
    """A proposal outlives the process that made it, and perhaps the folders that were open then."""
    for file in change.files:
        if folders.root_of(file.path) is None or folders.root_of(file.target) is None:
            raise BadRequestError(
                f"{file.target} is in no open workspace folder.",
                field="change",
                kept="Nothing was written; the change is kept.",
                hint="Open its folder and decide there.",
            )


def _same_hunks(proposed: ChangeSet, written: ChangeSet) -> frozenset[str]:
    """The hunks of the proposal that were written: perhaps at other lines, but with the same words."""
    words = {(file.path, hunk.old, hunk.new) for file in written.files for hunk in file.hunks}
    rows = ((file.path, hunk) for file in proposed.files for hunk in file.hunks)
    return frozenset(hunk.id for path, hunk in rows if (path, hunk.old, hunk.new) in words)


def _choose(change: ChangeSet, hunks: Sequence[str] | None) -> ChangeSet:
    if hunks is None:
        return change
    known = {hunk.id for hunk in change.hunks}
    unknown = [hunk for hunk in hunks if hunk not in known]
    if unknown or not hunks:
        what = f"There is no hunk {unknown[0]} in this change." if unknown else "No hunk was named."
        raise BadRequestError(what, field="hunks", kept="Nothing was written.")
    return change.only(set(hunks))


def _finish(session: Session, task: str, status: ev.Ending, summary: str) -> None:
    if session.tasks[task].status is None:
        session.emit(ev.TaskFinished(task, status, summary))
