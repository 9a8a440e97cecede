"""One workspace folder laid out a second time: what is staged over buffers over disk, in a folder of its own.

Blocking; `shadow` calls it in threads, one at a time, and never while a command runs. Commands may have left
anything behind, links to other places included, so that no path of the shadow is ever followed through a link.
A workspace file is reflinked where the file system can and copied where not, never hard-linked: a command that
writes in place must not reach the user's file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from kaaj_agent.disk import SIZE_MAX
from kaaj_agent.document import decode
from kaaj_agent.failures import NotTextError, SandboxError
from kaaj_agent.ignore import Ignore
from kaaj_agent.shadow_budget import LARGE, copied_up_to, told
from kaaj_agent.shadow_survey import Plan, Survey, go_on

_FICLONE: Final = 0x40049409
"""`ioctl_ficlonerange(2)`: share the blocks of another file until one of the two is written."""

_CHUNK: Final = 1024 * 1024
Stamp: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ShadowChange:
    """A file that a command changed: its workspace path and its whole new text, None where it is gone."""

    path: Path
    text: str | None


@dataclass(frozen=True, slots=True)
class _Laid:
    """What was laid down at one place: of which content (`key`), and how the file looked right after (`stamp`)."""

    key: str
    stamp: Stamp


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


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
        self._root_text = str(root)
        self._folder_text = str(folder)
        self._sandboxed = sandboxed
        self._laid: dict[str, _Laid] = {}
        self._folders: set[str] = set()
        self._clones = True
        self._limit = LARGE

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
        self._try_to_clone(plan)
        sizes = [status.st_size for status in plan.files.values()]
        # Outside of a sandbox the own place can be written to, so that as much as ever is copied there.
        self._limit = LARGE if self._clones or not self._sandboxed else min(LARGE, copied_up_to(sizes))
        self._folders = {*plan.folders, *_above(self._laid), *_above(overlay)}
        found = dict(self._scan(stop))
        self._clear(plan, overlay, found)
        for name in plan.folders:
            if name not in found:
                (self.folder / name).mkdir(exist_ok=True)
        for name in plan.dependencies:
            self._reach(name, folder=True)
        for name, status in plan.files.items():
            if name in overlay:
                continue
            go_on(stop)
            key = f"disk:{status.st_size}:{status.st_mtime_ns}:{status.st_ino}:{status.st_mode}"
            old = self._laid.get(name)
            if old is not None and old.key == key and old.stamp == found.get(name):
                continue
            try:
                stamp = self._copy(name, status, found, stop)
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

    def _scan(self, stop: threading.Event) -> Iterator[tuple[str, Stamp | None]]:
        """What stands in the shadow, ignored and output folders left out: files with a stamp, all else with None."""
        stack = [""]
        while stack:
            go_on(stop)
            name = stack.pop()
            for entry in _listing(self.folder / name):
                inner = f"{name}/{entry.name}" if name else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if inner in self._folders or not self.survey.is_output(inner):
                        stack.append(inner)
                        yield inner, None
                elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                    yield inner, _stamp(entry.stat(follow_symlinks=False))
                else:
                    yield inner, (-1, 0, 0, 0)  # a pipe or a socket: never what was laid down

    def _clear(self, plan: Plan, overlay: Mapping[str, bytes | None], found: dict[str, Stamp | None]) -> None:
        """Take away what must not be there: leftovers of commands, and files where folders have to come."""
        folders = set(plan.folders)
        for name in sorted(found):
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

    def _copy(
        self, name: str, status: os.stat_result, found: Mapping[str, Stamp | None], stop: threading.Event
    ) -> Stamp | None:
        """Lay one file down. None where it is too large to copy; then nothing was done."""
        source, place = f"{self._root_text}/{name}", f"{self._folder_text}/{name}"  # Path costs more than the copying
        reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if status.st_size > self._limit and not self._clones:
                return None
            fresh = name not in found
            mode = stat.S_IMODE(status.st_mode) & 0o777 | 0o600
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            if not fresh:
                _make_room(Path(place))
            try:
                writing = os.open(place, flags, mode)
            except FileExistsError:  # in a folder of outputs, which the scan leaves out
                _make_room(Path(place))
                writing = os.open(place, flags, mode)
            try:
                if not self._clone(reading, writing):
                    if status.st_size > self._limit:
                        Path(place).unlink()
                        return None
                    while data := os.read(reading, _CHUNK):
                        _write_all(writing, data)
                        go_on(stop)
                if fresh:
                    # Build tools go by time stamps: an untouched file keeps its own, one that takes another's place
                    # is new.
                    os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
                return _stamp(os.fstat(writing))
            finally:
                os.close(writing)
        finally:
            os.close(reading)

    def _try_to_clone(self, plan: Plan) -> None:
        """Find out, with one file, whether blocks can be shared; how much may be copied depends on it."""
        name = next((name for name, status in plan.files.items() if status.st_size), None)
        if not self._clones or self._laid or name is None:
            return
        try:
            reading = os.open(f"{self._root_text}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return
        try:
            with tempfile.TemporaryFile(dir=self.folder.parent) as probe:
                self._clone(reading, probe.fileno())
        finally:
            os.close(reading)

    def _clone(self, reading: int, writing: int) -> bool:
        if not self._clones:
            return False
        try:
            from fcntl import ioctl  # noqa: PLC0415 - not on every system

            ioctl(writing, _FICLONE, reading)
        except (ImportError, OSError):
            self._clones = False
            return False
        return True

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
        _make_room(place)
        place.symlink_to(target)
        self._laid[name] = _Laid("link:" + target, _stamp(place.lstat()))

    def _write(self, name: str, data: bytes, plan: Plan) -> None:
        """Lay down a text that the disk does not have."""
        key = _digest_key(data)
        place = self.folder / name
        old = self._laid.get(name)
        if old is not None and old.key == key:
            try:
                if _stamp(place.lstat()) == old.stamp:
                    return
            except OSError:
                pass
        at = self.folder
        for part in Path(name).parts[:-1]:
            at /= part
            if at.is_symlink() or (at.exists() and not at.is_dir()):
                at.unlink()
            at.mkdir(exist_ok=True)
        _make_room(place)
        status = plan.files.get(name)
        mode = stat.S_IMODE(status.st_mode) & 0o777 | 0o600 if status else 0o644
        writing = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            _write_all(writing, data)
            self._laid[name] = _Laid(key, _stamp(os.fstat(writing)))
        finally:
            os.close(writing)

    # --- what commands did -----------------------------------------------------------------------------------------

    def changes(self, stop: threading.Event) -> tuple[list[ShadowChange], list[str]]:
        """What differs from what was laid down: texts that were changed, made or removed, and what is no text.

        A file that is reported counts as laid down from then on, so that staging it costs no second writing.
        """
        found = dict(self._scan(stop))
        changed: list[ShadowChange] = []
        skipped: list[str] = []
        for name in sorted(found.keys() | self._laid.keys()):
            go_on(stop)
            laid, stamp = self._laid.get(name), found.get(name)
            if laid is not None and stamp is None:
                stamp = self._look(name)
            if laid is not None and stamp is None:
                if not laid.key.startswith("link:"):
                    changed.append(ShadowChange(self.root / name, None))
                del self._laid[name]
            elif stamp is None or (laid is not None and laid.stamp == stamp) or (laid is None and self._is_own(name)):
                continue
            else:
                self._report(name, laid, changed, skipped)
        return changed, skipped

    def scrub(self, stop: threading.Event) -> None:
        """Leave what was laid down from the disk, as it was laid down, and nothing else. What is missing comes with the
        next sync.
        """
        self._laid = {name: laid for name, laid in self._laid.items() if laid.key.startswith(("disk:", "link:"))}
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
                if laid is not None and laid.stamp == _stamp(entry.stat(follow_symlinks=False)):
                    found.add(name)
                else:
                    Path(entry.path).unlink()
        self._laid = {name: laid for name, laid in self._laid.items() if name in found}
        self.notes, self.readonly = (), ()

    def _is_own(self, name: str) -> bool:
        """Whether something that was not laid down is no change: a tool's output, or a place that the sandbox fills."""
        return self.survey.is_kept(name) or self.root / name in self.readonly

    def _look(self, name: str) -> Stamp | None:
        try:
            status = (self.folder / name).lstat()
        except OSError:
            return None
        return None if stat.S_ISDIR(status.st_mode) else _stamp(status)

    def _report(self, name: str, laid: _Laid | None, changed: list[ShadowChange], skipped: list[str]) -> None:
        try:
            reading = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            skipped.append(name)  # a link, or not readable
            return
        with os.fdopen(reading, "rb") as file:
            status = os.fstat(reading)
            if not stat.S_ISREG(status.st_mode) or status.st_size > SIZE_MAX:
                skipped.append(name)
                return
            data = file.read(SIZE_MAX + 1)
        key = _digest_key(data)
        if laid is not None and self._is_same(name, laid, key, data):
            self._laid[name] = _Laid(laid.key, _stamp(status))  # touched, not changed
            return
        try:
            text, _ = decode(data, name)
        except NotTextError:
            skipped.append(name)
            return
        self._laid[name] = _Laid(key, _stamp(status))
        changed.append(ShadowChange(self.root / name, text))

    def _is_same(self, name: str, laid: _Laid, key: str, data: bytes) -> bool:
        if not laid.key.startswith("disk:"):
            return laid.key == key
        try:
            return (self.root / name).read_bytes() == data
        except OSError:
            return False


