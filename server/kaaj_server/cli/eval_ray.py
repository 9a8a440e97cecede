"""The runs of an evaluation on a Ray cluster: each once, whichever machine is lost meanwhile.

A task's folder travels with its runs, so the machines need Kaaj (the same version) and nothing of ours besides. A run
whose machine is lost is begun anew on another one; what came of it before is lost with it, so a result stands in the
results file once. Nothing is told to Ray's makers.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import os
import signal
import tarfile
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from kaaj_agent.failures import KaajError
from kaaj_server.cli.eval_one import Outcome, Way, run_one
from kaaj_server.cli.eval_task import EvalTask, Result

LOCAL: Final = "local"
"""The address that means: a cluster of this machine alone, for the time of the evaluation."""

LOOPBACK: Final = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Set to 0, it keeps Ray to 127.0.0.1 on every system, and not only on those that it is called after."""

RETRIES: Final = 5
"""How often a run is begun anew whose machine was lost."""

_SETTINGS: Final = ("KAAJ_", "OPENAI_")
_MINE: Final = ("KAAJ_STATE_DIR", "KAAJ_CONFIG_DIR", "KAAJ_MODEL_DIR")

Runner = Callable[[EvalTask, int | None], Awaitable[Outcome]]


@asynccontextmanager
async def cluster(address: str, way: Way, cpus: float) -> AsyncGenerator[Runner]:
    """A runner of which each run counts for `cpus` cores there. Raises KaajError: no Ray, no cluster there."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address == LOCAL:
        os.environ[LOOPBACK] = "0"
    try:
        ray: Any = importlib.import_module("ray")  # an extra, and slow to import
    except ImportError as error:
        raise KaajError("--ray needs Ray, which is not installed.", hint="Run: pip install 'kaaj[cluster]'") from error
    _join(ray, address)  # in the main thread, as Ray wants it; nothing else is under way yet
    remote = ray.remote(num_cpus=cpus, max_retries=RETRIES, max_calls=1)(run_there)
    settings = {name: value for name, value in way.environ.items() if name.startswith(_SETTINGS) and name not in _MINE}
    packed: dict[Path, Any] = {}

    async def run(task: EvalTask, seed: int | None) -> Outcome:
        if task.folder not in packed:
            packed[task.folder] = ray.put(await asyncio.to_thread(pack, task.folder))
        reference = remote.remote(task, packed[task.folder], seed, replace(way, environ=settings))
        try:
            return cast("Outcome", await reference)
        except ray.exceptions.RayError as error:
            return Outcome(Result(task.name, solved=False, status="failed", seconds=0.0, seed=seed, error=str(error)))
        except asyncio.CancelledError:
            ray.cancel(reference, force=True)
            raise

    try:
        yield run
    finally:
        await asyncio.to_thread(ray.shutdown)


def _join(ray: Any, address: str) -> None:
    if ray.is_initialized():  # the caller's own connection, as in a test
        return
    where: dict[str, Any] = {"address": address}
    if address == LOCAL:
        where = {"address": "local", "include_dashboard": False}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(log_to_driver=False, logging_level="error", configure_logging=False, **where)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise KaajError(
            f"The Ray cluster at {address} cannot be used: {error}.",
            kept="Nothing was run.",
            hint="`ray status` tells whether it is up; --ray without an address needs no cluster.",
        ) from error
    finally:
        for number, handler in handlers.items():  # it takes SIGTERM for itself
            signal.signal(number, handler)


def run_there(task: EvalTask, packed: bytes, seed: int | None, way: Way) -> Outcome:
    """What a worker does. Its own environment holds, with the settings of who asked over it."""
    with tempfile.TemporaryDirectory(prefix="kaaj-eval-task-", ignore_cleanup_errors=True) as place:
        folder = Path(place).resolve() / task.folder.name
        unpack(packed, folder)
        environ: Mapping[str, str] = {**os.environ, **way.environ}
        here = replace(way, environ=environ, state=_state(environ), leashed=True)
        return asyncio.run(run_one(replace(task, folder=folder), seed, here))


def _state(environ: Mapping[str, str]) -> Path:
    import platformdirs  # noqa: PLC0415 - only on workers

    named = environ.get("KAAJ_STATE_DIR")
    base = Path(named) if named else platformdirs.user_state_path("kaaj", appauthor=False)
    place = base / "eval"
    place.mkdir(parents=True, exist_ok=True)
    return place


def pack(folder: Path) -> bytes:
    """A folder as one archive, modes and links kept."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        archive.add(folder, arcname=".")
    return data.getvalue()


def unpack(data: bytes, folder: Path) -> None:
    """The inverse of `pack`. Raises tarfile.TarError for what would land outside of `folder`."""
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        archive.extractall(folder, filter="tar")
