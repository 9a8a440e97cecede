"""Where functions begin and end in a text: by its syntax tree, or by its look where no grammar is at hand."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from kaaj_agent.guided.by_look import braced, indented
from kaaj_agent.guided.span import Span as Span  # noqa: PLC0414 - a part of this module's interface
from kaaj_agent.languages import is_test as is_test  # noqa: PLC0414 - a part of this module's interface
from kaaj_agent.trees.tags import Kind, definitions

PYTHON: Final = frozenset({".py", ".pyi"})
CODE: Final = frozenset({
    ".py", ".pyi", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".go", ".rs", ".java", ".kt", ".c",
    ".h", ".cc", ".cpp", ".hpp", ".cs", ".rb", ".php", ".swift", ".lua", ".sh", ".scala", ".dart", ".ex", ".exs",
    ".vue",
})  # fmt: skip
"""What is searched for a fault: files that have functions."""

_KINDS: Final[Mapping[Kind, str]] = {"class": "class", "container": "class", "function": "function"}
_BY_INDENTATION: Final = PYTHON | {".rb", ".lua", ".ex", ".exs", ".sh"}


def spans(path: Path, text: str) -> list[Span]:
    """The functions and classes of a text, outer first. Blocks; call it off the event loop."""
    if path.suffix.lower() in PYTHON:
        tree = parse(text)
        if tree is not None:
            return list(_python(tree, ""))
    found = definitions(path, text)
    if found is not None:
        return [Span(one.name, one.first, one.last, _KINDS[one.kind]) for one in found if one.kind in _KINDS]
    return indented(text) if path.suffix.lower() in _BY_INDENTATION else braced(text)


def outermost(found: list[Span]) -> list[Span]:
    """The regions that stand in no other one: what a file offers at its top, methods of Go and C++ among it."""
    top: list[Span] = []
    for span in sorted(found, key=lambda one: (one.first, -one.last)):
        if not top or span.first > top[-1].last:
            top.append(span)
    return top


def parse(text: str) -> ast.Module | None:
    """The syntax tree, or None where the text does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _python(node: ast.AST, prefix: str) -> Iterator[Span]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            kind = "class" if isinstance(child, ast.ClassDef) else "function"
            yield Span(prefix + child.name, first, child.end_lineno or child.lineno, kind)
            yield from _python(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.stmt):
            yield from _python(child, prefix)


def enclosing(found: list[Span], line: int, kind: str = "function") -> Span | None:
    """The outermost function (not class) around a line: an inner one is rewritten with the one around it."""
    holders = [span for span in found if span.kind == kind and span.holds(line)]
    return max(holders, key=lambda span: span.size, default=None)


_CALL: Final = re.compile(r"([^\W\d]\w*)\s*(?=\()")
_NOT_CALLS: Final = frozenset({
    "if", "for", "while", "switch", "catch", "return", "function", "def", "class", "and", "or", "not", "in", "elif",
    "with", "assert", "print", "len", "range", "super", "lambda", "func", "fn", "new", "typeof", "await", "yield",
    "raise", "except", "isinstance", "str", "int", "float", "list", "dict", "set", "tuple", "self", "sum", "min",
    "max", "assertEqual", "assertTrue", "assertFalse", "assertRaises", "assertIn", "assertIs", "assertIsNone",
    "assertAlmostEqual", "expect", "toBe", "toEqual", "describe", "it", "test", "sorted", "enumerate", "zip", "map",
    "filter", "any", "all", "open", "type",
})  # fmt: skip


def names_called(code: str) -> list[str]:
    """Names before an opening bracket, without what every language or test runner brings along."""
    return list(dict.fromkeys(match[1] for match in _CALL.finditer(code) if match[1] not in _NOT_CALLS))
