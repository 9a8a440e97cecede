"""Who defines and who refers to what, and how the files rank by it: PageRank over references, kept up to date.

The rank of a file is that of Page and Brin without redistribution from files that refer to nothing:
`rank[f] = base[f] + DAMPING * sum(rank[g] * share(g, f) for g)`, found by pushing residuals until each is small
(Andersen, Chung, Lang: Local graph partitioning using PageRank vectors, 2006). When a file's references change, only
the difference is pushed on, so that an edit costs what it changes and not the whole graph.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from sys import intern
from typing import Final

from kaaj_agent.repomap.record import UNIT, Definition, Record
from kaaj_agent.trees.grammars import language_name

DAMPING: Final = 0.7
"""How much of a file's rank goes on to what it refers to. Code has no random surfer who never tires: 0.85, usual for
the web, lets long chains of helpers outrank what a person would call the centre."""
_SMALL: Final = 0.02
"""A residual below this is not pushed on; a file that nobody refers to has a rank of 1 - DAMPING."""
DEFINERS_MAX: Final = 12
"""A name that more files define than this (`get`, `run`, `__init__`) tells nothing about who is meant."""
_SAMPLE: Final = 400
"""How many of a name's referrers are looked at for the score of a definition."""

_FAMILIES: Final = (
    frozenset({"javascript", "typescript", "tsx"}),
    frozenset({"c", "cpp"}),
    frozenset({"java", "kotlin"}),
)


@dataclass(slots=True)
class _File:
    record: Record
    family: int
    targets: array[int] = field(default_factory=lambda: array("i"))
    shares: array[float] = field(default_factory=lambda: array("f"))
    total: float = 0.0
    """The sum of all weights before they were made shares."""

    def strength(self, name: str) -> float:
        """How strongly the file refers to a name that it refers to."""
        return self.record.weights[self.record.names.index(name)] / UNIT