def _above(names: Iterable[str]) -> set[str]:
    """Every folder above some relative paths."""
    found: set[str] = set()
    for name in names:
        at = name.rpartition("/")[0]
        while at and at not in found:
            found.add(at)
            at = at.rpartition("/")[0]
    return found


def _make_room(place: Path) -> None:
    """Take away whatever stands at a place; a link goes itself, not what it leads to."""
    try:
        place.unlink()
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):  # the latter on macOS
        remove(place)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


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


def remove(folder: Path) -> None:
    """Delete a folder whole, also where a command has taken rights away; links are not followed."""
    if folder.is_symlink() or not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except OSError:
        _open_up(folder)
        shutil.rmtree(folder, ignore_errors=True)


def remove_until(folder: Path, until: float) -> None:
    """As much of `remove` as there is time for, `until` a moment of the monotonic clock."""
    try:
        for base, folders, files in os.walk(folder, topdown=False):
            for name in files:
                if time.monotonic() > until:
                    return
                (Path(base) / name).unlink()
            for name in folders:
                place = Path(base) / name
                if place.is_symlink():
                    place.unlink()
                else:
                    place.rmdir()
        folder.rmdir()
    except OSError:
        return


def _open_up(folder: Path) -> None:
    stack = [folder]
    while stack:
        place = stack.pop()
        try:
            place.chmod(0o700)
            with os.scandir(place) as entries:
                stack += [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue  # not ours; what can be removed will be
