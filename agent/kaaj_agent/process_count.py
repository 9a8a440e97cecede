"""How many processes stand below one: the bound on a fork bomb where the kernel has none, as for root."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Final

_EVERY: Final = 0.05
"""Seconds between two looks."""


def is_needed() -> bool:
    """Root's processes are not counted by the kernel."""
    return os.name == "posix" and os.geteuid() == 0


async def kill_above(pid: int, most: int) -> bool:
    """Kill process `pid` once more than `most` processes stand below it, and return True. What is below ends with it.

    Otherwise it goes on until it is cancelled, or the process is gone (False).
    """
    while True:
        await asyncio.sleep(_EVERY)
        count = await asyncio.to_thread(below, pid, most)
        if count is None:
            return False
        if count > most:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return False
            return True


def below(pid: int, most: int) -> int | None:
    """How many processes descend from `pid`, counted to `most` and one; None where that is gone, or cannot be told."""
    count = -1
    stack = [str(pid)]
    while stack and count <= most:
        name = stack.pop()
        count += 1
        try:
            for task in os.listdir(f"/proc/{name}/task"):  # noqa: PTH208 - /proc is no place for Path objects
                stack += Path(f"/proc/{name}/task/{task}/children").read_text("ascii").split()
        except OSError:
            if name == str(pid):
                return None
    return count
