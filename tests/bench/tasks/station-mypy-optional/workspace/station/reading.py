"""One reading: a line like `2024-03-01T12:00:00 north temp=4.5 wind=12`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Reading:
    time: datetime
    station: str
    values: dict[str, float]

    def value(self, name: str) -> float | None:
        return self.values.get(name)


class BadLine(ValueError):
    """A line that is not a reading."""


def parse_line(line: str) -> Reading:
    words = line.split()
    if len(words) < 3:
        raise BadLine(f"too short: {line!r}")
    time, station, *pairs = words
    values: dict[str, float] = {}
    for pair in pairs:
        name, sign, number = pair.partition("=")
        if not sign:
            raise BadLine(f"no value: {pair!r}")
        try:
            values[name] = float(number)
        except ValueError:
            raise BadLine(f"not a number: {pair!r}") from None
    try:
        return Reading(datetime.fromisoformat(time), station, values)
    except ValueError:
        raise BadLine(f"not a time: {time!r}") from None


def parse_lines(text: str) -> tuple[list[Reading], list[str]]:
    """The readings of a text, and what was wrong with the other lines. Empty lines and # comments are skipped."""
    readings: list[Reading] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            readings.append(parse_line(line))
        except BadLine as error:
            problems.append(f"line {number}: {error}")
    return readings, problems
