"""Helper programs (ripgrep, Kaaj's own matcher) run to their end: own process group, time limit, output cap.

Not for commands of the model or the user: those run in a sandbox.
"""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

OUTPUT_MAX: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. `code` is None where it was stopped: at its time limit, or with too much output."""

    code: int | None
    output: bytes
    timed_out: bool = False


async def run_child(argv: Sequence[str], data: bytes = b"", *, seconds: float, cap: int = OUTPUT_MAX) -> Ended:
    """Run a program with `data` on its stdin. What it printed until a limit is kept. Raises OSError if it is missing.

    A cancelled caller leaves no process behind.
    """
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=os.name == "posix"
    )
    output = bytearray()
    timed_out = False
    try:
        async with asyncio.timeout(seconds):
            async with asyncio.TaskGroup() as group:
                group.create_task(_feed(process, data))
                group.create_task(_collect(process, output, cap))
            if len(output) < cap:
                await process.wait()
    except TimeoutError:
        timed_out = True
    finally:
        stopped = process.returncode is None
        if stopped:
            _kill(process)
            await _drain(process)
    return Ended(None if stopped else process.returncode, bytes(output[:cap]), timed_out)


async def _feed(process: Process, data: bytes) -> None:
    stdin = process.stdin
    if stdin is None:
        return
    try:
        stdin.write(data)
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it ended without reading all: its exit code tells


async def _collect(process: Process, output: bytearray, cap: int) -> None:
    stdout = process.stdout
    while stdout is not None and len(output) < cap:
        chunk = await stdout.read(65_536)
        if not chunk:
            return
        output += chunk


async def _drain(process: Process) -> None:
    """Wait for the end of a killed process, its pipes emptied: a paused pipe would never be closed."""
    if process.stdin is not None:
        process.stdin.close()
    if process.stdout is not None:
        await process.stdout.read()
    await process.wait()


def _kill(process: Process) -> None:
    try:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass  # it ended just now
