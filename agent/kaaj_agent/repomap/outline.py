"""The map as text: the definitions that matter most, under their files, within a budget of tokens."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePath
from typing import Final

from kaaj_agent.languages import is_test
from kaaj_agent.repomap.index import Index, exported
from kaaj_agent.repomap.record import USUAL, Definition

CHARACTERS_A_TOKEN: Final = 3.0
"""Of code and paths, for models like Qwen: a little on the safe side."""

_GENERAL: Final = 0.25
"""The share of the whole workspace's ranking, where there is something to rank from; the rest is that one's."""
_FILES: Final = 60
_FILE_ROWS: Final = 8
"""Definitions of one file at most: the map shows where things are, the file itself is for reading."""
_MENTIONED: Final = 0.05
"""What a definition gets for being named in the request, on a scale on which all ranks together are 1."""
_MEANT_MAX: Final = 6
"""A word of the request that more files define than this is taken for plain English."""
_TESTS: Final = 0.15
_ASIDE: Final = frozenset({
    "tests", "test", "spec", "fixtures", "testdata", "examples", "samples", "vendor", "third_party", "docs",
})  # fmt: skip
"""Folders of what a program is tested, shown or shipped with."""
_WORTH: Final = {"class": 1.3, "function": 1.0, "container": 0.0, "type": 0.8, "value": 0.4, "declaration": 0.7}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the map is for: files that are worked on or named, each with a weight, and names with theirs (up to 1)."""

    focus: Mapping[str, float] = field(default_factory=dict[str, float])
    mentioned: Mapping[str, float] = field(default_factory=dict[str, float])
    words: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(slots=True)
class _Shown:
    number: int
    score: float
    rows: dict[int, Definition] = field(default_factory=dict[int, Definition])
    """By their place among the file's definitions."""


def outline(index: Index, wanted: Wanted, tokens: int, name_of: Callable[[str], str]) -> str:
    """At most so many tokens; empty where nothing fits. `name_of` gives a path as people know it."""
    budget = int(tokens * CHARACTERS_A_TOKEN)
    seeds = _seeds(index, wanted)
    near = index.rank_from(seeds)
    general = sum(index.ranks) or 1.0
    share = _GENERAL if near else 1.0
    scored = _scored(index, wanted, near, seeds)
    named = {number for word in wanted.words for number in _meant(index, word)}
    best = [number for _, number in heapq.nlargest(_FILES, scored)]
    best += [number for number in sorted(named, key=index.names.__getitem__) if number not in best][:_FILES]
    by_number = {number: score for score, number in scored}
    rows: list[tuple[float, int, int, Definition]] = []
    for number in best:
        rows += _rows(index, wanted, number, near, general, share)
    rows.sort(key=lambda row: (-row[0], index.names[row[1]], row[2]))
    chosen = _chosen(index, rows, budget, name_of, by_number)
    order = sorted(chosen.values(), key=lambda shown: (-shown.score, index.names[shown.number]))
    return "\n".join(line for shown in order for line in _lines(shown, name_of(index.names[shown.number])))


def nearest(index: Index, wanted: Wanted, limit: int) -> list[str]:
    """The paths of the files that matter most, best first; what is worked on and named among them."""
    scored = _scored(index, wanted, index.rank_from(_seeds(index, wanted)), {})
    return [index.names[number] for _, number in heapq.nlargest(limit, scored)]


def _scored(
    index: Index, wanted: Wanted, near: Mapping[int, float], without: Mapping[int, float]
) -> list[tuple[float, int]]:
    """Every file with its score: its rank in the whole, and in what is `near`, less what it had to begin with."""
    general = sum(index.ranks) or 1.0
    share = _GENERAL if near else 1.0
    return [
        (
            _factor(path, wanted)
            * (
                share * index.ranks[number] / general + (1 - share) * (near.get(number, 0.0) - without.get(number, 0.0))
            ),
            number,
        )
        for path, number in index.numbers.items()
    ]


def _meant(index: Index, word: str) -> Sequence[int]:
    """The files that define a name of the request, where it is not everybody's name."""
    found = index.defining(word) if word not in USUAL else ()
    return found if len(found) <= _MEANT_MAX else ()


