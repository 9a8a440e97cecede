"""The tests that judge a repair stay as they are, wherever they stand: one that cuts the yardstick mends nothing."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from kaaj_agent.guided.units import spans


def cut(path: Path, before: str, after: str, failing: Collection[str]) -> bool:
    """Whether a new text of a file alters or drops a test. `failing` are the bare names of the cases that fail.

    A failing case that is defined in the file is a test; so is, beside one, whatever is called `test...`. Blocks.
    """
    names = {name for name in failing if name and name in before}
    if not names or before == after:
        return False
    old = _functions(path, before)
    here = names.intersection(name.rpartition(".")[2] for name, _ in old)
    if not here:
        return False
    kept = _functions(path, after)
    return any(
        (name, code) not in kept
        for name, code in old
        if (bare := name.rpartition(".")[2]) in here or bare.lower().startswith("test")
    )


def _functions(path: Path, text: str) -> list[tuple[str, str]]:
    """Each function's whole name and its code, without blank space around it."""
    lines = text.split("\n")
    return [
        (span.name, "\n".join(lines[span.first - 1 : span.last]).strip())
        for span in spans(path, text)
        if span.kind == "function"
    ]
