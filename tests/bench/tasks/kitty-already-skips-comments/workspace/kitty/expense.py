"""One expense and its line in a file."""

import re
from dataclasses import dataclass

_LINE = re.compile(r"(\d{4}-\d\d-\d\d) (\w+) (\d+)\.(\d\d) (.*)")


@dataclass(frozen=True)
class Expense:
    """`cents` that `payer` paid for `people`; nobody named: for everybody."""

    day: str
    payer: str
    cents: int
    text: str
    people: tuple[str, ...] = ()


def parse_expense(line):
    """Raises ValueError with the line in it."""
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError(f"not an expense: {line!r}")
    day, payer, whole, part, rest = match.groups()
    people = tuple(word[1:] for word in rest.split() if word.startswith("@") and len(word) > 1)
    text = " ".join(word for word in rest.split() if not word.startswith("@"))
    return Expense(day, payer, int(whole) * 100 + int(part), text, people)


def parse_file(text):
    """All expenses; empty lines and lines with # are skipped."""
    lines = (line.strip() for line in text.splitlines())
    return [parse_expense(line) for line in lines if line and not line.startswith("#")]
