"""How much one command may take: processes, memory, open files, processor time, the size of a file.

Set by the shell that becomes the command, so that all that it starts inherits them and nothing can raise them. Each is
for one process, save the number of processes: since Linux 5.14 that counts in the sandbox alone.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import Final

FILE_MAX_BLOCKS: Final = 4 * 1024 * 1024
"""Blocks of 512 bytes: no command writes a file over 2 GiB, so that none fills the disk by mistake."""

PROCESSES_MAX: Final = 2_048
"""Processes and threads in a sandbox."""

OPEN_FILES_MAX: Final = 16_384
CPU_SECONDS_MAX: Final = 4 * 3_600
"""Seconds of processor time of one process, all its threads together."""

_GIB: Final = 1024**3
_DATA_MIN: Final = 2 * _GIB
_SCRATCH_MIN: Final = _GIB // 4
_COUNTED_APART: Final = (5, 14)
"""The first Linux that counts a user's processes for each user namespace."""


@dataclass(frozen=True, slots=True)
class Caps:
    """`data` is in bytes of writable memory of one process: what is only reserved does not count. `scratch`: bytes that
    each of a sandbox's temporary folders holds (/tmp holds twice that).
    """

    processes: int = PROCESSES_MAX
    open_files: int = OPEN_FILES_MAX
    cpu_seconds: int = CPU_SECONDS_MAX
    data: int = 3 * _DATA_MIN
    scratch: int = _SCRATCH_MIN

    @classmethod
    def of_this_machine(cls) -> Caps:
        """Three quarters of the memory for a process, half of it for all the temporary folders together."""
        memory = _memory()
        return cls(data=max(_DATA_MIN, memory * 3 // 4), scratch=max(_SCRATCH_MIN, memory // 8))

    def script(self, *, sandboxed: bool) -> str:
        """Shell commands that set the caps. A limit that is lower already stays."""
        rows = [
            "ulimit -c 0",
            f"ulimit -f {FILE_MAX_BLOCKS}",
            *(
                f"ulimit -{flag} {value} 2>/dev/null"
                for flag, value in (("n", self.open_files), ("t", self.cpu_seconds), ("d", self.data // 1024))
            ),
        ]
        if sandboxed and counts_apart():
            # bash says -u, dash says -p, which is something else in bash that cannot be set.
            rows.append(f"ulimit -u {self.processes} 2>/dev/null || ulimit -p {self.processes} 2>/dev/null")
        if sandboxed:
            # If the machine runs out of memory, what runs here goes first.
            rows.append("{ echo 800 > /proc/self/oom_score_adj; } 2>/dev/null")
        return "; ".join(rows)


def counts_apart() -> bool:
    """Whether the kernel counts a sandbox's processes apart from the user's other ones."""
    if platform.system() != "Linux":
        return False
    numbers = [int(part) for part in platform.release().split(".")[:2] if part.isdigit()]
    return tuple(numbers) >= _COUNTED_APART


def _memory() -> int:
    """Bytes of memory in this machine, 0 where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 0
