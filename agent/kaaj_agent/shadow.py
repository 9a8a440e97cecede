"""The shadow workspace of one task: where its commands run and its checks are made, never the user's own tree."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from filelock import FileLock, Timeout

from kaaj_agent.changes import FileChange
from kaaj_agent.document import Document, encode
from kaaj_agent.failures import NotTextError, SandboxError
from kaaj_agent.ignore import Ignore
from kaaj_agent.regular import first_text
from kaaj_agent.sandbox import Sandbox, clean_environment
from kaaj_agent.shadow_git import ShadowGit
from kaaj_agent.shadow_loss import ShadowLoss
from kaaj_agent.shadow_removal import remove
from kaaj_agent.shadow_survey import Stopped, Survey
from kaaj_agent.shadow_tree import Seen, ShadowChange, ShadowTree
from kaaj_agent.shell import ShadowShell
from kaaj_agent.world import Folders, Snapshot

_log = logging.getLogger(__name__)

_LOCK_AGE: Final = 3600.0
"""Seconds after which a lock file without its folder is cleared away."""

_OFFLINE: Final = {
    "CARGO_NET_OFFLINE": "true",
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "PIP_NO_INDEX": "1",
    "UV_OFFLINE": "1",
    "npm_config_offline": "true",
}
"""Without a network, tools that know it fail at once instead of waiting."""

_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

T = TypeVar("T")

__all__ = ["Shadow", "ShadowChange", "sweep"]


class Shadow:
    """The staged tree of every workspace folder, in a folder of this task alone; make one with `open`.

    `sync` before a command, `changed_files` after it. What commands make in ignored and output folders stays until
    `close`, which removes everything. Not for use from several tasks at once, except that calls wait their turn.
    """

    def __init__(self, folders: Folders, root: Path, folder: Path, sandbox: Sandbox, ignore: Ignore) -> None:
        self.root = root
        self.folder = folder
        self.sandbox = sandbox
        self.skipped: tuple[str, ...] = ()
        """What commands changed and `changed_files` could not report as text, by name."""
        self.lost: tuple[ShadowLoss, ...] = ()
        """What else commands did that no text tells."""
        self._trees = [
            ShadowTree(
                place, folder / str(number) / place.name, ignore, folder.parent.parent, sandboxed=sandbox.available
            )
            for number, place in enumerate(_outermost(folders.roots))
        ]
        self._repositories = [
            ShadowGit(tree.root, folder / f"git-{number}", ignore.is_secret) for number, tree in enumerate(self._trees)
        ]
        self._ignore = ignore
        self._lock: FileLock | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._hurry = threading.Event()
        """The process ends: what is being removed is left to the next start."""
        self._turn = asyncio.Lock()
        self._home = folder / "home"
        self.shell = self._shell(network=False)
        self.networked = self._shell(network=True)
        """As `shell`, with the network: for commands that the person has granted it to."""

    @classmethod
    async def open(
        cls,
        folders: Folders,
        state_dir: Path,
        *,
        root: Path | None = None,
        sandbox: Sandbox | None = None,
        ignore: Ignore | None = None,
    ) -> Shadow:
        """A new, empty shadow under `state_dir`. Commands run in `root`, else in the first folder.

        Without a `sandbox` bubblewrap is tried, with `state_dir` hidden in it. Raises SandboxError.
        """
        if not folders.roots:
            raise SandboxError("No workspace folder is open, so that there is no place to run a command in.")
        found = sandbox or await Sandbox.find([state_dir])
        shadows = await asyncio.to_thread(_folder_in, state_dir)
        name = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        shadow = cls(folders, root or folders.roots[0], shadows / name, found, ignore or Ignore(folders))
        try:
            shadow._lock = await asyncio.to_thread(_claim, shadow.folder)
        except OSError as error:
            raise SandboxError(
                f"No shadow workspace can be made in {shadows}: {error.strerror}.",
                kept="No command was run.",
                hint="Free some space, or name another folder in KAAJ_STATE_DIR.",
            ) from error
        shadow._sweeping = asyncio.create_task(sweep(state_dir, shadow._hurry))
        return shadow

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last sync could not lay out, for people."""
        hidden = (one.note for one in self._repositories if one.note and self.sandbox.available)
        return (*(note for tree in self._trees for note in tree.notes), *hidden)

    def place_of(self, path: Path) -> Path:
        """Where a path of the workspace stands in the shadow. Raises SandboxError outside of every folder."""
        for tree in self._trees:
            if path.is_relative_to(tree.root):
                return tree.folder / path.relative_to(tree.root)
        raise SandboxError(f"{path} is in no workspace folder.")

    async def sync(self, snapshot: Snapshot, files: Sequence[FileChange] = ()) -> None:
        """Make the shadow equal to `snapshot` with the staged `files` over it. Raises SandboxError.

        Cancelling stops between two files and returns once the thread has; the next call goes on from there.
        """
        overlays = await asyncio.to_thread(self._overlays, snapshot, files)

        def lay(stop: threading.Event) -> None:
            for tree in self._trees:
                tree.sync(overlays[tree.root], stop)
            self._prepare()

        async with self._turn:
            try:
                await _in_thread(lay)
            except OSError as error:
                raise SandboxError(
                    f"The shadow workspace cannot be laid out: {error.strerror or error}.",
                    kept="No file of yours was touched, and no command was run.",
                ) from error

    async def changed_files(self) -> list[ShadowChange]:
        """The texts that commands changed, made or removed since the last `sync` (or the last call of this)."""

        def look(stop: threading.Event) -> list[Seen]:
            return [tree.changes(stop) for tree in self._trees]

        async with self._turn:
            seen = await _in_thread(look)
        self.skipped = tuple(name for one in seen for name in one.skipped)
        self.lost = tuple(loss for one in seen for loss in one.lost)
        return [change for one in seen for change in one.changed]

    async def scrub(self) -> bool:
        """Take away what commands left, so that another task finds what was laid down and nothing else.

        Whether that worked; if not, the shadow is of no more use.
        """

        def clear(stop: threading.Event) -> None:
            remove(self._home)
            for tree in self._trees:
                tree.scrub(stop)

        async with self._turn:
            if self._lock is None:
                return False
            try:
                await _in_thread(clear)
            except OSError as error:
                _log.info("a shadow cannot be kept: %s", error)
                return False
        self.skipped, self.lost = (), ()
        return True

    def serve(self, ignore: Ignore) -> None:
        """Go on for another task, by its rules: what they leave out goes with the next sync."""
        self._ignore = ignore
        for tree in self._trees:
            tree.survey = Survey(tree.root, ignore, self.folder.parent.parent)

    async def leave(self, seconds: float) -> None:
        """As `close`, where the process ends: what cannot be removed in that time the next start sweeps away.

        Cuts a `close` short that is under way.
        """
        hurry = asyncio.get_running_loop().call_later(seconds, self._hurry.set)
        try:
            await self.close()
        finally:
            hurry.cancel()

    async def close(self) -> None:
        """Remove the shadow, which takes seconds where it is large. Safe to call twice."""
        async with self._turn:
            lock, self._lock = self._lock, None
            if lock is not None:
                await asyncio.to_thread(_give_up, self.folder, lock, self._hurry)
            if self._sweeping is not None:
                await self._sweeping
                self._sweeping = None

    def _overlays(self, snapshot: Snapshot, files: Sequence[FileChange]) -> dict[Path, dict[str, bytes | None]]:
        overlays: dict[Path, dict[str, bytes | None]] = {tree.root: {} for tree in self._trees}

        def put(path: Path, data: bytes | None) -> None:
            for root, overlay in overlays.items():
                if path.is_relative_to(root) and path != root:
                    overlay[path.relative_to(root).as_posix()] = data

        for path, buffer in snapshot.buffers.items():
            if not self._ignore.ignored(path):
                put(path, _bytes_of(buffer))
        for file in files:
            put(file.path, None)
        for file in files:
            if file.after is not None:
                style = file.before.format if file.before else file.style
                put(file.target, _bytes_of(Document(file.target, file.after, None, style)))
        return overlays

    # --- how commands are started ----------------------------------------------------------------------------------

    def _shell(self, *, network: bool) -> ShadowShell:
        sandbox = self.sandbox
        return ShadowShell(
            self.place_of(self.root),
            lambda command: self._argv(command, network=network),
            lambda: self._environment(network=network),
            sandboxed=sandbox.available,
            rename={} if sandbox.available else {str(tree.folder): str(tree.root) for tree in self._trees},
            rules=sandbox.filter,
            processes=sandbox.caps.processes,
        )

    def _prepare(self) -> None:
        self._home.mkdir(exist_ok=True)
        for repository in self._repositories:
            repository.prepare()

    def _argv(self, command: str, *, network: bool) -> list[str]:
        main = next(tree for tree in self._trees if self.root.is_relative_to(tree.root))
        repositories = [repository for repository in self._repositories if repository.shown]
        readonly = [path for tree in self._trees for path in tree.readonly]
        return self.sandbox.argv(
            command,
            main.folder,
            main.root,
            [*readonly, *(repository.folder for repository in repositories)],
            more=[(tree.folder, tree.root) for tree in self._trees if tree is not main],
            masks=[(repository.config, repository.folder / "config") for repository in repositories],
            home=self._home,
            start_in=self.root,
            network=network,
        )

    def _environment(self, *, network: bool) -> Mapping[str, str]:
        inside = self.sandbox.available
        here = self.root if inside else self.place_of(self.root)
        extra = (
            {"GIT_CEILING_DIRECTORIES": str(self.folder)} if not inside else _proxies() if network else dict(_OFFLINE)
        )
        first: list[str] = []
        for name in (".venv", "venv"):
            if (self.root / name / "bin" / "python").exists():
                extra["VIRTUAL_ENV"] = str(here / name)
                first.append(str(here / name / "bin"))
                if not inside:
                    paths = [str(self.place_of(path)) for path in _editable(self.root / name, self.root)]
                    extra["PYTHONPATH"] = os.pathsep.join([str(here), *paths])
                break
        if (self.root / "node_modules" / ".bin").is_dir():
            first.append(str(here / "node_modules" / ".bin"))
        environment = clean_environment(os.environ, extra)
        environment["PATH"] = os.pathsep.join([*first, environment["PATH"]])
        return environment


