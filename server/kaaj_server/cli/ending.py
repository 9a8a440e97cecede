"""Running a subcommand so that Ctrl-C and SIGTERM end it in order: tasks cancelled, children ended, folders removed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

TERMINATED: Final = 143
"""128 + SIGTERM, as a shell would say it."""


def run_to_the_end(work: Coroutine[Any, Any, int], say_interrupted: Callable[[], None]) -> int:
    """The exit code of `work`. After an interruption `say_interrupted` tells what was kept.

    Raises KeyboardInterrupt after Ctrl-C, and whatever `work` raises.
    """
    try:
        return asyncio.run(_terminable(work))
    except KeyboardInterrupt:
        say_interrupted()
        raise
    except asyncio.CancelledError:
        say_interrupted()
        return TERMINATED


async def _terminable(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError):  # Windows has no such signal to handle
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work