def _seeds(index: Index, wanted: Wanted) -> dict[int, float]:
    """Where the ranking starts from; weights sum up to at most 1."""
    seeds: dict[int, float] = {}

    def add(number: int | None, weight: float) -> None:
        if number is not None:
            seeds[number] = seeds.get(number, 0.0) + weight

    for path, weight in (*wanted.focus.items(), *wanted.mentioned.items()):
        add(index.numbers.get(path), weight)
    for word, weight in wanted.words.items():
        found = _meant(index, word)
        for number in found:
            add(number, weight / len(found))
    total = sum(seeds.values())
    return {number: weight / total for number, weight in seeds.items()}


def _rows(
    index: Index, wanted: Wanted, number: int, near: Mapping[int, float], general: float, share: float
) -> list[tuple[float, int, int, Definition]]:
    """A file's definitions with their scores and places."""
    record = index.record(number)
    places = {id(one): at for at, one in enumerate(record.definitions)}
    everywhere = index.scores(number)
    nearby = index.scores(number, near) if near else {}
    path = index.names[number]
    factor = _factor(path, wanted)
    found: list[tuple[float, int, int, Definition]] = []
    for bare, one in exported(record).items():
        score = share * everywhere.get(bare, 0.0) / general + (1 - share) * nearby.get(bare, 0.0)
        score *= _WORTH[one.kind] * factor * (0.3 if bare.startswith("_") else 1.0)
        if bare in wanted.words and number in _meant(index, bare):
            score += _MENTIONED * wanted.words[bare] * (0.5 if bare.islower() and bare.isalpha() else 1.0)
        if path in wanted.mentioned and one.depth == 0:
            score += _MENTIONED * wanted.mentioned[path] / 10
        if score > 0:
            found.append((score, number, places[id(one)], one))
    return found


def _chosen(
    index: Index,
    rows: Sequence[tuple[float, int, int, Definition]],
    budget: int,
    name_of: Callable[[str], str],
    scores: Mapping[int, float],
) -> dict[int, _Shown]:
    """The best rows that fit, each with its file's name and the heads of what it stands in."""
    chosen: dict[int, _Shown] = {}
    left = budget
    misses = 0
    for score, number, place, one in rows:
        shown = chosen.get(number)
        if shown is not None and len(shown.rows) >= _FILE_ROWS and one.bare == one.name:
            continue
        held = shown.rows if shown is not None else {}
        added = {place: one, **_around(index.record(number).definitions, place)}
        fresh = {at: definition for at, definition in added.items() if at not in held}
        cost = sum(len(_line(definition)) + 1 for definition in fresh.values())
        if shown is None:
            cost += len(name_of(index.names[number])) + 1
        if cost > left:
            misses += 1
            if misses > 20:
                break
            continue
        left -= cost
        if shown is None:
            shown = chosen[number] = _Shown(number, max(score, scores.get(number, 0.0)))
        shown.rows.update(fresh)
    return chosen


def _around(definitions: Sequence[Definition], place: int) -> dict[int, Definition]:
    """The definitions that one stands in, by their places."""
    found: dict[int, Definition] = {}
    depth = definitions[place].depth
    for at in range(place - 1, -1, -1):
        if depth == 0:
            break
        if definitions[at].depth < depth:
            depth = definitions[at].depth
            found[at] = definitions[at]
    return found


def _lines(shown: _Shown, name: str) -> list[str]:
    return [name, *(_line(shown.rows[at]) for at in sorted(shown.rows))]


def _line(one: Definition) -> str:
    return "  " * (one.depth + 1) + one.signature


def _factor(path: str, wanted: Wanted) -> float:
    return _TESTS if _is_test(path) and path not in wanted.focus and path not in wanted.mentioned else 1.0


@lru_cache(maxsize=65_536)
def _is_test(path: str) -> bool:
    pure = PurePath(path)
    return is_test(pure) or not _ASIDE.isdisjoint(part.lower() for part in pure.parts[:-1])
