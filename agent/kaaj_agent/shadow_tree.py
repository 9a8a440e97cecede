"""One workspace folder laid out a second time: what is staged over buffers over disk, in a folder of its own.

Blocking; `shadow` calls it in threads, one at a time, and never while a command runs. Commands may have left
anything behind, links to other places included, so that no path of the shadow is ever followed through a link.
What has not changed since it was laid down, on either side, costs a look and nothing more.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from kaaj_agent.disk import SIZE_MAX
from kaaj_agent.document import decode
from kaaj_agent.failures import NotTextError, SandboxError
from kaaj_agent.ignore import Ignore
from kaaj_agent.shadow_budget import LARGE, copied_up_to, told
from kaaj_agent.shadow_copy import Copier, Stamp, make_room, stamp_of, write_all
from kaaj_agent.shadow_loss import ShadowLoss
from kaaj_agent.shadow_removal import remove
from kaaj_agent.shadow_survey import Plan, Survey, go_on

_Key: TypeAlias = str | tuple[int, ...]
"""What a file of the disk looks like there; or `text:` and a digest, or `link:` and where it leads."""


@dataclass(frozen=True, slots=True)
class ShadowChange:
    """A file that a command changed: its workspace path and its whole new text, None where it is gone."""

    path: Path
    text: str | None


@dataclass(slots=True)
class Seen:
    """What commands did: texts that were changed, made or removed, names of what is no text, and what else is lost."""

    changed: list[ShadowChange] = field(default_factory=list[ShadowChange])
    skipped: list[str] = field(default_factory=list[str])
    lost: list[ShadowLoss] = field(default_factory=list[ShadowLoss])


@dataclass(frozen=True, slots=True)
class _Laid:
    """What was laid down at one place: of which content (`key`), and how the file looked right after (`stamp`)."""

    key: _Key
    stamp: Stamp

    @property
    def executable(self) -> bool:
        return not _is_link(self.key) and bool(self.stamp[4] & stat.S_IXUSR)


def _disk_key(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_mode


def _digest_key(data: bytes) -> str:
    return "text:" + hashlib.sha256(data).hexdigest()


class ShadowTree:
    """The shadow of `root` in `folder`. `readonly` are the real paths that a sandbox shows in their own places."""

    def __init__(self, root: Path, folder: Path, ignore: Ignore, private: Path, *, sandboxed: bool) -> None:
        self.root = root
        self.folder = folder
        self.readonly: tuple[Path, ...] = ()
        self.notes: tuple[str, ...] = ()
        """What could not be laid out, for people."""
        self.survey = Survey(root, ignore, private)
        self._sandboxed = sandboxed
        self._laid: dict[str, _Laid] = {}
        self._seconds: dict[tuple[str, int], int] = {}
        """The last second in which a text of some size was laid down at a place."""
        self._folders: set[str] = set()
        self._copier = Copier(root, folder)

    # --- laying out ------------------------------------------------------------------------------------------------

    def sync(self, overlay: Mapping[str, bytes | None], stop: threading.Event) -> None:
        """Make the shadow equal to the workspace with `overlay` (None: the file is gone) over it.

        What commands made in ignored and output folders stays. Raises Stopped, SandboxError (too many files).
        """
        plan = self.survey.take(stop)
        notes = list(plan.notes)
        shown: list[tuple[str, int]] = []
        readonly = [self.root / name for name in plan.dependencies]
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._laid:
            self._copier.try_to_clone(plan.files, self.folder.parent)
        sizes = [status.st_size for status in plan.files.values()]
        # Outside of a sandbox the own place can be written to, so that as much as ever is copied there.
        self._copier.limit = LARGE if self._copier.clones or not self._sandboxed else min(LARGE, copied_up_to(sizes))
        self._folders = {*plan.folders, *_above(self._laid.keys() - plan.files.keys()), *_above(overlay)}
        found = self._scan(stop)
        self._clear(plan, overlay, found)
        for name in plan.folders:
            if name not in found:
                (self.folder / name).mkdir(exist_ok=True)
        for name in plan.dependencies:
            self._reach(name, folder=True)
        for name, status in plan.files.items():
            if name in overlay:
                continue
            key = _disk_key(status)
            old = self._laid.get(name)
            if old is not None and old.key == key and old.stamp == found.get(name):
                continue
            go_on(stop)
            try:
                stamp = self._copier.copy(name, status, stop, fresh=name not in found)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise SandboxError(
                        "There is no room on the disk to lay the workspace out for a check.",
                        kept="No file of yours was touched.",
                        hint="Free some space, or leave large files out with .kaajignore.",
                    ) from error
                notes.append(f"{name} cannot be read: {error.strerror}")
                continue
            if stamp is None:
                readonly.append(self.root / name)
                shown.append((name, status.st_size))
                self._reach(name, folder=False)
                self._laid.pop(name, None)
            else:
                self._laid[name] = _Laid(key, stamp)
        notes += told(shown)
        for name, target in plan.links.items():
            if name not in overlay:
                self._link(name, target, found, notes)
        for name, data in overlay.items():
            if data is not None:
                go_on(stop)
                self._write(name, data, plan)
        self.readonly = tuple(readonly)
        self.notes = tuple(notes)

    def _scan(self, stop: threading.Event) -> dict[str, Stamp | None]:
        """What stands in the shadow, ignored and output folders left out: folders with None, all else with a stamp."""
        found: dict[str, Stamp | None] = {}
        stack = [""]
        while stack:
            go_on(stop)
            name = stack.pop()
            for entry in _listing(self.folder / name):
                inner = f"{name}/{entry.name}" if name else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if inner in self._folders or not self.survey.is_output(inner):
                        stack.append(inner)
                        found[inner] = None
                elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                    found[inner] = stamp_of(entry.stat(follow_symlinks=False))
                else:
                    found[inner] = (-1, 0, 0, 0, 0)  # a pipe or a socket: never what was laid down
        return found

    def _clear(self, plan: Plan, overlay: Mapping[str, bytes | None], found: dict[str, Stamp | None]) -> None:
        """Take away what must not be there: leftovers of commands, and files where folders have to come."""
        folders = set(plan.folders)
        # Most of what is found is wanted, and a file: that is settled without a look at each.
        doubtful = (found.keys() - plan.files.keys()) | (found.keys() & folders) | (found.keys() & overlay.keys())
        doubtful.update(name for name, stamp in found.items() if stamp is None)
        for name in sorted(doubtful):
            stamp = found.get(name)
            if name not in found:
                continue  # it went with its folder
            wanted = name in plan.files or name in plan.links or overlay.get(name) is not None
            if stamp is None:
                if wanted and name not in folders:
                    remove(self.folder / name)
                    for inner in [other for other in found if other == name or other.startswith(name + "/")]:
                        del found[inner]
                continue
            gone = name in overlay and overlay[name] is None
            stray = not wanted and (name in self._laid or not self.survey.is_kept(name))
            if name in folders or gone or stray:
                (self.folder / name).unlink()
                del found[name]
                self._laid.pop(name, None)

    def _reach(self, name: str, *, folder: bool) -> None:
        """Make a dependency reachable: a place for the sandbox to show it at, or a link where there is none."""
        place = self.folder / name
        if not self._sandboxed:
            if not place.is_symlink() and not place.exists():
                place.symlink_to(self.root / name)
            return
        if place.is_symlink() or not place.is_dir():
            place.unlink(missing_ok=True)
        elif not folder:
            remove(place)
        if folder:
            place.mkdir(exist_ok=True)
        else:
            place.touch()

    def _link(self, name: str, target: str, found: Mapping[str, Stamp | None], notes: list[str]) -> None:
        """Lay a link down that stays inside; one that leads out is left out and told."""
        meant = os.path.normpath(self.root / Path(name).parent / target)
        if meant != str(self.root) and not meant.startswith(f"{self.root}/"):
            notes.append(f"{name} is a link to {target}, outside of the workspace, and is left out")
            if name in found:
                (self.folder / name).unlink()
            self._laid.pop(name, None)
            return
        if target.startswith("/") and not self._sandboxed:
            target = str(self.folder / os.path.relpath(meant, self.root))
        old = self._laid.get(name)
        if old is not None and old.key == "link:" + target and old.stamp == found.get(name):
            return
        place = self.folder / name
        make_room(place)
        place.symlink_to(target)
        self._laid[name] = _Laid("link:" + target, stamp_of(place.lstat()))

    def _write(self, name: str, data: bytes, plan: Plan) -> None:
        """Lay down a text that the disk does not have."""
        key = _digest_key(data)
        place = self.folder / name
        old = self._laid.get(name)
        if old is not None and old.key == key:
            try:
                if stamp_of(place.lstat()) == old.stamp:
                    return
            except OSError:
                pass
        at = self.folder
        for part in Path(name).parts[:-1]:
            at /= part
            if at.is_symlink() or (at.exists() and not at.is_dir()):
                at.unlink()
            at.mkdir(exist_ok=True)
        make_room(place)
        status = plan.files.get(name)
        mode = stat.S_IMODE(status.st_mode) & 0o777 | 0o600 if status else 0o644
        writing = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            write_all(writing, data)
            self._set_apart(name, writing)
            self._laid[name] = _Laid(key, stamp_of(os.fstat(writing)))
        finally:
            os.close(writing)

    def _set_apart(self, name: str, writing: int) -> None:
        """Give each text a second of its own: mypy and others take a file of the same size and second for unchanged."""
        status = os.fstat(writing)
        alike = name, status.st_size
        second = max(int(status.st_mtime), self._seconds.get(alike, 0) + 1)
        if second > status.st_mtime:
            os.utime(writing, (second, second))
        self._seconds[alike] = second

    # --- what commands did -----------------------------------------------------------------------------------------

    def changes(self, stop: threading.Event) -> Seen:
        """What differs from what was laid down.

        A file that is reported counts as laid down from then on, so that staging it costs no second writing. Whether
        it is executable is put back: what a change cannot carry is not there for a check either.
        """
        found = self._scan(stop)
        seen = Seen()
        touched = {name for name, laid in self._laid.items() if laid.stamp != found.get(name)}
        moved = {
            name: self._laid[name]
            for name in touched - found.keys()
            if self._laid[name].executable and self._look(name) is None
        }
        for name in sorted(touched | (found.keys() - self._laid.keys())):
            go_on(stop)
            laid, stamp = self._laid.get(name), found.get(name)
            if laid is not None and stamp is None:
                stamp = self._look(name)
            if laid is not None and stamp is None:
                if _is_link(laid.key):
                    seen.lost.append(ShadowLoss(self.root / name, "link removed"))
                else:
                    seen.changed.append(ShadowChange(self.root / name, None))
                del self._laid[name]
            elif stamp is None or (laid is not None and laid.stamp == stamp) or (laid is None and self._is_own(name)):
                continue
            elif name in self._folders and (self.root / name).is_dir():
                seen.lost.append(ShadowLoss(self.root / name, "no longer a folder"))
            else:
                self._report(name, laid, seen, moved)
        return seen

    def scrub(self, stop: threading.Event) -> None:
        """Leave what was laid down from the disk, as it was laid down, and nothing else. What is missing comes with the
        next sync.
        """
        self._laid = {
            name: laid for name, laid in self._laid.items() if not isinstance(laid.key, str) or _is_link(laid.key)
        }
        folders = _above(self._laid)
        found: set[str] = set()
        stack = [""]
        while stack:
            go_on(stop)
            folder = stack.pop()
            for entry in _listing(self.folder / folder):
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if name in folders:
                        stack.append(name)
                    else:
                        remove(Path(entry.path))
                    continue
                laid = self._laid.get(name)
                if laid is not None and laid.stamp == stamp_of(entry.stat(follow_symlinks=False)):
                    found.add(name)
                else:
                    Path(entry.path).unlink()
        self._laid = {name: laid for name, laid in self._laid.items() if name in found}
        self.notes, self.readonly = (), ()

    def _is_own(self, name: str) -> bool:
        """Whether something that was not laid down is no change: a tool's output, or a place that the sandbox fills."""
        return self.survey.is_kept(name) or self.root / name in self.readonly

    def _look(self, name: str) -> Stamp | None:
        """What stands at a place that the scan left out; nothing does behind a link, which may lead anywhere."""
        if any((self.folder / above).is_symlink() for above in _above([name])):
            return None
        try:
            status = (self.folder / name).lstat()
        except OSError:
            return None
        return None if stat.S_ISDIR(status.st_mode) else stamp_of(status)

    def _report(self, name: str, laid: _Laid | None, seen: Seen, moved: Mapping[str, _Laid]) -> None:
        """`moved` are the executable files that are gone: where their text stands now, it may be executable, too."""
        place = self.folder / name
        try:
            reading = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            if not place.is_symlink():
                seen.skipped.append(name)  # not readable
            elif laid is not None and laid.key == f"link:{place.readlink()}":
                self._laid[name] = _Laid(laid.key, stamp_of(place.lstat()))  # made anew, and the same
            else:
                seen.lost.append(ShadowLoss(self.root / name, "link made or changed"))
            return
        with os.fdopen(reading, "rb") as file:
            status = os.fstat(reading)
            if not stat.S_ISREG(status.st_mode) or status.st_size > SIZE_MAX:
                seen.skipped.append(name)
                return
            data = file.read(SIZE_MAX + 1)
            key = _digest_key(data)
            executable = bool(status.st_mode & stat.S_IXUSR)
            if laid is None:
                differs = executable and not any(self._is_same(other, at, key, data) for other, at in moved.items())
            else:
                differs = not _is_link(laid.key) and laid.executable != executable
            mode = None
            if differs:
                mode = ShadowLoss(self.root / name, "made executable" if executable else "no longer executable")
                with suppress(PermissionError):  # made by another user, without a sandbox
                    os.fchmod(reading, stat.S_IMODE(laid.stamp[4] if laid else status.st_mode & ~0o111))
                    status = os.fstat(reading)
        if laid is not None and self._is_same(name, laid, key, data):
            self._laid[name] = _Laid(laid.key, stamp_of(status))  # touched, not changed
            seen.lost += [mode] if mode else []
            return
        try:
            text, _ = decode(data, name)
        except NotTextError:
            seen.skipped.append(name)
            return
        self._laid[name] = _Laid(key, stamp_of(status))
        seen.changed.append(ShadowChange(self.root / name, text))
        seen.lost += [mode] if mode else []

    def _is_same(self, name: str, laid: _Laid, key: str, data: bytes) -> bool:
        if isinstance(laid.key, str):
            return laid.key == key
        try:
            return (self.root / name).read_bytes() == data
        except OSError:
            return False


def _is_link(key: _Key) -> bool:
    return isinstance(key, str) and key.startswith("link:")


def _above(names: Iterable[str]) -> set[str]:
    """Every folder above some relative paths."""
    found: set[str] = set()
    for name in names:
        at = name.rpartition("/")[0]
        while at and at not in found:
            found.add(at)
            at = at.rpartition("/")[0]
    return found


def _listing(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder, also of one that a command has closed to us."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except PermissionError:
        folder.chmod(0o700)
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
