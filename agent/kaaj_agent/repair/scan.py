"""Walking a region token by token and noting what the model would rather have written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias, runtime_checkable

from kaaj_agent.ports import Alternative, Scorer
from kaaj_agent.repair import prompt
from kaaj_agent.repair.unit import Source, Unit

DEPTH: Final = 24
"""Alternatives asked for at each place: six are tried, the rest tell how likely a mutation is."""

_CHUNK: Final = 64


_Spot: TypeAlias = tuple[int, int, int, int]
"""Position of a token, its line, its column, its index in the line."""


@runtime_checkable
class BatchScorer(Protocol):
    """A scorer that can also look at many places, and finish several lines, in one request each."""

    async def scan(self, prefix: Sequence[int], tokens: Sequence[int], count: int) -> list[list[Alternative]]:
        """For each of `tokens`, which follow `prefix`, the `count` likeliest tokens in its place."""
        ...

    async def finish_lines(self, prefixes: Sequence[Sequence[int]], limit: int) -> list[str]:
        """`Scorer.finish_line` for each of the prefixes."""
        ...


async def finish_lines(scorer: Scorer, prefixes: Sequence[Sequence[int]], limit: int) -> list[str]:
    """The ends of several lines, by the quickest way the scorer has."""
    if isinstance(scorer, BatchScorer):
        return await scorer.finish_lines(prefixes, limit)
    return [await scorer.finish_line(prefix, limit) for prefix in prefixes]


@dataclass(frozen=True, slots=True)
class Place:
    """One token of the region and what could stand in its place, likeliest first.

    `line` counts from 1; `column` counts bytes of the UTF-8 line before the token; `index` counts the tokens of the
    line before it; `actual` is the log-probability of the token that stands there (an upper bound where it is not
    among the alternatives).
    """

    position: int
    line: int
    column: int
    index: int
    token: int
    data: bytes
    alternatives: tuple[Alternative, ...]
    actual: float


@dataclass(slots=True)
class Region:
    """A unit laid out in tokens: `prompt` is everything before the code, `code` the code up to the region's end."""

    unit: Unit
    source: Source
    prompt: list[int]
    code: list[int]
    pieces: list[bytes]
    first_line: int
    """The line of the file with which `code` begins, from 1."""

    places: list[Place] = field(default_factory=list[Place])

    @classmethod
    async def of(cls, scorer: Scorer, unit: Unit) -> Region:
        source = Source.of(unit.text)
        shown = prompt.excerpt(source, unit)
        head = await scorer.render(prompt.messages(unit), prompt.opening(unit))
        code = await scorer.tokenize(source.shown(shown.first, shown.last))
        pieces = await scorer.text_of(code)
        return cls(unit, source, head, code, pieces, shown.first)

    def prefix(self, position: int) -> list[int]:
        """All tokens before the code's token `position`."""
        return self.prompt + self.code[:position]

    async def walk(self, scorer: Scorer) -> AsyncIterator[Place]:
        """Each place of the region in turn; all of them are kept in `places`."""
        wanted = self._layout()
        if not wanted:
            return
        if isinstance(scorer, BatchScorer):
            for part in _runs(wanted):
                low, high = part[0][0], part[-1][0] + 1
                rows = await scorer.scan(self.prefix(low), self.code[low:high], DEPTH)
                for (position, line, column, index), row in zip(part, rows, strict=True):
                    yield self._place(position, line, column, index, row)
        else:
            for position, line, column, index in wanted:
                row = await scorer.alternatives(self.prefix(position), DEPTH)
                yield self._place(position, line, column, index, row)

    def _layout(self) -> list[_Spot]:
        """Each token that begins in the region, and not in a line of it that is passive."""
        found: list[_Spot] = []
        line, column, index = self.first_line, 0, 0
        for position, data in enumerate(self.pieces):
            if self.unit.first <= line <= self.unit.last and line not in self.unit.passive:
                found.append((position, line, column, index))
            newlines = data.count(b"\n")
            if newlines:
                line += newlines
                column = len(data) - data.rfind(b"\n") - 1
                index = 1 if column else 0
            else:
                column += len(data)
                index += 1
        return found

    def _place(self, position: int, line: int, column: int, index: int, row: Sequence[Alternative]) -> Place:
        token = self.code[position]
        floor = row[-1].logprob if row else 0.0
        actual = next((a.logprob for a in row if a.token == token), floor)
        place = Place(position, line, column, index, token, self.pieces[position], tuple(row), actual)
        self.places.append(place)
        return place


def _runs(spots: Sequence[_Spot]) -> Iterator[Sequence[_Spot]]:
    """The spots in parts without a gap, none longer than what is asked for in one request."""
    start = 0
    for at in range(1, len(spots) + 1):
        if at == len(spots) or spots[at][0] != spots[at - 1][0] + 1 or at - start == _CHUNK:
            yield spots[start:at]
            start = at
