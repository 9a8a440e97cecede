"""A region of a text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A function, class or other region. Lines from 1, both included; `name` is qualified, as in `Cart.total`."""

    name: str
    first: int
    last: int
    kind: str = "function"

    @property
    def bare(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def size(self) -> int:
        return self.last - self.first + 1

    def holds(self, line: int) -> bool:
        return self.first <= line <= self.last
