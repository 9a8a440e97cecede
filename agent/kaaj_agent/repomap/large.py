"""Whether a workspace is large enough for a map."""

from __future__ import annotations

from itertools import islice
from typing import Final

from kaaj_agent.ignore import Ignore
from kaaj_agent.trees.grammars import language_name

LEAST: Final = 60
"""Source files above which a listing no longer tells what is where."""
_LOOKED_AT: Final = 5_000
"""Files that are looked at: among more, source files are not what the workspace is about, or they came first."""


def is_large(ignore: Ignore) -> bool:
    """Whether the workspace has more than `LEAST` source files. Blocks, for as long as it takes to find so many."""
    files = (path for root in ignore.folders.roots for path in ignore.walk(root))
    sources = (path for path in islice(files, _LOOKED_AT) if language_name(path))
    return sum(1 for _ in islice(sources, LEAST + 1)) > LEAST
