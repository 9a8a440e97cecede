"""A check's command that is started once and forked for every candidate, inside the shadow's sandbox.

Starting Python and importing a test runner costs a third of a second a candidate, a fork some hundredths. What passes
in a fork is no more than promising: the check itself runs afterwards, in a fresh process.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
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
    folder: _Folder
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
            folder = await asyncio.to_thread(_Folder.made, outside)
        except OSError as error:
            _log.info("no forking runner: %s", error)
            return None
        requests, answers = folder.pipe("req"), folder.pipe("rep")
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
        runner = cls(command, folder, running, requests, stream, transport)
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
            await finish(asyncio.to_thread(self.folder.write, f"{number}.json", json.dumps(body)))
            os.write(self.requests, f"{number} {seconds:.3f}\n".encode())
            answer = await self._answer(seconds + _SLACK_SECONDS)
            words = (answer or "").split()
            if len(words) != 2 or words[0] != number:
                await self.close()
                return None
            data = await finish(asyncio.to_thread(self.folder.take, f"{number}.out", _OUTPUT_MAX))
            await finish(asyncio.to_thread(self.folder.remove, f"{number}.json"))
        except OSError as error:  # the command has meddled with what it was given
            _log.info("the forking runner: %s", error)
            await self.close()
            return None
        except BaseException:
            await self.close()
            raise
        code = int(words[1])
        took = time.monotonic() - began
        status: Literal["passed", "failed"] = "passed" if code == 0 else "failed"
        output = clean(data.decode("utf-8", "replace"))
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
        try:
            await finish(asyncio.to_thread(self.folder.write, f"{number}.cover.json", asked))
            if await self.run({}, seconds) is None:
                return b""
            await finish(asyncio.to_thread(self.folder.remove, f"{number}.cover.json"))
            return await finish(asyncio.to_thread(self.folder.take, f"{number}.lines", _COVER_MAX))
        except OSError:
            return b""

    async def close(self) -> None:
        """End the command and all its forks. Safe to call twice."""
        if self.requests >= 0:
            os.close(self.requests)
            self.requests = -1
            self.transport.close()
            self.folder.close()
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


@dataclass(slots=True)
class _Folder:
    """Where requests and answers lie. The command can do there what it likes, so it is held by its descriptor, and
    nothing in it is reached through a link. Not to be closed while a thread is at it. All methods raise OSError.
    """

    place: int

    @classmethod
    def made(cls, path: Path) -> _Folder:
        path.mkdir(mode=0o700)
        folder = cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC))
        here = Path(__file__)
        source = here.with_name("fork_server.py").read_text("utf-8")
        for name in ("sitecustomize.py", "check_fork.py"):
            folder.write(name, source)
        folder.write("fork_cover.py", here.with_name("fork_cover.py").read_text("utf-8"))
        for name in ("req", "rep"):
            os.mkfifo(name, 0o600, dir_fd=folder.place)
        return folder

    def pipe(self, name: str) -> int:
        return os.open(name, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.place)

    def write(self, name: str, text: str) -> None:
        """A new file."""
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(name, how, 0o600, dir_fd=self.place), "w", encoding="utf-8") as file:
            file.write(text)

    def take(self, name: str, limit: int) -> bytes:
        """A file's end, and the file is gone."""
        how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(name, how, dir_fd=self.place), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "it is no file", name)
            file.seek(max(0, status.st_size - limit))
            data = file.read(limit)
        self.remove(name)
        return data

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.place)

    def close(self) -> None:
        os.close(self.place)
