"""What this machine can give a model: memory in bytes and physical cores."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kaaj_agent.embedded.models import EmbeddedModel

_GIB: Final = 1024**3
_OVERHEAD: Final = 512 * 1024**2
"""Compute buffers, the interpreter, earlier prompts kept aside, and the context of the scan."""

_WINDOWS_TRIED: Final = ((24 * _GIB, 32_768), (6 * _GIB, 16_384))
_WINDOW: Final = 8_192
_WINDOW_LEAST: Final = 4_096


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server is started. `context` counts tokens."""

    context: int
    threads: int


def memory_needed(model: EmbeddedModel, context: int) -> int:
    """Bytes that serving `model` with a context of so many tokens takes."""
    return model.size + context * model.kv_bytes + _OVERHEAD


def choose(model: EmbeddedModel, available: int | None, cores: int) -> Settings | None:
    """The settings for a machine; None where the memory does not suffice. Unknown memory counts as enough."""
    context = _WINDOW
    if available is not None:
        for least, window in _WINDOWS_TRIED:
            if available >= least:
                context = window
                break
        if memory_needed(model, context) > available:
            context = _WINDOW_LEAST
        if memory_needed(model, context) > available:
            return None
    return Settings(min(context, model.window), max(1, cores))


def available_memory() -> int | None:
    """Bytes that can be used now, a container's limit respected; None where the system does not tell."""
    found: list[int] = []
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    with contextlib.suppress(OSError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text("ascii"))
        found.append(limit - int(Path("/sys/fs/cgroup/memory.current").read_text("ascii")))
    if not found and sys.platform != "win32":
        with contextlib.suppress(OSError, ValueError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
    return min(found) if found else None


def physical_cores() -> int:
    """Cores without their hyper-threads that this process may use: a second thread of a core only slows decoding."""
    allowed = _allowed()
    cores: set[tuple[str, str]] = set()
    with contextlib.suppress(OSError):
        for block in Path("/proc/cpuinfo").read_text("utf-8", "replace").split("\n\n"):
            facts = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in block.splitlines())}
            if "core id" in facts and int(facts.get("processor", "-1")) in allowed:
                cores.add((facts.get("physical id", ""), facts["core id"]))
    return len(cores) or len(allowed)


def _allowed() -> set[int]:
    if sys.platform == "linux":
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))
