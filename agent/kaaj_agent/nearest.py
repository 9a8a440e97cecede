"""The places of a text that are most like some lines that do not stand in it.

Comparing every window is quadratic; here the rare words of what was asked for point at the few windows that are
worth comparing, so that a miss in 10,000 lines costs milliseconds.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Final

_WORD: Final = re.compile(r"\w{2,}")
_TOKEN: Final = re.compile(r"\w+|[^\w\s]")
_WORDS_MAX: Final = 24
_HITS_MAX: Final = 200
"""A word that stands in the text more often than this says nothing about the place."""
_COMPARED_MAX: Final = 6
_TOKENS_MAX: Final = 160
_SHORT: Final = 160
"""Characters up to which single characters are compared: a word would be half of the text."""
_ALIKE_MIN: Final = 0.4


@dataclass(frozen=True, slots=True)
class Near:
    """A candidate: lines `first` to `last` (from 1, both included), their text, and how alike it is (0 to 1)."""

    first: int
    last: int
    text: str
    similarity: float


def nearest(lines: list[str], wanted: list[str], count: int = 3) -> tuple[Near, ...]:
    """Up to `count` places of `lines` that are most like `wanted`, best first, not overlapping."""
    asked = wanted[:-1] if len(wanted) > 1 and not wanted[-1] else wanted
    if not any(line.strip() for line in asked) or not lines:
        return ()
    height = min(len(asked), len(lines))
    short = sum(map(len, asked)) <= _SHORT
    goal = _tokens(asked, short=short)
    ranked: list[Near] = []
    for start in _starts(lines, asked):
        first = max(0, min(start, len(lines) - height))
        here = lines[first : first + height]
        alike = SequenceMatcher(None, goal, _tokens(here, short=short), autojunk=False).ratio()
        if alike >= _ALIKE_MIN:
            ranked.append(Near(first + 1, first + height, "\n".join(here), round(alike, 3)))
    ranked.sort(key=lambda near: (-near.similarity, near.first))
    chosen: list[Near] = []
    for near in ranked:
        if all(near.last < other.first or other.last < near.first for other in chosen):
            chosen.append(near)
    return tuple(chosen[:count])


def _tokens(lines: list[str], *, short: bool) -> list[str]:
    """Characters of short texts, words and signs of longer ones; only so many that comparing stays cheap."""
    text = "\n".join(line.strip() for line in lines)[: _TOKENS_MAX * 12]
    found: list[str] = list(text) if short else _TOKEN.findall(text)
    return found[:_TOKENS_MAX]


def _starts(lines: list[str], asked: list[str]) -> list[int]:
    """First lines (from 0) of the windows that the rare words of `asked` vote for, most votes first."""
    text = "\n".join(lines)
    begins = list(accumulate((len(line) + 1 for line in lines[:-1]), initial=0))
    rows: dict[str, list[int]] = {}
    for row, line in enumerate(asked):
        for word in set(_WORD.findall(line)):
            rows.setdefault(word, []).append(row)
    votes = _votes(text, begins, rows)
    if not votes:  # every word is misspelt or common: their halves may still be there
        halves: dict[str, list[int]] = {}
        for word, where in rows.items():
            if len(word) >= 4:
                halves.setdefault(word[: len(word) // 2 + 1], []).extend(where)
                halves.setdefault(word[len(word) // 2 - 1 :], []).extend(where)
        votes = _votes(text, begins, halves)
    # Lines that were added or lost shift a part of the votes a little: a window also hears its neighbours
    scores = {start: sum(votes.get(start + off, 0.0) / (1 + abs(off)) for off in range(-3, 4)) for start in votes}
    return sorted(scores, key=lambda start: (-scores[start], start))[:_COMPARED_MAX]


def _votes(text: str, begins: list[int], rows: dict[str, list[int]]) -> dict[int, float]:
    words = sorted(rows, key=lambda word: (-len(word), word))[:_WORDS_MAX]
    votes: defaultdict[int, float] = defaultdict(float)
    for word in words:
        hits = text.count(word)
        if not 0 < hits <= _HITS_MAX:
            continue
        at = text.find(word)
        while at >= 0:
            here = bisect_right(begins, at) - 1
            for row in rows[word][:8]:
                votes[here - row] += 1 / hits
            at = text.find(word, at + len(word))
    return votes
