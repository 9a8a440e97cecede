"""What a text defines and what it refers to. Blocks; call it off the event loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from kaaj_agent.trees.grammars import TREE_MAX, Grammar, encoded, grammar_of

if TYPE_CHECKING:
    from tree_sitter import Node

Kind: TypeAlias = Literal["class", "function", "container", "type", "value", "declaration"]

_KINDS: Final[tuple[Kind, ...]] = ("class", "function", "container", "type", "value", "declaration")
_NESTING: Final = frozenset({"class", "function", "container"})
_WRAPPERS: Final = frozenset({
    "decorated_definition", "export_statement", "template_declaration", "lexical_declaration", "variable_declaration",
    "type_declaration", "expression_statement", "ambient_declaration",
})  # fmt: skip
"""Nodes that belong to the definition in them where that is all they hold, such as its decorators."""
_ATTRIBUTES: Final = frozenset({"attribute_item", "decorator"})
"""Siblings before a definition that belong to it."""

_NAME_MAX: Final = 120
_WINDOW: Final = 64 * 1024
"""Bytes that one query looks at: it holds the interpreter meanwhile. (The library has a callback for progress; in
0.26.1 it crashes.)"""
Stop: TypeAlias = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Definition:
    """Lines count from 1, both included; `line` is where the name stands. `name` is qualified, as in `Cart.total`."""

    name: str
    kind: Kind
    first: int
    last: int
    line: int
    depth: int = 0
    """In how many other definitions of the text it stands."""

    @property
    def bare(self) -> str:
        return self.name.rpartition(".")[2]


Means: TypeAlias = Literal["imported", "reference", "member"]


class Reference(NamedTuple):
    """A name that is used. `lines` count from 1; `means` is the strongest way in which it is referred to."""

    name: str
    lines: tuple[int, ...]
    means: Means


_MEANS: Final[tuple[Means, ...]] = ("imported", "reference", "member")


@dataclass(frozen=True, slots=True)
class Tags:
    """Definitions in order of the text, outer first; references by bare name."""

    definitions: tuple[Definition, ...] = ()
    references: tuple[Reference, ...] = ()


def definitions(path: PurePath, text: str, stop: Stop | None = None) -> tuple[Definition, ...] | None:
    """What a text defines; None where there is no grammar for it or it is too large. Raises Stopped."""
    grammar = grammar_of(path) if len(text) <= TREE_MAX else None
    if grammar is None or grammar.definitions is None:
        return None
    data = encoded(text)
    return _definitions(grammar, data, grammar.parse(data, stop).root_node)


def tags(path: PurePath, text: str, *, alone: bool = False) -> Tags | None:
    """What a text defines and refers to; None where there is no grammar for it or it is too large.

    `alone`: no other thread of the process waits for its turn.
    """
    grammar = grammar_of(path) if len(text) <= TREE_MAX else None
    if grammar is None:
        return None
    data = encoded(text)
    root = grammar.parse(data, alone=alone).root_node
    return Tags(_definitions(grammar, data, root), _references(grammar, data, root))


def _definitions(grammar: Grammar, data: bytes, root: Node) -> tuple[Definition, ...]:
    from tree_sitter import QueryCursor  # noqa: PLC0415 - the grammar is here, so the bindings are loaded

    if grammar.definitions is None:
        return ()
    found: dict[tuple[int, Kind], tuple[Node, Kind, str, int]] = {}
    for start in range(0, len(data) + 1, _WINDOW):
        cursor = QueryCursor(grammar.definitions)
        cursor.set_byte_range(start, start + _WINDOW)
        for _, captures in cursor.matches(root):
            kind: Kind = next(kind for kind in _KINDS if kind in captures)
            named = captures["name"][0]
            name = _text(data, named)
            if "owner" in captures:
                name = f"{_text(data, captures['owner'][0])}.{name}"
            if name:
                found.setdefault((named.start_byte, kind), (captures[kind][0], kind, name, named.start_point.row + 1))
    return tuple(_nested(sorted(found.values(), key=lambda one: (one[0].start_byte, -one[0].end_byte))))


def _nested(found: list[tuple[Node, Kind, str, int]]) -> list[Definition]:
    """Names qualified by what is around them. Regions nest: an inner one never reaches beyond the outer one."""
    nested: list[Definition] = []
    outer: list[tuple[int, Definition]] = []
    for node, kind, name, line in found:
        while outer and outer[-1][0] <= node.start_byte:
            outer.pop()
        first, last = _extent(node)
        prefix = ""
        if outer:
            around = outer[-1][1]
            prefix, first, last = f"{around.name}.", max(first, around.first), min(last, around.last)
        one = Definition(f"{prefix}{name}", kind, first, max(line, last), line, len(outer))
        nested.append(one)
        if kind in _NESTING:
            outer.append((node.end_byte, one))
    return nested


def _extent(node: Node) -> tuple[int, int]:
    """First and last line, with decorators, attributes and the like."""
    parent = node.parent
    while parent is not None and parent.type in _WRAPPERS:
        node, parent = parent, parent.parent
    first = node
    before = node.prev_sibling
    while before is not None and before.type in _ATTRIBUTES:
        first, before = before, before.prev_sibling
    row, column = node.end_point
    last = row + (1 if column else 0)  # an end at the very beginning of a line lies before that line
    return first.start_point.row + 1, max(last, node.start_point.row + 1)


def _references(grammar: Grammar, data: bytes, root: Node) -> tuple[Reference, ...]:
    from tree_sitter import QueryCursor  # noqa: PLC0415 - the grammar is here, so the bindings are loaded

    if grammar.references is None:
        return ()
    lines: dict[str, dict[int, None]] = {}
    means: dict[str, Means] = {}
    for start in range(0, len(data) + 1, _WINDOW):
        cursor = QueryCursor(grammar.references)
        cursor.set_byte_range(start, start + _WINDOW)
        captures = cursor.captures(root)
        for meant in _MEANS:
            for node in captures.get(meant, ()):
                name = _text(data, node)
                if len(name) > 1:
                    lines.setdefault(name, {})[node.start_point.row + 1] = None
                    if means.setdefault(name, meant) != meant and _MEANS.index(meant) < _MEANS.index(means[name]):
                        means[name] = meant
    return tuple(Reference(name, tuple(sorted(at)), means[name]) for name, at in lines.items())


def _text(data: bytes, node: Node) -> str:
    """`Node.text` is slow for a tree that was read in pieces."""
    start, end = node.start_byte, node.end_byte
    return data[start:end].decode("utf-8", "replace") if end - start <= _NAME_MAX else ""
