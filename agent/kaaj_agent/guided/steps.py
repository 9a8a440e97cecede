"""What a repair tries, in turn: walks that look for surprise, and rewrites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kaaj_agent.guided import localise, rewrite
from kaaj_agent.guided.localise import Suspect

NARROW: Final = (40, 150.0, 3)
WIDE: Final = (120, 150.0, 2)
"""Lines of one file that are walked token by token, seconds at most, and in how many files; wide where narrow failed.

One file at a time: its text is evaluated once, and going to and fro between files would evaluate it again and again.
"""
SAMPLES: Final = (4, 3, 3)
"""Whole rewrites of the first, second and third suspect, the greedy one included."""
FIRST_SAMPLES: Final = 2
"""How many of the first suspect's come before other files are walked."""

_ROUND: Final = 100
"""Samples have numbers of their own in each round, and so seeds of their own."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Regions of one file to be walked token by token, for at most so many seconds."""

    regions: list[Suspect]
    seconds: float


@dataclass(frozen=True, slots=True)
class Samples:
    """A region to be written anew; attempt 0 is greedy."""

    suspect: Suspect
    attempts: range


def steps(found: Sequence[Suspect], rounds: int = 0) -> list[Walk | Samples]:
    """What is tried, in turn: what is likeliest and cheapest first. `rounds`: how often it was gone on with."""
    first = rounds * _ROUND
    lines, seconds, files = NARROW
    inner = [suspect for suspect in found if suspect.span.kind != "file"]
    short = [s for s in found if s.span.kind == "file" and s.span.size <= rewrite.WHOLE_LINES]
    narrow = [Walk(localise.first_of(group, lines), seconds) for group in localise.by_file(inner)[:files]]
    taken: list[Walk | Samples] = [*narrow]
    written = [*inner, *short]
    if written:
        named = written[0].span.kind == "text"  # by the person, so other files come after it
        begin = first + (SAMPLES[0] if named else FIRST_SAMPLES)
        taken.insert(1, Samples(written[0], range(first, begin)))
        if begin < first + SAMPLES[0]:
            taken.append(Samples(written[0], range(begin, first + SAMPLES[0])))
    taken += [Samples(s, range(first, first + n)) for s, n in zip(written[1:], SAMPLES[1:], strict=False)]
    lines, seconds, files = WIDE
    for group in localise.by_file([*found])[:files]:
        whole = [suspect for suspect in group if suspect.span.kind == "file"]
        wide = localise.first_of([*whole, *group], lines)
        if wide not in [walk.regions for walk in narrow]:
            taken.append(Walk(wide, seconds))
    return taken
