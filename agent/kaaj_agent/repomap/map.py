"""The repository map as the agent uses it: asked now and then, kept up to date by what the world tells."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kaaj_agent.mentions import identifiers, paths
from kaaj_agent.trees.tags import Kind
from kaaj_agent.world import World

_log = logging.getLogger(__name__)

IDLE_SECONDS: Final = 600.0
"""How long the map's process stays when nobody asks; the cache makes the next start a matter of a second."""
_ANSWER_MAX: Final = 16 * 1024 * 1024
_TEXT_MAX: Final = 400_000
"""Characters; a larger buffer is not mapped."""
_WORDS_MAX: Final = 20_000
"""Characters of a request in which names are looked for."""
_SUREST: Final = 8.0
_START: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from kaaj_agent.repomap.process import main\n"
    "if __name__ == '__main__': main()"
)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a name is defined. Lines count from 1, both included; `name` is qualified."""

    path: Path
    name: str
    kind: Kind
    first: int
    last: int
    signature: str


@dataclass(frozen=True, slots=True)
class Use:
    """A line, from 1, on which a name is referred to."""

    path: Path
    line: int


@dataclass(slots=True)
class RepoMap:
    """One map for one world, on the world's event loop. Nothing is started before the first question.

    `state` is the user's state folder; None keeps no cache. `secrets`: the user has allowed files that hold keys to be
    read; `names`: what else they count among such files. A failure of the map's process costs the map and nothing
    else: questions are then answered with nothing.
    """

    world: World
    state: Path | None = None
    secrets: bool = False
    names: tuple[str, ...] = ()
    idle: float = IDLE_SECONDS
    _dirty: set[Path] = field(default_factory=set[Path])
    _process: Process | None = None
    _roots: tuple[Path, ...] = ()
    _reader: asyncio.Task[None] | None = None
    _waiting: dict[int, asyncio.Future[dict[str, Any]]] = field(
        default_factory=dict[int, "asyncio.Future[dict[str, Any]]"]
    )
    _last: int = 0
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    _timer: asyncio.TimerHandle | None = None
    _closed: bool = False
    _unlisten: Callable[[], None] = field(init=False)

    def __post_init__(self) -> None:
        self._unlisten = self.world.listen(self._touched)

    def _touched(self, path: Path) -> None:
        self._dirty.add(path)

    async def outline(
        self,
        *,
        focus: Iterable[Path] = (),
        mentioned: str = "",
        tokens: int = 600,
        least: int = 0,
        fresh: bool = False,
    ) -> str:
        """What matters most in the workspace, for files that are worked on and a request's words.

        At most about `tokens` tokens; empty in a workspace of fewer than `least` source files. `fresh` looks at every
        file's time stamp first, for changes that nobody told of. Cancelling ends the wait, not the work: the map is
        there the sooner next time.
        """
        about = _about(focus, mentioned)
        said = await self._ask("outline", **about, tokens=tokens, least=least, scan=fresh)
        return str(said.get("text", ""))

    async def nearest(self, *, focus: Iterable[Path] = (), mentioned: str = "", limit: int) -> list[Path]:
        """The source files that matter most for files that are worked on and a request's words, best first."""
        said = await self._ask("nearest", **_about(focus, mentioned), limit=limit)
        return [Path(path) for path in said.get("found", [])]

    async def definitions(self, name: str) -> list[Found]:
        """Where a bare or qualified name is defined, except inside of functions."""
        said = await self._ask("definitions", name=name)
        return [Found(Path(path), *rest) for path, *rest in said.get("found", [])]

    async def references(self, name: str) -> list[Use]:
        """Where a bare name is called, imported, inherited from or used as a type; at most 200 places, by path."""
        said = await self._ask("references", name=name)
        return [Use(Path(path), line) for path, line in said.get("found", [])]

    async def files(self, *, fresh: bool = False) -> int:
        """How many source files are mapped."""
        return int((await self._ask("files", scan=fresh)).get("files", 0))

    async def close(self) -> None:
        """End the process and stop listening. Whoever waits is answered with nothing."""
        self._closed = True
        self._unlisten()
        self._stop()
        reader, self._reader = self._reader, None
        if reader is not None:
            await asyncio.wait([reader])

    # --- the process -----------------------------------------------------------------------------------------------

    async def _ask(self, op: str, **more: Any) -> dict[str, Any]:
        """The answer; empty where the process could not give one."""
        if self._closed or not self.world.folders.roots:
            return {}
        self._stay()
        said: dict[str, Any]
        try:
            answer = await self._send(op, more)
            said = await answer
        except (OSError, ValueError) as error:
            _log.warning("the repository map is not available: %s", error)
            self._stop()
            return {}
        if "error" in said:
            _log.warning("the repository map: %s", said["error"])
        return said

    async def _send(self, op: str, more: Mapping[str, Any]) -> asyncio.Future[dict[str, Any]]:
        """Put a question to the process. Raises OSError."""
        async with self._sending:
            process = await self._running()
            if process.stdin is None:  # never: it was started with a pipe
                raise OSError("no pipe")
            self._last += 1
            dirty, self._dirty = self._dirty, set()
            try:
                request = {"id": self._last, "op": op, "texts": self._texts(dirty), **more}
                data = await asyncio.to_thread(_line, request)
            except BaseException:
                self._dirty |= dirty  # not told yet
                raise
            if self._process is not process:  # it has ended meanwhile; the next one is told of every buffer
                raise OSError("its process has ended")
            answer = self._waiting[self._last] = asyncio.get_running_loop().create_future()
            process.stdin.write(data)
            await process.stdin.drain()
            return answer

    def _texts(self, paths: Iterable[Path]) -> dict[str, str | None]:
        """Each path with its unsaved text, where an editor has it open."""
        buffers = ((path, self.world.buffer(path)) for path in paths)
        return {
            str(path): buffer.text if buffer is not None and len(buffer.text) <= _TEXT_MAX else None
            for path, buffer in buffers
        }

    async def _running(self) -> Process:
        """The process, started where there is none or the folders are others now. Raises OSError."""
        roots = self.world.folders.roots
        if self._process is not None and self._process.returncode is None and roots == self._roots:
            return self._process
        self._stop()
        if self._reader is not None:
            await asyncio.wait([self._reader])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-c", _START, str(Path(__file__).parent.parent.parent),
            stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=_ANSWER_MAX, start_new_session=os.name == "posix",
        )  # fmt: skip
        self._process, self._roots = process, roots
        self._reader = asyncio.create_task(self._read(process), name="repository map")
        self._dirty.update(self.world.snapshot().buffers)
        cache = str(self.state / "repomap") if self.state is not None else None
        first = {"roots": [str(root) for root in roots], "cache": cache, "secrets": self.secrets, "names": self.names}
        if process.stdin is not None:
            process.stdin.write(_line(first))
        return process

    async def _read(self, process: Process) -> None:
        """Hand each answer to who waits for it, until the process ends."""
        stdout = process.stdout
        try:
            while stdout is not None and (line := await stdout.readline()):
                said: dict[str, Any] = await asyncio.to_thread(json.loads, line)
                waiting = self._waiting.pop(said["id"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(said)
                if not self._waiting:
                    self._stay(self.idle)
        except (ValueError, OSError) as error:
            _log.warning("the repository map's answer cannot be read: %s", error)
        finally:
            _kill(process)
            if self._process is process:
                self._process = None
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_result({})
            self._waiting.clear()
        code = await process.wait()
        _log.debug("the repository map's process ended with %s", code)

    def _rest(self) -> None:
        """Nobody has asked for a while."""
        self._timer = None
        if not self._waiting:
            self._stop()

    def _stay(self, seconds: float | None = None) -> None:
        """The process stays so many seconds if nothing happens; None: as long as there is work."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if seconds is None or self._closed else loop.call_later(seconds, self._rest)

    def _stop(self) -> None:
        """End the process, if there is one; its reader ends by that."""
        self._stay()
        process, self._process = self._process, None
        if process is not None:
            _kill(process)


def _about(focus: Iterable[Path], mentioned: str) -> dict[str, Any]:
    """What a question is about, as the process reads it; the first file counts most."""
    words = mentioned[:_WORDS_MAX]
    return {
        "focus": {str(path): 1.0 if at == 0 else 0.3 for at, path in enumerate(focus)},
        "words": {name: weight / _SUREST for name, weight in identifiers(words).items()},
        "paths": paths(words),
    }


def _line(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data).encode() + b"\n"


def _kill(process: Process) -> None:
    """With all that it has started."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
