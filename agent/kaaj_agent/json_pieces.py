"""JSON in pieces none of which takes long to make: `json.dumps` of a large text stops every other thread of Python."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, cast

STEP: Final = 65_536
"""Characters of a text that are made into JSON at once."""


def pieces(row: Any, step: int = STEP) -> Iterator[str]:
    """What `json.dumps` writes in ASCII without spaces, piece by piece. `row` is plain JSON, keys are strings."""
    if isinstance(row, dict):
        for number, (key, value) in enumerate(cast("dict[str, Any]", row).items()):
            yield f"{',' if number else '{'}{json.dumps(key)}:"
            yield from pieces(value, step)
        yield "}" if row else "{}"
    elif isinstance(row, list):
        for number, value in enumerate(cast("Sequence[object]", row)):
            yield "," if number else "["
            yield from pieces(value, step)
        yield "]" if row else "[]"
    elif isinstance(row, str) and len(row) > step:
        yield '"'
        for at in range(0, len(row), step):
            yield json.dumps(row[at : at + step])[1:-1]
        yield '"'
    else:
        yield json.dumps(row)


def blocks(made: Iterable[str], size: int = STEP) -> Iterator[bytes]:
    """The pieces as bytes, small ones put together to about `size`."""
    held: list[str] = []
    length = 0
    for piece in made:
        held.append(piece)
        length += len(piece)
        if length >= size:
            yield "".join(held).encode()
            held, length = [], 0
    yield "".join(held).encode()
