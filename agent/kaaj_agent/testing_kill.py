"""Killing a piece of work at every call of the system that changes something, and at random moments, for tests.

Nothing of this is known to the code that is killed. The work is a function `victim(folder, arm)` of a test file: it
prepares `folder`, calls `arm`, and does what may be killed. A driver, a process of its own, forks it again and again:
once for each call from the first to the last, killed right before it; once more for each writing, killed in the middle
of it; and as often as is asked at random moments, which begin at a random call: most of the time is spent between few
of them, and moments drawn from the clock alone would all fall there. Calls are caught by wrapping the functions of `os`
and the files that are opened for writing, in the fork alone. POSIX only.
"""

from __future__ import annotations

import fcntl
import functools
import importlib.util
import io
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

Victim: TypeAlias = Callable[[Path, Callable[[], None]], None]
Reached: TypeAlias = Callable[[str, Callable[[], None]], None]
"""Hears of each call by its name before it is made, with a way to make half of it."""

CALLS: Final = (
    "open", "write", "fsync", "fdatasync", "replace", "rename", "unlink", "remove", "mkdir", "rmdir", "chmod", "fchmod",
    "truncate", "ftruncate", "symlink", "link", "utime", "sendfile", "copy_file_range",
)  # fmt: skip
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_TRIES: Final = 10
"""To kill a victim at a random moment before it has come to its end."""

_ARMED: Final = b"armed\n"
_MANY: Final = 5_000
"""Calls after which a work is taken to have no end."""


def told(found: Sequence[Kill]) -> str:
    """How many were killed and how, for people."""
    torn, random_ones = sum(kill.torn for kill in found), sum(kill.call == "random" for kill in found)
    killed = sum(bool(kill.call) for kill in found)
    return f"{killed} kills: {killed - torn - random_ones} before a call, {torn} in a writing, {random_ones} at random"


@dataclass(frozen=True, slots=True)
class Kill:
    """One run of a victim in `folder`. `call` is the call before which it was killed, `random` for a random moment,
    `""` where it came to its end.
    """

    folder: Path
    call: str
    number: int = 0
    torn: bool = False

    def __str__(self) -> str:
        return f"{self.folder.name}: {self.call or 'not killed'} {self.number}{' torn' * self.torn}"


