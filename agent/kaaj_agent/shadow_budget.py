"""How much of a workspace is copied into its shadow, where the file system cannot share blocks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kaaj_agent.failures import SandboxError

LARGE: Final = 50 * 1024 * 1024
"""Bytes above which a file that cannot be reflinked is shown from its own place instead of copied."""

COPY_MAX: Final = 1024 * 1024 * 1024
"""Bytes that are copied; beyond it, files below `LARGE` are shown from their own places, too."""

SHOWN_MAX: Final = 1_000
"""Files that can be shown from their own places: each is a mount in the sandbox."""

_STEPS: Final = (LARGE, 10 * 1024 * 1024, 2 * 1024 * 1024, 512 * 1024, 128 * 1024)


def copied_up_to(sizes: Iterable[int]) -> int:
    """Bytes of the largest file that is copied, so that all copies fit into `COPY_MAX`.

    Raises SandboxError where they do not, however small, or where too many files were left over.
    """
    rows = sorted(sizes)
    for limit in _STEPS:
        copied = [size for size in rows if size <= limit]
        if sum(copied) <= COPY_MAX:
            if len(rows) - len(copied) > SHOWN_MAX:
                break
            return limit
    raise SandboxError(
        f"The workspace holds {sum(rows) / 1_073_741_824:.1f} GB in files that are not ignored, too much to lay out.",
        kept="No command was run, and no file of yours was touched.",
        hint="Open the project's own folder, or name what it does not need in .kaajignore.",
    )


def told(names: list[tuple[str, int]]) -> list[str]:
    """For people, what is shown from its own place: names and bytes."""
    if len(names) <= 3:
        return [
            f"{name} is too large to copy ({size / 1_048_576:.0f} MB) and shown from its own place"
            for name, size in names
        ]
    total = sum(size for _, size in names) / 1_048_576
    rest = f"{names[0][0]} and {len(names) - 1} more files ({total:,.0f} MB)"
    return [f"{rest} are too large to copy and shown from their own places"]
