"""Does a text parse? Asked of every file that a change touches, before any command is run.

Python, JSON and TOML by their own parsers; other languages by tree-sitter, whose grammars forgive much: what they
let pass may still be wrong, and what they do not understand counts only where a change brought it in.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import sys
import threading
import tomllib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kaaj_agent.document import Lines, split_lines
from kaaj_agent.trees.grammars import TREE_MAX, encoded, errors, grammar, language_name

if TYPE_CHECKING:
    from tree_sitter import Node

_APART: Final = 8 * 1024
"""Characters of Python above which a child process parses: `ast.parse` holds the interpreter for 2 ms per KB."""

_JSON_WITH_COMMENTS: Final = re.compile(
    r"(?:tsconfig|jsconfig|deno|devcontainer|turbo|nx|project|biome|rush|api-extractor|babel\.config)[\w.-]*\.json\Z"
)
_CHECKED: Final = frozenset({
    "javascript", "typescript", "tsx", "rust", "go", "java", "c", "cpp", "csharp", "ruby", "php", "lua",
})  # fmt: skip
"""Grammars that know their language well enough. Those of Kotlin and Swift stumble over valid code, and that of the
shell over one in twelve of a system's scripts."""
_HEADERS: Final = frozenset({".h", ".hh", ".hpp", ".hxx"})
"""Not judged: they live off macros, and a third of a system's own would be called wrong."""
_MACROS: Final = frozenset({"c", "cpp"})
_MACRO: Final = re.compile(rb"\b_*[A-Z][A-Z0-9_]{2,}\b|\b__\w+|^\s*#", re.MULTILINE)
_CHILD: Final = """\
import ast, json, sys, warnings
warnings.simplefilter("ignore")
try:
    ast.parse(sys.stdin.buffer.read().decode("utf-8", "surrogatepass"))
    print("null")
except SyntaxError as error:
    print(json.dumps([error.lineno or 1, error.offset or 1, error.msg]))
except (ValueError, RecursionError, MemoryError):
    print("null")
"""
_NEAR: Final = 4_096
"""Bytes before an error in which a macro is looked for."""
_warnings_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """The first place where a text does not parse. Lines and columns (characters) count from 1."""

    path: Path
    line: int
    column: int
    message: str
    count: int = 1
    """How many places there are, where the parser goes on after the first."""


def parse_error(path: Path, text: str) -> SyntaxProblem | None:
    """The first syntax error, or None: it parses, or no parser for it is here. Blocks; see `find_problem`."""
    match path.suffix.lower():
        case ".py" | ".pyi":
            return _python(path, text)
        case ".json" if not _JSON_WITH_COMMENTS.match(path.name) and ".vscode" not in path.parts:
            return _json(path, text)
        case ".toml":
            return _toml(path, text)
        case _:
            name = language_name(path)
            judged = name in _CHECKED and path.suffix.lower() not in _HEADERS and len(text) <= TREE_MAX
            return _tree(path, text, name) if judged else None


def judges(path: Path) -> bool:
    """Whether a text under such a name is looked at by a parser; of others it is not known whether they parse."""
    match path.suffix.lower():
        case ".py" | ".pyi" | ".toml":
            return True
        case ".json":
            return not _JSON_WITH_COMMENTS.match(path.name) and ".vscode" not in path.parts
        case suffix:
            return language_name(path) in _CHECKED and suffix not in _HEADERS


async def find_problem(path: Path, text: str) -> SyntaxProblem | None:
    """`parse_error` off the event loop, a large Python text in a process of its own."""
    if path.suffix.lower() not in (".py", ".pyi") or len(text) <= _APART:
        return await asyncio.to_thread(parse_error, path, text)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", _CHILD,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        said, _ = await child.communicate(text.encode("utf-8", "surrogatepass"))
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    found = json.loads(said or b"null")
    return None if found is None else SyntaxProblem(path, max(1, found[0]), max(1, found[1]), str(found[2]))


async def new_problem(path: Path, before: str | None, after: str) -> SyntaxProblem | None:
    """The syntax error that a change brought in: one that was there already, and got no worse, is not blamed on it."""
    problem = await find_problem(path, after)
    if problem is None or before is None:
        return problem
    old = await find_problem(path, before)
    return problem if old is None or _is_worse(old, before, problem, after) else None


def parses_as_well(path: Path, before: str, after: str) -> bool:
    """Whether `after` has no syntax error, or none that `before` has not. Blocks."""
    problem = parse_error(path, after)
    if problem is None:
        return True
    old = parse_error(path, before)
    return old is not None and not _is_worse(old, before, problem, after)


def _is_worse(old: SyntaxProblem, before: str, new: SyntaxProblem, after: str) -> bool:
    if new.count != old.count:
        return new.count > old.count
    if new.message == old.message and _line(before, old.line) == _line(after, new.line):
        return False
    # A parser that stops at the first error got less far: what parsed before does not parse now.
    same_head = 0
    for a, b in zip(split_lines(before), split_lines(after), strict=False):
        if a != b:
            break
        same_head += 1
    tail_before, tail_after = len(Lines.of(before)) - old.line, len(Lines.of(after)) - new.line
    return new.line < old.line and (new.line <= same_head or tail_after > tail_before)


def _line(text: str, number: int) -> str:
    lines = split_lines(text)
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _python(path: Path, text: str) -> SyntaxProblem | None:
    try:
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string is no syntax error
            ast.parse(text)
    except SyntaxError as error:
        return SyntaxProblem(path, max(1, error.lineno or 1), max(1, error.offset or 1), error.msg)
    except (ValueError, RecursionError, MemoryError):
        return None  # too deep for this parser, or a character it has no bytes for: not known to be wrong
    return None


def _json(path: Path, text: str) -> SyntaxProblem | None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return SyntaxProblem(path, error.lineno, error.colno, error.msg)
    except RecursionError:
        return None
    return None


_TOML_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")


def _toml(path: Path, text: str) -> SyntaxProblem | None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = _TOML_PLACE.search(said)
        message = said[: place.start()] if place else said
        if place and place[1]:
            return SyntaxProblem(path, int(place[1]), int(place[2]), message)
        lines = Lines.of(text)
        return SyntaxProblem(path, len(lines), len(text) - lines.start(len(lines) - 1) + 1, message)
    except RecursionError:
        return None
    return None


def _tree(path: Path, text: str, name: str) -> SyntaxProblem | None:
    known = grammar(name)
    if known is None:
        return None
    data = encoded(text)
    root = known.parse(data).root_node
    found = errors(root) if root.has_error else []
    if name in _MACROS:
        found = [node for node in found if not _by_macro(data, node)]
    if not found:
        return None
    first = found[0]
    row, column = first.start_point
    start = first.start_byte - column
    characters = len(data[start : first.start_byte].decode("utf-8", "replace"))
    message = f"missing {first.type}" if first.is_missing else "syntax error"
    return SyntaxProblem(path, row + 1, characters + 1, message, len(found))


def _by_macro(data: bytes, node: Node) -> bool:
    """Whether an error stands where a macro or a directive does: the grammar does not expand them."""
    near = data[max(0, node.start_byte - _NEAR) : node.start_byte]
    above = near.rpartition(b"\n")[0].rstrip().rpartition(b"\n")[2]  # the last line before it that is not blank
    line = near.rpartition(b"\n")[2]
    end = data.find(b"\n", node.end_byte)
    here = data[node.start_byte : end if end >= 0 else len(data)]
    return any(_MACRO.search(part) for part in (above, line + here))