@dataclass(slots=True)
class Index:
    """Files have numbers, which are used again after a file is gone. One thread only."""

    numbers: dict[str, int] = field(default_factory=dict[str, int])
    names: list[str] = field(default_factory=list[str])
    ranks: list[float] = field(default_factory=list[float])
    _files: list[_File | None] = field(default_factory=list[_File | None])
    _free: list[int] = field(default_factory=list[int])
    _leaving: list[int] = field(default_factory=list[int])
    """Numbers of dropped files that others may still share to, until the ranks are settled."""
    _residuals: list[float] = field(default_factory=list[float])
    _definers: dict[str, dict[int, None]] = field(default_factory=dict[str, "dict[int, None]"])
    _referrers: dict[str, dict[int, None]] = field(default_factory=dict[str, "dict[int, None]"])
    _stale: dict[int, None] = field(default_factory=dict[int, None])
    """Files whose shares are to be worked out anew."""

    def __len__(self) -> int:
        return len(self.numbers)

    def record(self, number: int) -> Record:
        held = self._files[number]
        return held.record if held is not None else Record()

    def put(self, path: str, record: Record) -> None:
        """A file has this record from now on."""
        record = Record(record.definitions, tuple(map(intern, record.names)), record.weights)
        number = self.numbers.get(path)
        if number is None:
            number = self._number(path, record)
            before = frozenset[str]()
        else:
            before = self._unrefer(number)
        held = self._files[number]
        if held is None:  # never: `_number` has put it there
            return
        held.record = record
        after = defined(record)
        for name in before - after:
            self._undefine(name, number)
        for name in after - before:
            self._define(intern(name), number)
        for name in record.names:
            self._referrers.setdefault(name, {})[number] = None
        self._stale[number] = None

    def drop(self, path: str) -> None:
        """A file is gone."""
        number = self.numbers.pop(path, None)
        if number is None:
            return
        for name in self._unrefer(number):
            self._undefine(name, number)
        self._reshare(number, {})
        self._files[number] = None
        self._stale.pop(number, None)
        self.names[number], self.ranks[number] = "", 0.0
        self._leaving.append(number)

    def settle(self) -> None:
        """Bring the ranks up to date."""
        stale, self._stale = self._stale, {}
        for number in stale:
            if self._files[number] is not None:
                self._reshare(number, self._weights(number))
        self._settle()
        self._free += self._leaving  # nobody's shares point to them any more
        self._leaving.clear()

    def defining(self, name: str) -> list[int]:
        """The files that define a bare name. A number may be a file's for as long as nothing is put or dropped."""
        return list(self._definers.get(name, ()))

    def referring(self, name: str) -> list[int]:
        """The files that refer to a bare name."""
        return list(self._referrers.get(name, ()))

    def rank_from(self, seeds: Mapping[int, float]) -> dict[int, float]:
        """How much of the seeds' weight arrives at each file: PageRank from those files alone."""
        total = sum(seeds.values())
        if total <= 0:
            return {}
        ranks: dict[int, float] = {}
        left = {number: seed / total for number, seed in seeds.items()}
        small = 1e-4
        queue = deque(left)
        while queue:
            number = queue.popleft()
            amount = left.pop(number, 0.0)
            if amount < small and number in ranks:
                continue
            ranks[number] = ranks.get(number, 0.0) + amount
            held = self._files[number]
            if held is None:
                continue
            for target, share in zip(held.targets, held.shares, strict=True):
                more = DAMPING * amount * share
                if more >= small / 10:
                    if target not in left:
                        queue.append(target)
                    left[target] = left.get(target, 0.0) + more
        return ranks

    def scores(self, number: int, ranks: Mapping[int, float] | None = None) -> dict[str, float]:
        """What each bare name that a file defines gets from those who refer to it, by `ranks` (all files' else)."""
        held = self._files[number]
        if held is None:
            return {}
        found: dict[str, float] = {}
        for name in defined(held.record):
            definers = self._definers.get(name, {})
            if len(definers) > DEFINERS_MAX:
                continue
            referrers = self._referrers.get(name, {})
            score, looked = 0.0, 0
            for referrer in referrers:
                rank = self.ranks[referrer] if ranks is None else ranks.get(referrer, 0.0)
                other = self._files[referrer]
                if rank <= 0 or other is None or referrer == number or other.total <= 0 or other.family != held.family:
                    continue
                score += rank * _rarity(name, len(definers)) * other.strength(name) / other.total
                looked += 1
                if looked >= _SAMPLE:
                    score *= len(referrers) / looked
                    break
            found[name] = score
        return found

    def _number(self, path: str, record: Record) -> int:
        family = _family(language_name(path))
        if self._free:
            number = self._free.pop()
            self.names[number], self._files[number] = path, _File(record, family)
        else:
            number = len(self.names)
            self.names.append(path)
            self.ranks.append(0.0)
            self._residuals.append(0.0)
            self._files.append(_File(record, family))
        self.numbers[path] = number
        self.ranks[number] = 0.0
        self._residuals[number] = 1 - DAMPING
        return number

    def _unrefer(self, number: int) -> frozenset[str]:
        """Take a file's references out of the index; the names it defines."""
        held = self._files[number]
        if held is None:
            return frozenset()
        for name in held.record.names:
            referrers = self._referrers.get(name)
            if referrers is not None:
                referrers.pop(number, None)
                if not referrers:
                    del self._referrers[name]
        return defined(held.record)

    def _define(self, name: str, number: int) -> None:
        self._definers.setdefault(name, {})[number] = None
        self._renamed(name)

    def _undefine(self, name: str, number: int) -> None:
        definers = self._definers.get(name, {})
        definers.pop(number, None)
        if not definers:
            self._definers.pop(name, None)
        self._renamed(name)

    def _renamed(self, name: str) -> None:
        """Who defines a name has changed: those who refer to it share differently."""
        if len(self._definers.get(name, ())) <= DEFINERS_MAX + 1:
            self._stale.update(self._referrers.get(name, {}))

    def _weights(self, number: int) -> dict[int, float]:
        """How strongly a file refers to which other file."""
        held = self._files[number]
        found: dict[int, float] = {}
        if held is None:
            return found
        for name, strength in zip(held.record.names, held.record.weights, strict=True):
            definers = self._definers.get(name)
            if definers is None or number in definers or len(definers) > DEFINERS_MAX:
                continue
            each = _rarity(name, len(definers)) * strength / UNIT
            for definer in definers:
                other = self._files[definer]
                if other is not None and other.family == held.family:
                    found[definer] = found.get(definer, 0.0) + each
        return found

    def _reshare(self, number: int, weights: Mapping[int, float]) -> None:
        """The file's shares are by these weights; what it has passed on so far is put right."""
        held = self._files[number]
        if held is None:
            return
        passed = DAMPING * self.ranks[number]
        if passed:
            for target, share in zip(held.targets, held.shares, strict=True):
                self._residuals[target] -= passed * share
        held.total = sum(weights.values())
        held.targets = array("i", weights)
        held.shares = array("f", (one / held.total for one in weights.values()))
        if passed:
            for target, share in zip(held.targets, held.shares, strict=True):
                self._residuals[target] += passed * share

    def _settle(self) -> None:
        residuals, ranks, files = self._residuals, self.ranks, self._files
        queue = deque(number for number, left in enumerate(residuals) if left > _SMALL or left < -_SMALL)
        while queue:
            number = queue.popleft()
            left = residuals[number]
            if -_SMALL <= left <= _SMALL:
                continue
            residuals[number] = 0.0
            held = files[number]
            if held is None:
                continue
            ranks[number] += left
            passed = DAMPING * left
            for target, share in zip(held.targets, held.shares, strict=True):
                before = residuals[target]
                after = residuals[target] = before + passed * share
                if (after > _SMALL or after < -_SMALL) and -_SMALL <= before <= _SMALL:
                    queue.append(target)


def defined(record: Record) -> frozenset[str]:
    """The bare names that a record defines for others: not what stands inside of functions."""
    return frozenset(exported(record))


def exported(record: Record) -> dict[str, Definition]:
    """The definitions that others can refer to, by bare name, the first of each."""
    found: dict[str, Definition] = {}
    inside_until = 0
    for one in record.definitions:
        if one.first <= inside_until and one.depth:
            continue
        if one.kind == "function":
            inside_until = max(inside_until, one.last if one.last > one.first else 0)
        if one.kind != "container":
            found.setdefault(one.bare, one)
    return found


def _rarity(name: str, definers: int) -> float:
    """How much a reference by this name counts for each who defines it: common and private names say little."""
    worth = 1.0
    if name.startswith("_"):
        worth *= 0.2
    if len(name) < 4:
        worth *= 0.3
    elif len(name) >= 8 and ("_" in name.strip("_") or name != name.lower()):
        worth *= 2.0
    return worth / definers


@cache
def _family(language: str) -> int:
    """A number for languages whose files can refer to each other."""
    for at, family in enumerate(_FAMILIES):
        if language in family:
            return at
    return len(_FAMILIES) + sum(language.encode())
