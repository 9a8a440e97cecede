"""Candidates out of surprise: where the model would have gone on otherwise, let it finish the line.

Measured in the course of the design on public one-line faults: sorting all alternatives of a region by
log-probability finds the repair in a few tries where asking the model for it fails.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final, TypeAlias

from kaaj_agent.ports import Alternative, Scorer
from kaaj_agent.repair.mutations import mutations
from kaaj_agent.repair.scan import Place, Region, finish_lines
from kaaj_agent.repair.unit import Candidate, Unit


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the model is followed.

    `floor` is the least log-probability of an alternative that is tried, `block_floor` of one that begins a block of
    up to `block_lines` further lines.
    """

    floor: float = -7.0
    width: int = 6
    alternatives: int = 60
    line_tokens: int = 40
    mutations: int = 60
    block_lines: int = 3
    block_floor: float = -5.0


DEFAULT_LIMITS: Final = Limits()
_BAND: Final = 1.0
"""Alternatives this close in log-probability are grouped by region, so that the model's cache is of use."""

_Choice: TypeAlias = "tuple[float, int, Place, Alternative]"
Wanted: TypeAlias = Callable[[float], bool]
"""Whether a candidate of such a log-probability may still be of use."""


def _everything(_logprob: float) -> bool:
    return True


_OPENERS: Final = (":", "{", "(", "[", ",", "\\")

_TOGETHER: Final = 2
"""Lines finished side by side: on few cores more are hardly quicker a line, and the judge waits for the first."""

_LONGER: Final = 12
"""Tokens by which a line may outgrow the longest of those that it may replace."""


@dataclass(slots=True)
class _Maker:
    """Turns alternatives of one region into candidates, each text at most once."""

    region: Region
    limits: Limits
    seen: set[str] = field(default_factory=set[str])
    broken: set[str] = field(default_factory=set[str])
    """Texts that do not parse, and from which no block was tried yet."""

    def __post_init__(self) -> None:
        self.seen.add(self.region.unit.text)

    async def complete(
        self, scorer: Scorer, chosen: Sequence[tuple[Place, Alternative]]
    ) -> AsyncGenerator[Candidate, None]:
        """For each choice the line as the model would write it from there on, in the forms that can be meant.

        First come the lines with nothing but the token exchanged: they cost no evaluation, and the judge is busy with
        them while the model writes.
        """
        for place, choice in chosen:
            made = await self.exchanged(place, choice)
            if made is not None:
                yield made
        open_ended = [
            [*self.region.prefix(place.position), choice.token]
            for place, choice in chosen
            if not _ends_line(choice.text)
        ]
        limit = min(
            self.limits.line_tokens, _LONGER + max((self._tokens(place.line) for place, _ in chosen), default=0)
        )
        ends = iter(await finish_lines(scorer, open_ended, limit) if open_ended else [])
        for place, choice in chosen:
            written = self._written(place, choice, ends)
            for text, line, description in self._forms(place, written):
                made = await self.candidate(text, line, description, choice.logprob, written=True)
                if made is not None:
                    yield made
            opens = place.index < 2 and written.endswith(_OPENERS) and choice.logprob >= self.limits.block_floor
            alone = self.region.source.inserted(place.line, written)
            if opens and alone in self.broken:  # it does not parse as a line of its own: let the model go on with it
                self.broken.discard(alone)
                made = await self._block(scorer, place, written, choice)
                if made is not None:
                    yield made

    def _tokens(self, line: int) -> int:
        return sum(place.line == line for place in self.region.places)

    async def exchanged(self, place: Place, choice: Alternative) -> Candidate | None:
        """The line with nothing but the token exchanged; it costs no evaluation."""
        spliced = self._spliced(place, choice)
        return None if spliced is None else await self.candidate(*spliced, choice.logprob)

    async def _block(self, scorer: Scorer, place: Place, line: str, choice: Alternative) -> Candidate | None:
        """`line` and what the model lets follow it, put in before the place's line, once that parses."""
        source, region = self.region.source, self.region
        block = [line]
        newline = source.ends[place.line - 1] or "\n"
        for _ in range(self.limits.block_lines):
            shown = source.shown(region.first_line, place.line - 1) + "".join(f"{x}\n" for x in block)
            tokens = [*region.prompt, *await scorer.tokenize(shown)]
            more = (await finish_lines(scorer, [tokens], self.limits.line_tokens))[0].rstrip()
            if not more or more == source.lines[place.line - 1].rstrip() or _ends_turn(more):
                return None
            block.append(more)
            text = source.inserted(place.line, newline.join(block))
            what = "insert " + " ⏎ ".join(x.strip() for x in block)
            made = await self.candidate(text, place.line, what, choice.logprob, written=True)
            if made is not None:
                return made
        return None

    def _spliced(self, place: Place, choice: Alternative) -> tuple[str, int, str] | None:
        """(text of the file, line, description) with the token replaced by `choice` and the rest of the line kept."""
        if b"\n" in place.data or _ends_line(choice.text):
            return None
        source = self.region.source
        old = source.lines[place.line - 1]
        data = old.encode()
        new = data[: place.column] + choice.text.encode() + data[place.column + len(place.data) :]
        line = new.decode("utf-8", "replace").rstrip()
        if not line.strip() or line == old.rstrip():
            return None
        return source.replaced(place.line, line), place.line, f"{old.strip()} → {line.strip()}"

    def _written(self, place: Place, choice: Alternative, ends: Iterator[str]) -> str:
        """The line with `choice` in it, its end taken from `ends` where it needs one; empty: there is no such line."""
        if _ends_turn(choice.text):
            return ""
        whole = choice.text if _ends_line(choice.text) else choice.text + next(ends)
        head = self.region.source.lines[place.line - 1].encode()[: place.column].decode("utf-8", "replace")
        return (head + whole.partition("\n")[0]).rstrip()

    def _forms(self, place: Place, line: str) -> list[tuple[str, int, str]]:
        """(text of the file, line, description) of each way in which the written `line` can be meant."""
        source = self.region.source
        old = source.lines[place.line - 1]
        following = source.lines[place.line] if place.line < len(source.lines) else None
        if not line.strip():
            return [(source.deleted(place.line), place.line, f"delete {old.strip()}")] if old.strip() else []
        if line == old.rstrip():
            return []
        forms = [(source.replaced(place.line, line), place.line, f"{old.strip()} → {line.strip()}")]
        if place.index < 2:  # the line's first tokens: the model may have meant another line to come first
            if following is not None and line.strip() == following.strip():
                return [(source.deleted(place.line), place.line, f"delete {old.strip()}")]
            forms.append((source.inserted(place.line, line), place.line, f"insert {line.strip()}"))
        return forms

    async def candidate(
        self, text: str, line: int, description: str, logprob: float, *, written: bool = False
    ) -> Candidate | None:
        """The candidate, unless its text was had before or does not parse."""
        if text in self.seen:
            return None
        self.seen.add(text)
        unit = self.region.unit
        if not await asyncio.to_thread(unit.parses, text):
            self.broken.add(text)
            return None
        return Candidate(
            unit.path, text, line, logprob, description, changed_characters(unit.text, text), written=written
        )


