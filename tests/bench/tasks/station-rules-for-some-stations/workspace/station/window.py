"""Readings gathered by station and by stretches of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from station.reading import Reading


@dataclass
class Window:
    """What one station measured of one thing from `start` on."""

    station: str
    name: str
    start: datetime
    numbers: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float:
        return sum(self.numbers) / len(self.numbers)

    @property
    def lowest(self) -> float:
        return min(self.numbers)

    @property
    def highest(self) -> float:
        return max(self.numbers)


def floor_time(time: datetime, length: timedelta) -> datetime:
    """The start of the window that holds `time`; windows count from midnight."""
    midnight = time.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (time - midnight) // length * length


def windows(readings: Iterable[Reading], length: timedelta) -> Iterator[Window]:
    """By station, then by name, then by time."""
    table: dict[tuple[str, str, datetime], Window] = {}
    for reading in readings:
        start = floor_time(reading.time, length)
        for name, number in reading.values.items():
            key = (reading.station, name, start)
            if key not in table:
                table[key] = Window(reading.station, name, start)
            table[key].numbers.append(number)
    for key in sorted(table):
        yield table[key]
