"""Writing to the user's files without an editor: all files of a change or none, also after a kill at any point.

A change becomes one step a file: these bytes (or none) become those (or none). Before anything moves, the old bytes
and the list of steps are on disk in the journal; then the new bytes are, beside their targets; only then are they
renamed into place. A journal without the mark `committed` is rolled back by `recover`. Durability follows the usual
order of write, fsync, rename, fsync of the folder (fsync(2), rename(2)).
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import shutil
import uuid
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from kaaj_agent import beneath
from kaaj_agent.changes import ChangeSet
from kaaj_agent.durable import sync_folder, write_beneath, write_new
from kaaj_agent.failures import ApplyError, StaleError
from kaaj_agent.finishing import finish
from kaaj_agent.history import History
from kaaj_agent.ports import Written
from kaaj_agent.world import Folders, World
from kaaj_agent.write_plan import Step, WritePlan, bytes_at, plan_of, sum_of

_log = logging.getLogger(__name__)

_WAIT: Final = 30.0
"""Seconds to wait for another process of the same user that is writing just now."""

_STEPS: Final = "steps.json"
_COMMITTED: Final = "committed"
_NOTHING: Final = "All files are as they were before."

Failpoint = Callable[[str], None]
"""Called with a name at each point where a kill is worth a test."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """A change that was cut off and has been taken back. `kept` are files left alone, as they were edited since;
    what they held before the change lies in `images`.
    """

    change: str
    paths: tuple[Path, ...]
    kept: tuple[Path, ...] = ()
    images: Path | None = None
    problem: str = ""
    """Where it could not be taken back yet, and why."""

    def __str__(self) -> str:
        if self.problem:
            return (
                f"A change that was cut off could not be taken back yet; what stood there before is in {self.problem}."
            )
        names = ", ".join(str(path) for path in self.paths)
        told = f"A change that was cut off was taken back: {names}." if self.paths else "A change was cut off early."
        if self.kept:
            left = ", ".join(str(path) for path in self.kept)
            told += f" Edited since and left alone: {left}; what stood there before is in {self.images}."
        return told


class DiskApplier:
    """The `Applier` of the command line."""

    def __init__(self, world: World, state_dir: Path, *, failpoint: Failpoint | None = None) -> None:
        self._world = world
        self._state_dir = state_dir
        self._failpoint: Failpoint = failpoint or (lambda _: None)

    async def apply(self, change: ChangeSet) -> Written:
        """Write the whole change. Raises StaleError, OutsideError, NotTextError, ApplyError; nothing is written then.

        A cancellation waits for the end of the writing: there is no half.
        """
        written = await finish(asyncio.to_thread(self._apply, change, self._world.folders))
        for path in written.after:
            self._world.touched(path)
        return written

    def _apply(self, change: ChangeSet, folders: Folders) -> Written:
        try:
            with _alone(self._state_dir) as journal:
                modes = History(self._state_dir / "history").modes_before(change.undoes) if change.undoes else {}
                plan = plan_of(change, folders, modes)
                if plan.steps:
                    carry_out(plan, journal / f"{uuid.uuid4().hex}", self._failpoint)
        except OSError as error:
            raise _failure(error) from error
        return Written(change.after)


def recover(state_dir: Path) -> list[str]:
    """Take back every change that a kill cut off, and say so, a sentence each. Blocks. Raises ApplyError, OSError."""
    return [str(one) for one in recovered(state_dir)]


# --- writing --------------------------------------------------------------------------------------------------------


@contextmanager
def _alone(state_dir: Path) -> Generator[Path]:
    """The journal's folder, with no other process of this user in it. Raises ApplyError, OSError."""
    journal = state_dir / "journal"
    journal.mkdir(parents=True, exist_ok=True)
    journal.chmod(0o700)
    journal = journal.resolve()
    lock = FileLock(journal / "lock", thread_local=False)
    try:
        lock.acquire(timeout=_WAIT)
    except Timeout as error:
        raise ApplyError(
            "Another Kaaj process has been writing for a long time.",
            kept="Nothing was written.",
            hint="Wait for it to end, then accept the change again.",
        ) from error
    try:
        yield journal
    finally:
        lock.release()


def carry_out(plan: WritePlan, entry: Path, failpoint: Failpoint) -> None:
    """Journal, write, commit. On any failure everything is taken back before it is raised."""
    failpoint("begin")
    try:
        _write_journal(plan, entry, failpoint)
        for folder in plan.folders:
            beneath.make_folder(Path(folder))
            beneath.sync_folder(Path(folder).parent)
            failpoint("folder")
        for step in plan.steps:
            if step.after is not None:
                _write_beside(step, plan.news[step.path])
                failpoint("temporary")
        _look_again(plan)
        for step in plan.steps:
            if step.after is not None:
                beneath.replace(Path(step.temporary), Path(step.path))
                failpoint("placed")
        for step in plan.steps:
            if step.after is None:
                beneath.unlink(Path(step.path))
                failpoint("removed")
        _sync_folders(step.path for step in plan.steps)
        failpoint("synced")
        write_new(entry / _COMMITTED, b"", None)
        sync_folder(entry)
    except BaseException:
        _take_back_now(plan, entry)
        raise
    failpoint("committed")
    _drop(entry)
    failpoint("end")


def _write_journal(plan: WritePlan, entry: Path, failpoint: Failpoint) -> None:
    entry.mkdir(mode=0o700)
    for number, step in enumerate(plan.steps):
        if step.before is not None:
            write_new(entry / f"{number}.before", plan.images[step.path], None)
            failpoint("image")
    content = {"change": plan.change, "steps": [asdict(step) for step in plan.steps], "folders": plan.folders}
    write_new(entry / "steps.tmp", json.dumps(content, indent=1).encode(), None)
    failpoint("list")
    (entry / "steps.tmp").replace(entry / _STEPS)
    sync_folder(entry)
    sync_folder(entry.parent)
    failpoint("journal")


