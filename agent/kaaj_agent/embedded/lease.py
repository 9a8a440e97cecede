"""Leases on the embedded server: one server per machine and model, shared, started on first use."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from filelock import FileLock

from kaaj_agent.embedded import machine
from kaaj_agent.embedded.home import Address, Home, try_lock
from kaaj_agent.embedded.models import (
    DEFAULT_MODEL,
    EmbeddedModel,
    installed,
    model_folder,
    model_named,
    state_folder,
)
from kaaj_agent.failures import ModelError

if TYPE_CHECKING:
    from types import TracebackType

_POLL_SECONDS: Final = 0.05
_START_SECONDS: Final = 180.0
_HEALTH_SECONDS: Final = 5.0
_SECRETS: Final = ("KAAJ_API_KEY", "OPENAI_API_KEY")


@dataclass(slots=True)
class Lease:
    """The right to use a running server; it stays up while this is held. Release it, or use `async with`.

    `base_url` is OpenAI-compatible, `native_url` is llama.cpp's own root, `scan_url` (may be empty) the token-level
    root. `context` counts tokens.
    """

    model: str
    base_url: str
    native_url: str
    scan_url: str
    api_key: str = field(repr=False)
    context: int
    pid: int
    _lock: FileLock | None = field(repr=False)

    async def release(self) -> None:
        """Give it back. Doing so twice is harmless; the server ends by itself when nobody is left."""
        lock, self._lock = self._lock, None
        if lock is not None:
            Home.drop_lease(lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()


async def acquire(
    model: str | EmbeddedModel = DEFAULT_MODEL,
    *,
    folder: Path | None = None,
    state: Path | None = None,
    environ: Mapping[str, str] | None = None,
    command: Sequence[str] | None = None,
    linger: float | None = None,
) -> Lease:
    """A lease on the server of `model`, which is started where none runs (some seconds).

    `folder` holds the model files, `state` Kaaj's state; both default to the user's. `linger`: seconds that a server
    which is started for this stays without a user; None leaves it to the server. `command` starts another
    program in place of the real server (for tests). Raises ModelError: the extra or the model is missing, too little
    memory, the server does not start. Cancelling leaves no lease behind.
    """
    wanted = model_named(model) if isinstance(model, str) else model
    home = Home.of(state or state_folder(environ), wanted.name)
    try:
        await asyncio.to_thread(home.prepare)
        start = home.start_lock()
        while not try_lock(start):  # noqa: ASYNC110 - the event is in another process: someone starts the server, takes a lease, or the server looks around
            await asyncio.sleep(_POLL_SECONDS)
        try:
            lease = home.take_lease()
            try:
                address = await _running(home)
                if address is None:
                    place = folder or model_folder(environ)
                    if command is None:
                        command = await asyncio.to_thread(_command, wanted, home, place)
                        command += [] if linger is None else ["--linger", str(linger)]
                    address = await _start(wanted, home, command)
            except BaseException:
                Home.drop_lease(lease)
                raise
        finally:
            start.release()
    except OSError as error:
        raise ModelError(
            f"The embedded model's state in {home.folder} cannot be used: {error.strerror or error}.",
            hint="Set KAAJ_STATE_DIR to a folder that can be written.",
        ) from error
    return Lease(
        model=wanted.name,
        base_url=f"{address.url}/v1",
        native_url=address.url,
        scan_url=address.scan_url,
        api_key=address.token,
        context=address.context,
        pid=address.pid,
        _lock=lease,
    )


async def _running(home: Home) -> Address | None:
    """The address of a server that lives and answers. One that is still loading is waited for."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + _START_SECONDS
    while home.is_alive() and loop.time() < limit:
        address = home.address()
        if address is not None and await _answers(address):
            return address
        await asyncio.sleep(_POLL_SECONDS)
    return None


async def _answers(address: Address) -> bool:
    import httpx2  # noqa: PLC0415 - not on the way to `initialize`

    try:
        async with httpx2.AsyncClient(timeout=_HEALTH_SECONDS, trust_env=False) as client:
            reply = await client.get(f"{address.url}/health", headers=_bearer(address.token))
    except httpx2.HTTPError:
        return False
    return reply.status_code == HTTPStatus.OK


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _command(model: EmbeddedModel, home: Home, folder: Path) -> list[str]:
    if importlib.util.find_spec("xllamacpp") is None:
        raise ModelError(
            "The embedded model needs llama.cpp, which is not installed.", hint="Run: pip install 'kaaj[local]'"
        )
    path = installed(model, folder)
    if path is None:
        raise ModelError(f"{model.name} is not on this machine.", hint=f"Run: kaaj model pull {model.name}")
    available = machine.available_memory()
    settings = machine.choose(model, available, machine.physical_cores())
    if settings is None:
        needed = machine.memory_needed(model, 4096) / 1024**3
        raise ModelError(
            f"{model.name} needs {needed:.1f} GiB of memory, and {(available or 0) / 1024**3:.1f} GiB are free.",
            hint="Close something, use qwen2.5-coder-0.5b, or set KAAJ_BASE_URL to a model elsewhere.",
        )
    return [
        sys.executable, "-P", "-m", "kaaj_agent.embedded.serve",
        "--model", str(path), "--alias", model.name, "--home", str(home.folder),
        "--context", str(settings.context), "--threads", str(settings.threads),
    ]  # fmt: skip


async def _start(model: EmbeddedModel, home: Home, command: Sequence[str]) -> Address:
    process = await asyncio.to_thread(_spawn, home, command)
    loop = asyncio.get_running_loop()
    limit = loop.time() + _START_SECONDS
    while process.poll() is None:
        address = home.address()
        if address is not None and address.pid == process.pid and await _answers(address):
            return address
        if loop.time() > limit:
            process.kill()
            raise ModelError(f"{model.name} did not come up within {_START_SECONDS:.0f} s.", hint=_log_hint(home))
        await asyncio.sleep(_POLL_SECONDS)
    raise ModelError(
        f"The server of {model.name} ended with code {process.returncode}: {_last_lines(home)}",
        hint=_log_hint(home),
    )


def _spawn(home: Home, command: Sequence[str]) -> subprocess.Popen[bytes]:
    """The server outlives its starter as long as others use it: own session, no pipes."""
    home.withdraw()
    descriptor = os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=home.folder,
            env={name: value for name, value in os.environ.items() if name not in _SECRETS},
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    # Takes the exit code when the server ends, so that it does not stay behind as a zombie of ours.
    threading.Thread(target=process.wait, name="kaaj-embedded-reaper", daemon=True).start()
    return process


def _last_lines(home: Home, count: int = 6) -> str:
    with contextlib.suppress(OSError):
        lines = home.log.read_text("utf-8", "replace").strip().splitlines()
        if lines:
            return " | ".join(line.strip() for line in lines[-count:])
    return "it said nothing."


def _log_hint(home: Home) -> str:
    return f"All it said is in {home.log}."