def kills(
    file: str, victim: str, base: Path, *, moments: int = 0, seed: int = 0, environ: Mapping[str, str] | None = None
) -> list[Kill]:
    """Run `victim` of the test file `file` in folders under `base`, killed everywhere; the last one was not killed.

    Raises AssertionError where a victim ends in any other way.
    """
    base.mkdir(parents=True, exist_ok=True)
    row = {"file": file, "victim": victim, "base": str(base), "moments": moments, "seed": seed}
    done = subprocess.run(  # noqa: PLW1510 - looked at below
        [sys.executable, "-m", "kaaj_agent.testing_kill", json.dumps(row)],
        capture_output=True,
        text=True,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise AssertionError(f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [Kill(Path(one["folder"]), one["call"], one["number"], one["torn"]) for one in found]


# --- catching calls ---------------------------------------------------------------------------------------------------


def watch(reached: Reached) -> None:
    """From now on `reached` hears of every call of this process that changes something. Never taken back."""
    for name in CALLS:
        original = getattr(os, name, None)
        if original is not None:
            setattr(os, name, _watched(name, original, reached))
    fcntl.flock = _watched("flock", fcntl.flock, reached)

    def opened(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **more: Any) -> Any:
        if not set(mode) & set("wax+"):
            return real_open(file, mode, buffering, *rest, **more)
        return _opened(reached, file, mode, buffering, *rest, **more)

    heard = type("_Heard", (_File,), {"reached": staticmethod(reached)})
    for module in tuple(sys.modules.values()):
        if vars(module).get("FileIO") is io.FileIO and module not in (io, sys.modules["_io"]):
            vars(module)["FileIO"] = heard
    real_open = io.open
    io.open = opened
    sys.modules["builtins"].open = opened  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue] - any module's builtins


def _watched(name: str, original: Callable[..., Any], reached: Reached) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **more: Any) -> Any:
        if name != "open" or args[1] & _WRITING:

            def half() -> None:
                if name == "write":
                    original(args[0], bytes(args[1])[: len(args[1]) // 2])

            reached(name, half)
        return original(*args, **more)

    return call


def _unheard(_name: str, _half: Callable[[], None]) -> None:
    pass


class _File(io.FileIO):
    """A file whose writing is heard of."""

    reached: Reached = staticmethod(_unheard)

    def write(self, data: Any, /) -> int:
        plain = super().write

        def half() -> None:
            whole = bytes(data)
            plain(whole[: len(whole) // 2])

        self.reached("write", half)
        return plain(data)

    def truncate(self, size: int | None = None, /) -> int:
        self.reached("truncate", lambda: None)
        return super().truncate(size)


_REST: Final = ("encoding", "errors", "newline", "closefd", "opener")


def _opened(reached: Reached, file: Any, mode: str, buffering: int, *rest: Any, **more: Any) -> Any:
    """As the built-in `open`, for writing."""
    given = dict(zip(_REST, rest, strict=False)) | more
    if not isinstance(file, int):
        reached("open", lambda: None)
    raw = _File(file, mode.replace("b", "").replace("t", ""), given.get("closefd", True), given.get("opener"))
    raw.reached = reached
    if buffering == 0:
        return raw
    size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
    buffer: Any = io.BufferedRandom(raw, size) if "+" in mode else io.BufferedWriter(raw, size)
    if "b" in mode:
        return buffer
    return io.TextIOWrapper(buffer, given.get("encoding") or "utf-8", given.get("errors"), given.get("newline"))


# --- the driver -------------------------------------------------------------------------------------------------------


def _fork(folder: Path, victim: Victim, at: int, *, torn: bool, delay: float | None = None) -> tuple[str, float, int]:
    """Run once. The call before which it was killed ("" where it was not), the seconds it took, and the calls.

    With a `delay` it is killed that many seconds after the call `at`, or after the beginning for 0.
    """
    folder.mkdir()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(folder, victim, at, writing, torn=torn, timed=delay is not None)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb", buffering=0) as news:
            first = news.readline()  # armed, or nothing more than the count at its end
            begun = time.monotonic()
            if delay is not None and first == _ARMED and not select.select([news], [], [], delay)[0]:
                os.kill(pid, signal.SIGKILL)
            told = [line.decode() for line in (first.replace(_ARMED, b"") + news.read()).splitlines()]
            seconds = time.monotonic() - begun
    finally:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == 0:
        return "", seconds, int(told[-1])
    if status == -signal.SIGKILL and (told or delay is not None):
        return told[-1] if told and delay is None else "random", seconds, at
    log = (folder.parent / f"{folder.name}.log").read_text("utf-8", "replace")
    raise AssertionError(f"{folder.name} ended with {status}\n{log}")


def _child(folder: Path, victim: Victim, at: int, told: int, *, torn: bool, timed: bool) -> NoReturn:
    log = os.open(folder.parent / f"{folder.name}.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    write = os.write
    count = 0

    def reached(name: str, half: Callable[[], None]) -> None:
        nonlocal count
        count += 1
        if count == at and timed:
            write(told, _ARMED)
        elif count == at:
            if torn:
                half()
            write(told, f"{name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def arm() -> None:
        watch(reached)
        if not timed or at == 0:
            write(told, _ARMED)

    code = 1
    try:
        victim(folder, arm)
        write(told, f"{count}\n".encode())
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, it is told, and this process ends here
        import traceback  # noqa: PLC0415 - seldom needed

        write(2, traceback.format_exc().encode())
    os._exit(code)


def _sweep(victim: Victim, base: Path, moments: int, seed: int) -> Iterator[Kill]:
    dice = random.Random(seed)  # noqa: S311 - moments, no secrets
    whole, calls = 0.0, 0
    for _ in range(2):  # the first run is slower: it warms caches up
        folder = base / f"warm-{_}"
        _, whole, calls = _fork(folder, victim, 0, torn=False)
    for number in range(1, _MANY):
        folder = base / f"call-{number:04d}"
        call, _seconds, _calls = _fork(folder, victim, number, torn=False)
        yield Kill(folder, call, number)
        if not call:
            break
        if call == "write":
            torn = base / f"torn-{number:04d}"
            yield Kill(torn, _fork(torn, victim, number, torn=True)[0], number, torn=True)
    for number in range(moments):
        for attempt in range(_TRIES):
            folder = base / f"moment-{number:04d}-{attempt}"
            delay = dice.uniform(0, 2 * whole / (calls + 1))
            call, _seconds, _calls = _fork(folder, victim, dice.randint(0, calls), torn=False, delay=delay)
            if call or attempt == _TRIES - 1:
                yield Kill(folder, call, number)
                break


def _main(row: Mapping[str, Any]) -> None:
    spec = importlib.util.spec_from_file_location("victims", row["file"])
    if spec is None or spec.loader is None:
        raise ValueError(row["file"])
    module = importlib.util.module_from_spec(spec)
    sys.modules["victims"] = module
    spec.loader.exec_module(module)
    for kill in _sweep(getattr(module, row["victim"]), Path(row["base"]), row["moments"], row["seed"]):
        sys.stdout.write(json.dumps(asdict(kill) | {"folder": str(kill.folder)}) + "\n")


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
