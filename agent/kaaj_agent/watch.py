"""Files that change outside of the editor, told to the world soon after.

watchdog's threads only filter paths and call `loop.call_soon_threadsafe`; everything else happens on the event loop.
Where the system cannot watch (its limit of watches, a file system without events) a notice says so and nothing is
watched: bases are compared again before anything is applied, so this costs comfort and no safety.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kaaj_agent.ignore import Ignore
from kaaj_agent.world import World

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver

_DELAY: Final = 0.1
"""Seconds in which changes are gathered."""
_WATCHES_MAX: Final = 48
"""Folders of a root that get a watch of their own (a thread each); with more, the root is watched as a whole."""


class Watcher:
    """Watches the folders of a world as they are when it starts; a change of folders needs a new watcher."""

    def __init__(self, world: World, ignore: Ignore, notice: Callable[[str], None], *, delay: float = _DELAY) -> None:
        self._world = world
        self._ignore = ignore
        self._notice = notice
        self._delay = delay
        self._observer: BaseObserver | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pending: set[Path] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def watching(self) -> bool:
        return self._observer is not None

    async def start(self) -> None:
        """Begin to watch; returns when the watches stand. Never raises for what the system cannot do."""
        self._loop = asyncio.get_running_loop()
        problem = await asyncio.to_thread(self._start)
        if problem:
            self._notice(
                f"Changes of files outside of the editor are not watched: {problem}. "
                "Kaaj still looks at every file again before it changes it."
            )

    async def close(self) -> None:
        """End all watching; no path is told afterwards."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        observer, self._observer = self._observer, None
        if observer is not None:
            await asyncio.to_thread(_stop, observer)

    def _start(self) -> str:
        """Set the watches up, in a thread; what went wrong, or nothing."""
        try:
            from watchdog.observers import Observer  # noqa: PLC0415 - only where files are watched

            observer = Observer()
        except (ImportError, OSError) as error:
            return str(error)
        try:
            observer.start()
            for root in self._ignore.folders.roots:
                self._schedule(observer, root)
        except (OSError, RuntimeError) as error:
            _stop(observer)
            return f"{error.strerror or error}" if isinstance(error, OSError) else str(error)
        self._observer = observer
        if self._closed:  # closed while the watches were being set up
            self._observer = None
            _stop(observer)
        return ""

    def _schedule(self, observer: BaseObserver, root: Path) -> None:
        """One watch for each folder at the top that is not ignored: what is in node_modules costs nothing."""
        handler = _handler(lambda event: self._event(observer, root, event))
        inner = [root / name for name, is_folder in self._ignore.children(root) if is_folder]
        if len(inner) > _WATCHES_MAX:
            observer.schedule(handler, str(root), recursive=True, event_filter=_kinds())
            return
        observer.schedule(handler, str(root), recursive=False, event_filter=_kinds())
        for folder in inner:
            observer.schedule(handler, str(folder), recursive=True, event_filter=_kinds())

    def _event(self, observer: BaseObserver, root: Path, event: FileSystemEvent) -> None:
        """An event, in watchdog's thread."""
        for name in (event.src_path, event.dest_path):
            if not name:
                continue
            path = Path(os.fsdecode(name))
            if self._ignore.ignored(path):
                continue
            if event.is_directory and path.parent == root and path.is_dir() and not path.is_symlink():
                self._new_folder(observer, root, path)
            self._tell(path)

    def _new_folder(self, observer: BaseObserver, root: Path, folder: Path) -> None:
        """A folder has appeared at the top: watch it too, and tell what was in it before the watch stood."""
        handler = _handler(lambda event: self._event(observer, root, event))
        try:
            observer.schedule(handler, str(folder), recursive=True, event_filter=_kinds())
        except OSError:
            return  # it has gone again, or there are no watches left: files in it go unheard
        for path in self._ignore.walk(folder):
            self._tell(path)

    def _tell(self, path: Path) -> None:
        if self._loop is not None and not self._closed:
            try:
                self._loop.call_soon_threadsafe(self._heard, path)
            except RuntimeError:
                self._closed = True  # the loop has ended

    def _heard(self, path: Path) -> None:
        if self._closed or self._loop is None:
            return
        self._pending.add(path)
        if self._timer is None:
            self._timer = self._loop.call_later(self._delay, self._flush)

    def _flush(self) -> None:
        self._timer = None
        pending, self._pending = self._pending, set()
        for path in sorted(pending):
            self._world.touched(path)


def _handler(hear: Callable[[FileSystemEvent], None]) -> FileSystemEventHandler:
    from watchdog.events import FileSystemEventHandler  # noqa: PLC0415 - only where files are watched

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            hear(event)

    return Handler()


def _kinds() -> list[type[FileSystemEvent]]:
    """The events that may mean a new text; Kaaj's own reading must not wake it."""
    from watchdog import events  # noqa: PLC0415 - only where files are watched

    return [
        events.FileCreatedEvent,
        events.FileModifiedEvent,
        events.FileMovedEvent,
        events.FileDeletedEvent,
        events.DirCreatedEvent,
        events.DirMovedEvent,
        events.DirDeletedEvent,
    ]


def _stop(observer: BaseObserver) -> None:
    observer.stop()
    if observer.is_alive():
        observer.join()
