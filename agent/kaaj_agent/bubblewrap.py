"""Whether bubblewrap works on this machine, and how much of what it offers. Flags after its manual (bwrap(1), 0.8)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kaaj_agent import syscall_filter

_TRIAL_SECONDS: Final = 10.0

ISOLATION: Final = (
    "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--ro-bind", "/", "/",
)  # fmt: skip
_NO_NESTING: Final = ("--unshare-user", "--disable-userns")
"""No user namespace inside of the sandbox's own: there a program would be root of its own kernel objects again."""


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """What was found: the program's path, or None and `reason`, for people. `filter` is for its `--seccomp`."""

    program: str | None
    reason: str = ""
    flags: tuple[str, ...] = ISOLATION
    filter: bytes = b""


@lru_cache(maxsize=1)
def try_bubblewrap() -> Bubblewrap:
    """Try it with all that hardens it, then with less where this version or kernel has not everything."""
    program = shutil.which("bwrap")
    if program is None:
        hint = "" if sys.platform == "linux" else " (it exists for Linux only)"
        return Bubblewrap(None, f"bubblewrap (bwrap) is not installed{hint}.")
    reason = ""
    for flags, rules in _ways():
        reason = _try(program, flags, rules)
        if not reason:
            return Bubblewrap(program, "", flags, rules)
    return Bubblewrap(None, reason)


def _ways() -> Iterator[tuple[tuple[str, ...], bytes]]:
    rules = syscall_filter.program()
    nested = (*_NO_NESTING, *ISOLATION)
    for given in (rules, b"") if rules else (b"",):
        yield nested, given
        yield ISOLATION, given


def _try(program: str, flags: tuple[str, ...], rules: bytes) -> str:
    """Why it does not work; empty where it does."""
    command = [program, *flags, "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]  # noqa: S108 - covered, not written to
    handed: tuple[int, ...] = ()
    try:
        if rules:
            handed = (in_memory(rules),)
            command += ["--seccomp", str(handed[0])]
        done = subprocess.run(
            [*command, "--", "/bin/true"],
            capture_output=True,
            timeout=_TRIAL_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
            pass_fds=handed,
        )
    except subprocess.TimeoutExpired:
        return f"bubblewrap did not answer within {_TRIAL_SECONDS:.0f} s."
    except OSError as error:
        return f"bubblewrap cannot be started: {error.strerror}."
    finally:
        for descriptor in handed:
            os.close(descriptor)
    if done.returncode == 0:
        return ""
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"bubblewrap does not work here: {said[-1] if said else f'exit code {done.returncode}'}."


def in_memory(data: bytes) -> int:
    """A descriptor that `data` can be read from, to be closed by the caller. Linux only. Raises OSError."""
    if sys.platform != "linux":
        raise OSError(38, "there are no files in memory")
    descriptor = os.memfd_create("rules", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, data)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
