"""Where functions begin and end in a text: Python by its syntax tree, others by braces or indentation."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent.document import Lines

PYTHON: Final = frozenset({".py", ".pyi"})
CODE: Final = frozenset({
    ".py", ".pyi", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".go", ".rs", ".java", ".kt", ".c",
    ".h", ".cc", ".cpp", ".hpp", ".cs", ".rb", ".php", ".swift", ".lua", ".sh", ".scala", ".dart", ".ex", ".exs",
    ".vue",
})  # fmt: skip
"""What is searched for a fault: files that have functions."""


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


def is_test(path: Path) -> bool:
    """Whether a file holds tests, by the usual names."""
    name = path.name.lower()
    stem = name.split(".", 1)[0]
    if stem.startswith("test_") or stem.endswith(("_test", "_spec", "_tests")) or stem == "conftest":
        return True
    if ".test." in name or ".spec." in name or path.stem.endswith(("Test", "Tests", "Spec")):
        return True
    return bool({"tests", "test", "__tests__", "spec"}.intersection(part.lower() for part in path.parts[-4:-1]))


def spans(path: Path, text: str) -> list[Span]:
    """The functions and classes of a text, outer first. Blocks; call it off the event loop."""
    if path.suffix.lower() in PYTHON:
        tree = parse(text)
        return list(_python(tree, "")) if tree is not None else _indented(text)
    if path.suffix.lower() in (".rb", ".lua", ".ex", ".exs", ".sh"):
        return _indented(text)
    return _braced(text)


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


_HEADER: Final = re.compile(
    r"[ \t]*(?:(?:export|default|public|private|protected|internal|static|final|abstract|override|virtual|async|pub"
    r"(?:\([^)]*\))?|unsafe|extern|inline|const|suspend|open)[ \t]+)*"
    r"(?:(?P<type>class|interface|struct|impl|trait|enum|object)[ \t]+(?:<[^>]*>[ \t]*)?(?P<tname>[\w$]+)"
    r"|(?:function\*?|func|fn|fun)[ \t]+(?:\([^)]*\)[ \t]*)?(?P<fname>[\w$]+)[^(]*(?=\()"
    r"|(?:const|let|var)[ \t]+(?P<vname>[\w$]+)[ \t]*(?::[^=]+)?=[ \t]*(?:async[ \t]*)?"
    r"(?:function\b[^(]*(?=\()|(?=\()|[\w$]+[ \t]*=>)"
    r"|(?P<before>[^(){}=;]*?)(?P<mname>~?[\w$]+)[ \t]*(?=\())"
)
_HEADER_LONGEST: Final = 300
_PARAMETERS_LONGEST: Final = 2_000
_MODIFIERS: Final = re.compile(r"[\w$<>\[\],.*&:?@ \t]*")
_BODY: Final = re.compile(r"[^;{}()=]*(?:=>\s*)?\{")
_KEYWORDS: Final = frozenset({
    "if", "for", "while", "switch", "catch", "return", "else", "do", "try", "match", "loop", "synchronized", "using",
    "lock",
})  # fmt: skip
_SKIPPED: Final = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`", re.DOTALL
)


def _braced(text: str) -> list[Span]:
    """Headers by their look, ends by counting braces outside of strings and comments."""
    plain = _SKIPPED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    found: list[tuple[int, int, str, str]] = []
    offset = 0
    for line in plain.split("\n"):
        start, offset = offset, offset + len(line) + 1
        match = _HEADER.match(line) if len(line) <= _HEADER_LONGEST else None
        if match is None:
            continue
        name = match["tname"] or match["fname"] or match["vname"] or match["mname"]
        if name in _KEYWORDS or (match["mname"] and not _MODIFIERS.fullmatch(match["before"])):
            continue
        at = start + match.end()
        if plain[at : at + 1] == "(":
            at = _closing(plain, at, "()", _PARAMETERS_LONGEST) + 1
        body = _BODY.match(plain, at, at + _PARAMETERS_LONGEST)
        if body is None:
            continue
        end = _closing(plain, body.end() - 1, "{}", len(plain))
        found.append((start + len(line) - len(line.lstrip()), end, name, "class" if match["type"] else "function"))
    spans_: list[Span] = []
    outer: list[tuple[int, str]] = []
    starts = Lines.of(text)
    for start, end, name, kind in found:
        while outer and outer[-1][0] < end:
            outer.pop()
        prefix = "".join(f"{inside}." for _, inside in outer)
        spans_.append(Span(prefix + name, starts.line_at(start) + 1, starts.line_at(end) + 1, kind))
        outer.append((end, name))
    return spans_


def _closing(text: str, at: int, pair: str, limit: int) -> int:
    """Where the bracket at `at` is closed; the end of the part that is looked at where it is not."""
    depth = 0
    stop = min(len(text), at + limit)
    for match in re.compile(rf"[{re.escape(pair)}]").finditer(text, at, stop):
        depth += 1 if match[0] == pair[0] else -1
        if depth == 0:
            return match.start()
    return max(at, stop - 1)


_DEF: Final = re.compile(r"^([ \t]*)(?:async\s+)?(def|class|function|local function|module|defp)\s+([\w.?!]+)")


def _indented(text: str) -> list[Span]:
    """Regions that end before the next line that is indented no deeper than their header (and is no `end`)."""
    lines = text.split("\n")
    found: list[Span] = []
    for index, line in enumerate(lines):
        match = _DEF.match(line)
        if match is None:
            continue
        width = len(match[1].expandtabs())
        last = index
        for below in range(index + 1, len(lines)):
            body = lines[below]
            if body.strip() and len(body) - len(body.lstrip()) <= width:
                if body.strip() in ("end", "}"):
                    last = below
                break
            if body.strip():
                last = below
        kind = "class" if match[2] in ("class", "module") else "function"
        outer = [span for span in found if span.holds(index + 1)]
        prefix = f"{outer[-1].name}." if outer else ""
        found.append(Span(prefix + match[3], index + 1, last + 1, kind))
    return found