async def candidates(
    scorer: Scorer, units: Unit | Sequence[Unit], limits: Limits = DEFAULT_LIMITS, wanted: Wanted = _everything
) -> AsyncGenerator[Candidate, None]:
    """Possible repairs in order of promise; the caller stops when it has enough.

    First, while the regions are walked, tokens that the model prefers to what stands there. Then band by band of
    log-probability over all regions: what costs no evaluation (a token exchanged, a simple mutation), then the lines
    that the model goes on to write. Where `wanted` says of a log-probability that nothing below it is of use, the
    model writes no more. Raises ModelError.
    """
    makers: list[_Maker] = []
    left: list[_Choice] = []
    for unit in [units] if isinstance(units, Unit) else units:
        maker = _Maker(await Region.of(scorer, unit), limits)
        makers.append(maker)
        async for place in maker.region.walk(scorer):
            worth = [choice for choice in place.alternatives[: limits.width] if _worth(place, choice, limits)]
            left += [(choice.logprob, len(makers) - 1, place, choice) for choice in worth]
            for choice in worth:
                made = await maker.exchanged(place, choice) if choice.logprob > place.actual else None
                if made is not None:
                    yield made
    left = sorted(left, key=lambda item: -item[0])[: limits.alternatives]
    simple = [(m.logprob, index, m) for index, maker in enumerate(makers) for m in mutations(maker.region)]
    simple = sorted(simple, key=lambda item: -item[0])[: limits.mutations]
    for band in sorted({*(_band(item[0]) for item in left), *(_band(item[0]) for item in simple)}, reverse=True):
        mine = sorted((item for item in left if _band(item[0]) == band), key=lambda item: (item[1], -item[0]))
        for _, index, place, choice in mine:
            made = await makers[index].exchanged(place, choice)
            if made is not None:
                yield made
        for logprob, index, mutation in simple:
            if _band(logprob) == band:
                made = await makers[index].candidate(mutation.text, mutation.line, mutation.description, logprob)
                if made is not None:
                    yield made
        for index, group in _groups([item for item in mine if wanted(item[0])]):
            async for candidate in makers[index].complete(scorer, group):
                yield candidate


def _band(logprob: float) -> int:
    return math.floor(logprob / _BAND)


def _worth(place: Place, choice: Alternative, limits: Limits) -> bool:
    """A part of a character cannot be finished, and the token that stands there is no alternative."""
    return choice.token != place.token and choice.logprob >= limits.floor and "\ufffd" not in choice.text


def _groups(
    items: Sequence[_Choice],
) -> Iterator[tuple[int, list[tuple[Place, Alternative]]]]:
    """Neighbours of the same region, a few at a time: their lines are finished side by side."""
    group: list[tuple[Place, Alternative]] = []
    current = -1
    for _, index, place, choice in items:
        if group and (index != current or len(group) >= _TOGETHER):
            yield current, group
            group = []
        current = index
        group.append((place, choice))
    if group:
        yield current, group


def _ends_turn(text: str) -> bool:
    """The model would stop here: a control token, or the fence's end."""
    return not text or text.lstrip().startswith("```")


def _ends_line(text: str) -> bool:
    return _ends_turn(text) or "\n" in text


def changed_characters(old: str, new: str) -> int:
    """Characters taken out and put in, counted inside the lines that differ."""
    head = 0
    limit = min(len(old), len(new))
    while head < limit and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < limit - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    gone, come = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(len(gone), len(come)) > 2_000:
        return len(gone) + len(come)
    matcher = SequenceMatcher(None, gone, come, autojunk=False)
    return sum((b - a) + (d - c) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal")