def _proxies() -> dict[str, str]:
    """The way to the network, where it leads over a proxy that wants no password."""
    found: dict[str, str] = {}
    for name in _PROXIES:
        for spelling in (name, name.upper()):
            value = os.environ.get(spelling, "")
            if value and "@" not in value:
                found[spelling] = value
    return found


def _outermost(roots: Iterable[Path]) -> list[Path]:
    """The roots without those that lie in another one."""
    distinct = list(dict.fromkeys(roots))
    return [root for root in distinct if not any(root != other and root.is_relative_to(other) for other in distinct)]


def _bytes_of(document: Document) -> bytes:
    try:
        return encode(document.text, document.format, str(document.path))
    except NotTextError:
        # The file could not be written so; what is checked is the text.
        return document.text.encode("utf-8", "surrogatepass")


def _editable(venv: Path, root: Path) -> list[Path]:
    """Folders of the workspace that editable installs put on the path of a virtual environment."""
    found: list[Path] = []
    for listing in sorted(venv.glob("lib/python*/site-packages/*.pth")):
        try:
            lines = first_text(listing).splitlines()
        except OSError:
            continue
        found += [Path(line) for line in lines if line.startswith("/") and Path(line).is_relative_to(root)]
    return found


async def _in_thread(work: Callable[[threading.Event], T]) -> T:
    """Run `work` in a thread. A cancellation asks it to stop, waits until it has, and is raised then."""
    stop = threading.Event()
    task = asyncio.ensure_future(asyncio.to_thread(work, stop))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
            stop.set()
    if cancelled is not None:
        failure = task.exception()
        if failure is not None and not isinstance(failure, Stopped):
            _log.warning("while a shadow was cancelled: %s", failure)
        raise cancelled
    return task.result()


