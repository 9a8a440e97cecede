"""A check's command that is started once and forked for every candidate, inside the shadow's sandbox.

Starting Python and importing a test runner costs a third of a second a candidate, a fork some hundredths. What passes
in a fork is no more than promising: the check itself runs afterwards, in a fresh process.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import os
import shlex
import stat
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from kaaj_agent.changes import CheckResult
from kaaj_agent.failures import SandboxError
from kaaj_agent.finishing import finish
from kaaj_agent.output import clean
from kaaj_agent.ports import CommandResult
from kaaj_agent.shadow import Shadow

_log = logging.getLogger(__name__)

_READY_SECONDS: Final = 20.0
_LIFE_SECONDS: Final = 3_600.0
_SLACK_SECONDS: Final = 5.0
_OUTPUT_MAX: Final = 256 * 1024
_COVER_MAX: Final = 4 * 1024 * 1024


@dataclass(slots=True)
class ForkRunner:
    """One command, ready to be forked; made by `start`. One candidate at a time. Close it when done.

    While it is at work it writes candidates into the shadow tree, and puts back what stood there: nothing else may
    run in the shadow at that time.
    """

    command: str
    folder: Path
    running: asyncio.Task[CommandResult]
    requests: int
    answers: asyncio.StreamReader
    transport: asyncio.ReadTransport
    sent: int = field(default=0, init=False)

    @classmethod
    async def start(cls, shadow: Shadow, command: str) -> ForkRunner | None:
        """The runner, or None where this command or machine has no use for one. The shadow has been laid out."""
        sandbox = shadow.sandbox
        if not shadow.shell.sandboxed or not sandbox.home.is_dir() or os.name != "posix":
            return None
        name = f".check-{uuid.uuid4().hex[:12]}"
        outside, inside = shadow.folder / "home" / name, sandbox.home / name
        try:
            await asyncio.to_thread(_lay_out, outside)
            requests = os.open(outside / "req", os.O_RDWR | os.O_NONBLOCK)
            answers = os.open(outside / "rep", os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            _log.info("no forking runner: %s", error)
            return None
        place = shlex.quote(str(inside))
        full = (
            f'export CHECK_FORK_FOLDER={place} PYTHONPATH={place}"${{PYTHONPATH:+:$PYTHONPATH}}"'
            f' PYTEST_PLUGINS="${{PYTEST_PLUGINS:+$PYTEST_PLUGINS,}}check_fork"; {command}'
        )
        running = asyncio.ensure_future(shadow.shell.run(full, timeout=_LIFE_SECONDS))
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(answers, "rb", buffering=0)
        )
        runner = cls(command, outside, running, requests, stream, transport)
        try:
            if await runner._answer(_READY_SECONDS) == "ready":
                return runner
        except BaseException:
            await runner.close()
            raise
        await runner.close()
        return None

    @property
    def alive(self) -> bool:
        return not self.running.done()

    async def run(self, files: Mapping[Path, bytes], seconds: float) -> CheckResult | None:
        """The command with other texts at some places of the workspace; None where the runner failed.

        A cancelled run ends the runner.
        """
        if not self.alive:
            return None
        self.sent += 1
        number = str(self.sent)
        body = {str(path): base64.b64encode(data).decode("ascii") for path, data in files.items()}
        began = time.monotonic()
        try:
            await asyncio.to_thread(_write, self.folder / f"{number}.json", json.dumps(body))
            os.write(self.requests, f"{number} {seconds:.3f}\n".encode())
            answer = await self._answer(seconds + _SLACK_SECONDS)
            words = (answer or "").split()
            if len(words) != 2 or words[0] != number:
                await self.close()
                return None
            output = await asyncio.to_thread(_output, self.folder, number)
        except BaseException:
            await self.close()
            raise
        code = int(words[1])
        took = time.monotonic() - began
        status: Literal["passed", "failed"] = "passed" if code == 0 else "failed"
        return CheckResult(status, self.command, output, took, sandboxed=True, exit_code=code)

    async def covered(self, roots: Iterable[Path], wanted: Collection[str], seconds: float) -> bytes:
        """What a run of the code as it stands reports of the lines that its tests execute (see fork_cover.py).

        `wanted` are the bare names of the tests that matter. Written by the project's own process: to be read with
        care. Empty where there is none; a part of it where the time was over.
        """
        if not self.alive:
            return b""
        number = str(self.sent + 1)
        asked = json.dumps({"roots": [str(root) for root in roots], "wanted": sorted(wanted)})
        await asyncio.to_thread(_write, self.folder / f"{number}.cover.json", asked)
        result = await self.run({}, seconds)
        return b"" if result is None else await asyncio.to_thread(_lines, self.folder, number)

    async def close(self) -> None:
        """End the command and all its forks. Safe to call twice."""
        if self.requests >= 0:
            os.close(self.requests)
            self.requests = -1
            self.transport.close()
        self.running.cancel()
        await finish(_gone(self.running))

    async def _answer(self, seconds: float) -> str | None:
        """The next line; None where the command has ended or the time is over."""
        reading = asyncio.ensure_future(self.answers.readline())
        try:
            await asyncio.wait({reading, self.running}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return reading.result().decode("ascii", "replace").strip() if reading.done() else None
        finally:
            reading.cancel()


async def _gone(running: asyncio.Task[CommandResult]) -> None:
    await asyncio.wait({running})
    if not running.cancelled() and isinstance(running.exception(), SandboxError):
        _log.info("the forking runner: %s", running.exception())


def _lay_out(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    source = Path(__file__).with_name("fork_server.py").read_text("utf-8")
    for name in ("sitecustomize", "check_fork"):
        (folder / f"{name}.py").write_text(source, "utf-8")
    cover = Path(__file__).with_name("fork_cover.py").read_text("utf-8")
    (folder / "fork_cover.py").write_text(cover, "utf-8")
    os.mkfifo(folder / "req", 0o600)
    os.mkfifo(folder / "rep", 0o600)


def _write(path: Path, text: str) -> None:
    """A new file; a link that the project laid in its place is not followed."""
    path.unlink(missing_ok=True)
    writing = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(writing, "w", encoding="utf-8") as file:
        file.write(text)


def _lines(folder: Path, number: str) -> bytes:
    """What the fork told of lines, as much as is bearable; empty where there is none."""
    try:
        reading = os.open(folder / f"{number}.lines", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(reading, "rb") as file:
            return file.read(_COVER_MAX) if stat.S_ISREG(os.fstat(reading).st_mode) else b""
    except OSError:
        return b""
    finally:
        for suffix in (".lines", ".cover.json"):
            with contextlib.suppress(OSError):
                (folder / f"{number}{suffix}").unlink(missing_ok=True)


def _output(folder: Path, number: str) -> str:
    """What the fork printed, its end if it is long; the request's files are removed."""
    reading = os.open(folder / f"{number}.out", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(reading, "rb") as file:
        size = os.fstat(reading).st_size
        file.seek(max(0, size - _OUTPUT_MAX))
        data = file.read(_OUTPUT_MAX)
    for suffix in (".out", ".json"):
        (folder / f"{number}{suffix}").unlink(missing_ok=True)
    return clean(data.decode("utf-8", "replace"))
