"""Three texts into one: what two sides made of the same base, with marks where they disagree, as `git merge-file`.

Written here because it has to work without git, and the one library for it (merge3) is under the GPL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kaaj_agent.document import newline_of
from kaaj_agent.hunks import Hunk, apply, diff

MARKS: Final = ("<<<<<<<", "=======", ">>>>>>>")


@dataclass(frozen=True, slots=True)
class Merged:
    """`conflicts` counts the places where both texts stand one below the other, between marks."""

    text: str
    conflicts: int


@dataclass(slots=True)
class _Region:
    """A part of the base from `start` to `end`, and what each side made of it."""

    start: int
    end: int
    sides: tuple[list[Hunk], list[Hunk]]

    def holds(self, hunk: Hunk) -> bool:
        """Whether a hunk that begins no earlier belongs to it: regions that only touch do not disagree."""
        return hunk.start < self.end or self.start == self.end == hunk.start == hunk.end


def merge(base: str, mine: str, other: str, names: tuple[str, str]) -> Merged:
    """`mine` and `other` were both made of `base`. `names` stand beside the marks. Blocks on large texts."""
    newline = newline_of(mine or base or other)
    pieces: list[str] = []
    at = conflicts = 0
    for region in _regions(diff("", base, mine), diff("", base, other)):
        pieces.append(base[at : region.start])
        at = region.end
        ours, theirs = (_side(base, region, hunks) for hunks in region.sides)
        if not region.sides[1] or ours == theirs:
            pieces.append(ours)
        elif not region.sides[0]:
            pieces.append(theirs)
        else:
            conflicts += 1
            pieces.append(_marked(ours, theirs, names, newline))
    pieces.append(base[at:])
    return Merged("".join(pieces), conflicts)


def _regions(mine: Sequence[Hunk], other: Sequence[Hunk]) -> list[_Region]:
    found: list[_Region] = []
    tagged = [(hunk, 0) for hunk in mine] + [(hunk, 1) for hunk in other]
    for hunk, side in sorted(tagged, key=lambda one: (one[0].start, one[0].end)):
        if not (found and found[-1].holds(hunk)):
            found.append(_Region(hunk.start, hunk.end, ([], [])))
        found[-1].sides[side].append(hunk)
        found[-1].end = max(found[-1].end, hunk.end)
    return found


def _side(base: str, region: _Region, hunks: Iterable[Hunk]) -> str:
    moved = (replace(hunk, start=hunk.start - region.start, end=hunk.end - region.start) for hunk in hunks)
    return apply(base[region.start : region.end], moved)


def _marked(ours: str, theirs: str, names: tuple[str, str], newline: str) -> str:
    first, middle, last = MARKS
    rows = (f"{first} {names[0]}", _ended(ours, newline), middle, _ended(theirs, newline), f"{last} {names[1]}")
    return "".join(row if row.endswith(("\n", "\r")) or not row else row + newline for row in rows)


def _ended(text: str, newline: str) -> str:
    return text + newline if text and not text.endswith(("\n", "\r")) else text