# --- shadows of processes that are no more ------------------------------------------------------------------------


def _claim(folder: Path) -> FileLock:
    """Make a shadow's folder. Its lock is held before the folder exists, so that no sweep takes it away."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.parent.chmod(0o700)
    lock = FileLock(f"{folder}.lock", thread_local=False)
    lock.acquire(timeout=0)
    try:
        folder.mkdir(mode=0o700)
    except OSError:
        lock.release()
        raise
    return lock


def _give_up(folder: Path, lock: FileLock, stop: threading.Event) -> None:
    """Remove a shadow and its lock. What is left where `stop` was set, or could not be removed, is nobody's."""
    if remove(folder, stop):
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


async def sweep(state_dir: Path, stop: threading.Event | None = None) -> None:
    """Remove the shadows whose processes are gone, until `stop` is set; those of living ones are locked."""
    await asyncio.to_thread(_sweep, state_dir, stop or threading.Event())


def _folder_in(state_dir: Path) -> Path:
    return state_dir.resolve() / "shadows"


def _sweep(state_dir: Path, stop: threading.Event) -> None:
    try:
        entries = sorted(_folder_in(state_dir).iterdir())
    except OSError:
        return
    for entry in entries:
        if stop.is_set():
            return
        try:
            if entry.is_dir() and not entry.is_symlink():
                lock = FileLock(f"{entry}.lock", thread_local=False)
                lock.acquire(timeout=0)
                _give_up(entry, lock, stop)
            elif entry.suffix == ".lock" and time.time() - entry.stat().st_mtime > _LOCK_AGE and _is_orphan(entry):
                entry.unlink(missing_ok=True)
        except (Timeout, OSError):
            continue  # in use, or gone meanwhile


def _is_orphan(lock: Path) -> bool:
    return not lock.with_suffix("").exists()
