"""Rules like `wind > 20` or `temp < 0 for 3`, and where readings break them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from station.reading import Reading

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_RULE = re.compile(r"(\w+)\s*(<=|>=|<|>)\s*(-?[0-9.]+)(?:\s+for\s+([0-9]+))?")


@dataclass(frozen=True)
class Rule:
    """`count` readings of a station, one after the other, have to break the limit."""

    name: str
    sign: str
    limit: float
    count: int = 1

    def matches(self, number: float) -> bool:
        return OPERATORS[self.sign](number, self.limit)


def parse_rule(text: str) -> Rule:
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a rule: {text!r}")
    name, sign, limit, count = match.groups()
    return Rule(name, sign, float(limit), int(count or 1))


def find_station(readings: Iterable[Reading], name: str) -> Reading | None:
    """The first reading of a station."""
    for reading in readings:
        if reading.station == name:
            return reading
    return None


def alerts(readings: Iterable[Reading], rule: Rule) -> list[Reading]:
    """The readings at which an alert begins: the `count`th that matches in a row. Then silence until one does not match.

    Readings without the rule's value neither match nor end a row.
    """
    rows: dict[str, int] = {}
    found: list[Reading] = []
    for reading in sorted(readings, key=lambda reading: reading.time):
        number = reading.value(rule.name)
        if number is None:
            continue
        if rule.matches(number):
            rows[reading.station] = rows.get(reading.station, 0) + 1
            if rows[reading.station] == rule.count:
                found.append(reading)
        else:
            rows[reading.station] = 0
    return found