def _look_again(plan: WritePlan) -> None:
    """The last comparison, with the new bytes ready: what is between it and the renames is a few system calls."""
    changed = [step.path for step in plan.steps if sum_of(bytes_at(Path(step.path))) != step.before]
    if changed:
        raise StaleError(
            f"{', '.join(changed)} changed on disk just now.", paths=tuple(changed), kept="Nothing was written."
        )


def _write_beside(step: Step, data: bytes) -> None:
    """The new (or the old) bytes, beside their place."""
    write_beneath(Path(step.temporary), data, step.mode)


def _sync_folders(paths: Iterable[str]) -> None:
    for folder in dict.fromkeys(Path(path).parent for path in paths):
        if folder.is_dir():
            beneath.sync_folder(folder)


def _drop(entry: Path) -> None:
    """Remove a journal that has done its work. Its list goes first, so that no rest of it is taken for one."""
    (entry / _STEPS).unlink(missing_ok=True)
    shutil.rmtree(entry, ignore_errors=True)


def _failure(error: OSError) -> ApplyError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ApplyError("The disk is full.", kept=_NOTHING, hint="Free some space, then accept the change again.")
    place = f" ({error.filename})" if error.filename else ""
    return ApplyError(f"The change could not be written: {error.strerror or error}{place}.", kept=_NOTHING)


# --- taking back ----------------------------------------------------------------------------------------------------


def _take_back_now(plan: WritePlan, entry: Path) -> None:
    """Roll back in the process that failed. Where that fails too, the journal stays for the next start."""
    (entry / _COMMITTED).unlink(missing_ok=True)
    if not (entry / _STEPS).is_file():
        _drop(entry)
        return
    try:
        kept = _take_back(entry, plan.steps, plan.folders)
    except OSError as error:
        paths = ", ".join(step.path for step in plan.steps)
        raise ApplyError(
            f"The change could not be written, and not all of it could be taken back yet ({error.strerror}): {paths}.",
            kept=f"What these files held before is in {entry}.",
            hint="Free some space; the next start of Kaaj takes the rest back.",
        ) from error
    if not kept:
        _drop(entry)


def _take_back(entry: Path, steps: Sequence[Step], folders: Sequence[str]) -> list[Path]:
    """Bring the old bytes back, as often as it takes. Files that hold neither old nor new bytes are left: returned."""
    kept: list[Path] = []
    for step in steps:
        with suppress(FileNotFoundError, NotADirectoryError):
            beneath.unlink(Path(step.temporary))
    for number, step in enumerate(steps):
        path = Path(step.path)
        now = sum_of(bytes_at(path))
        if now == step.before:
            continue
        if now != step.after:
            kept.append(path)
        elif step.before is None:
            beneath.unlink(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_beside(step, (entry / f"{number}.before").read_bytes())
            beneath.replace(Path(step.temporary), path)
    for folder in reversed(folders):
        try:
            beneath.remove_folder(Path(folder))
        except OSError:
            continue  # it holds something else by now, or is gone
    _sync_folders(step.path for step in steps)
    return kept


def recovered(state_dir: Path) -> list[Recovered]:
    """As `recover`, as values."""
    done: list[Recovered] = []
    if not (state_dir / "journal").is_dir():
        return done
    with _alone(state_dir) as journal:
        for entry in sorted(journal.iterdir()):
            if entry.is_dir() and not entry.name.startswith("kept-"):
                try:
                    one = _recover_one(entry)
                except (OSError, ValueError, KeyError, TypeError) as error:
                    _log.warning("the journal %s could not be taken back: %s", entry, error)
                    done.append(Recovered("", (), problem=f"{entry} ({error})"))
                    continue
                if one is not None:
                    done.append(one)
    return done


def pending(state_dir: Path) -> list[Recovered]:
    """What a killed process left half written and nobody has taken back yet; nothing is done about it. Blocks."""
    journal = state_dir / "journal"
    found: list[Recovered] = []
    lock = FileLock(journal / "lock", blocking=False, thread_local=False)
    try:
        listings = sorted(journal.glob("*/" + _STEPS))
        if not listings:
            return []
        lock.acquire()  # else somebody is writing just now
    except (OSError, Timeout):
        return []
    try:
        for listing in listings:
            if not listing.parent.name.startswith("kept-") and not (listing.parent / _COMMITTED).is_file():
                content: dict[str, Any] = json.loads(listing.read_text("utf-8"))
                found.append(Recovered(content["change"], tuple(Path(step["path"]) for step in content["steps"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("the journal cannot be read: %s", error)
    finally:
        lock.release()
    return found


def _recover_one(entry: Path) -> Recovered | None:
    listing = entry / _STEPS
    if not listing.is_file():
        _drop(entry)  # nothing had been touched yet, or all was done
        return None
    content: dict[str, Any] = json.loads(listing.read_text("utf-8"))
    steps = [Step(**step) for step in content["steps"]]
    if (entry / _COMMITTED).is_file():
        _drop(entry)
        return None
    touched = tuple(Path(step.path) for step in steps)
    kept = tuple(_take_back(entry, steps, content["folders"]))
    if not kept:
        _drop(entry)
        return Recovered(content["change"], touched)
    images = entry.rename(entry.with_name(f"kept-{entry.name}"))
    return Recovered(content["change"], tuple(path for path in touched if path not in kept), kept, images)
