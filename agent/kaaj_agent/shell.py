"""Commands in a shadow workspace: own session, no input, a time limit, a cap on output, and nothing left over."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

from kaaj_agent import process_count
from kaaj_agent.command_caps import PROCESSES_MAX
from kaaj_agent.cutting import around
from kaaj_agent.failures import SandboxError
from kaaj_agent.finishing import finish
from kaaj_agent.handing import Handing
from kaaj_agent.output import CAP, Output
from kaaj_agent.ports import CommandResult

_MARK: Final = "COMMAND_RUN_ID"
"""A variable with an unguessable value by which processes that left the group are found again."""

_GRACE: Final = 1.0
"""Seconds between SIGTERM and SIGKILL."""

_DRAIN: Final = 2.0
"""Seconds to wait for the end of the output once every process is gone."""

_READ: Final = 65_536
_SWEEPS: Final = 20

T = TypeVar("T")


class ShadowShell:
    """Runs commands by `sh -c` in `folder`. `argv` turns a command into the arguments that start it.

    With `sandboxed` these begin with bubblewrap, which is handed `rules` (its `--seccomp`) and is killed once more than
    `processes` stand below it where the kernel does not see to that. `environment` is all that a command gets.

    `rename` maps texts in the output, such as the shadow's own path, to what people know.
    """

    def __init__(
        self,
        folder: Path,
        argv: Callable[[str], Sequence[str]],
        environment: Callable[[], Mapping[str, str]],
        *,
        sandboxed: bool,
        rename: Mapping[str, str] | None = None,
        rules: bytes = b"",
        processes: int = PROCESSES_MAX,
    ) -> None:
        self._folder = folder
        self._argv = argv
        self._environment = environment
        self._sandboxed = sandboxed
        self._rename = dict(rename or {})
        self._rules = rules
        self._processes = processes

    @property
    def sandboxed(self) -> bool:
        return self._sandboxed

    async def run(
        self,
        command: str,
        *,
        timeout: float = 120.0,
        on_output: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """Run `command`. Cancelling kills all that it started, and returns once it is gone. Raises SandboxError."""
        if "\0" in command:
            raise SandboxError("A command cannot hold a NUL character.")
        output = Output(on_output, self._rename)
        mark = uuid.uuid4().hex
        began = time.monotonic()
        reading, writing = os.pipe()
        with Handing(self._rules if self._sandboxed else None) as handing:
            try:
                process = await self._start(command, writing, mark, handing)
            except BaseException:
                os.close(reading)
                raise
            finally:
                os.close(writing)
            handing.handed()
            timed_out = False
            try:
                # From here on there is a process to end, whatever is raised.
                async with _Reader(reading, output) as reader:
                    try:
                        async with asyncio.timeout(timeout):
                            too_many = await self._until_ended(process)
                    except TimeoutError:
                        timed_out, too_many = True, False
                    finally:
                        await finish(self._end(process, mark, reader))
            except BaseException:
                await finish(_kill_all(process, mark, sandboxed=self._sandboxed))
                raise
            set_up = handing.was_set_up()
        seconds = time.monotonic() - began
        whole = await asyncio.to_thread(output.text)
        text = await asyncio.to_thread(around, whole, CAP)
        if timed_out:
            text += f"\n[stopped: it ran longer than {timeout:g} s]"
        code = None if timed_out else process.returncode
        if too_many:
            text += f"\n[stopped: it had started more than {self._processes:,} processes]"
        elif self._sandboxed and code == 1 and not set_up and text.startswith("bwrap: "):
            raise SandboxError(
                f"The sandbox could not be set up: {text.strip().removeprefix('bwrap: ')}",
                kept="The command was not run.",
                hint="Set sandbox to off in your settings to be asked for each command instead.",
            )
        cut = len(whole) > CAP or output.was_cut
        return CommandResult(code, text, seconds, timed_out, cut, whole if cut else "")

    async def _until_ended(self, process: asyncio.subprocess.Process) -> bool:
        """Wait for the end of the process; whether it was killed for having too many below it."""
        if not self._sandboxed or not process_count.is_needed():
            await process.wait()
            return False
        counting = asyncio.create_task(process_count.kill_above(process.pid, self._processes))
        try:
            await process.wait()
            return counting.done() and counting.result()
        finally:
            counting.cancel()
            await asyncio.wait({counting})

    async def _start(self, command: str, writing: int, mark: str, handing: Handing) -> asyncio.subprocess.Process:
        argv = list(self._argv(command))
        argv[1:1] = handing.flags
        starting = asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            cwd=self._folder,
            env={**self._environment(), _MARK: mark},
            start_new_session=True,
            pass_fds=handing.descriptors,
        )
        task = asyncio.ensure_future(starting)
        try:
            return await finish(task)
        except asyncio.CancelledError:
            if not task.cancelled() and task.exception() is None:
                await finish(_kill_all(task.result(), mark, sandboxed=self._sandboxed))
            raise
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise SandboxError(
                f"The command could not be started: {why}.",
                kept="No file was changed.",
                hint="A very long command has to go into a script." if getattr(error, "errno", 0) == 7 else "",
            ) from error

    async def _end(self, process: asyncio.subprocess.Process, mark: str, reader: _Reader) -> None:
        await _kill_all(process, mark, sandboxed=self._sandboxed)
        await reader.drain(_DRAIN)


class _Reader:
    """Reads a pipe into an Output until it ends. Owns the descriptor and its task."""

    def __init__(self, descriptor: int, output: Output) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self._output = output
        self._stream = asyncio.StreamReader(limit=_READ)
        self._transport: asyncio.ReadTransport | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(self._stream), self._file
            )
        except BaseException:
            self._file.close()
            raise
        self._task = loop.create_task(self._read())
        return self

    async def _read(self) -> None:
        while chunk := await self._stream.read(_READ):
            self._output.feed(chunk)
        self._output.end()

    async def drain(self, seconds: float) -> None:
        """Wait for the end of the output; a pipe that someone still holds is given up after `seconds`."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=seconds)

    async def __aexit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()
        if self._task is None:
            return
        if not self._task.done():
            self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.result()


async def _kill_all(process: asyncio.subprocess.Process, mark: str, *, sandboxed: bool) -> None:
    """End the process, its group and what left the group. Bubblewrap's end takes all that it started along."""
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(_GRACE):
                await process.wait()
        except TimeoutError:
            pass
    _signal_group(process.pid, signal.SIGKILL)
    await process.wait()
    if not sandboxed:
        await asyncio.to_thread(_kill_marked, mark)


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left in it


def _kill_marked(mark: str) -> None:
    """Kill every process that carries the mark in its environment (Linux; elsewhere there is nothing to read)."""
    wanted = f"{_MARK}={mark}".encode()
    for _ in range(_SWEEPS):
        found = _marked(wanted)
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        if not found:
            return
        time.sleep(0.01)


def _marked(wanted: bytes) -> list[int]:
    found: list[int] = []
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - /proc is no place for Path objects
    except OSError:
        return found
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:  # noqa: PTH123 - as above
                if wanted in file.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            continue  # gone, or not ours
    return found
