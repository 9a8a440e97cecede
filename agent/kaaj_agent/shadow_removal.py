"""Taking folders away that commands have written in: whole, off the interpreter's time, and stopped when asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from functools import cache
from pathlib import Path
from typing import Final

_LOOK_SECONDS: Final = 0.1
"""How often the removal is asked whether it has to stop."""


def remove(folder: Path, stop: threading.Event | None = None) -> bool:
    """Delete a folder whole, also where a command has taken rights away; links are not followed. Blocking.

    Whether it is gone. Where `stop` is set meanwhile, what is left of it stays.
    """
    if folder.is_symlink() or not folder.exists():
        return True
    if _asked(stop):
        return False
    if not _delete(folder, stop) and not _asked(stop):
        _open_up(folder)
        _delete(folder, stop)
    return not folder.exists()


def _delete(folder: Path, stop: threading.Event | None) -> bool:
    """By `rm` where there is one: 100,000 files take seconds, in which this process has other things to do, and no
    tree is too deep for it.
    """
    program = _rm()
    if program is None:
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()
    try:
        removal = subprocess.Popen(
            [program, "-rf", "--", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,  # an interrupt in the terminal is the server's, which then decides
        )
    except OSError:  # no process can be started
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()
    with removal:
        while True:
            if _asked(stop):
                removal.kill()
            try:
                return removal.wait(_LOOK_SECONDS) == 0
            except subprocess.TimeoutExpired:
                continue


def _asked(stop: threading.Event | None) -> bool:
    return stop is not None and stop.is_set()


@cache
def _rm() -> str | None:
    """The system's own, never one that a workspace has put on the PATH."""
    return shutil.which("rm", path=os.defpath) if os.name == "posix" else None


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
