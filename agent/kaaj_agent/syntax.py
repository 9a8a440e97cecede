"""Does a text parse? Asked of every file that a change touches, before any command is run.

Python, JSON and TOML always; JavaScript, TypeScript, Go, Rust and Java where a tree-sitter grammar is installed.
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
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from kaaj_agent.document import Lines, split_lines

_APART: Final = 8 * 1024
"""Characters of Python above which a child process parses: `ast.parse` holds the interpreter for 2 ms per KB."""

_JSON_WITH_COMMENTS: Final = re.compile(
    r"(?:tsconfig|jsconfig|deno|devcontainer|turbo|nx|project|biome|rush|api-extractor|babel\.config)[\w.-]*\.json\Z"
)
_GRAMMARS: Final = {
    ".js": ("tree_sitter_javascript", "language"),
    ".mjs": ("tree_sitter_javascript", "language"),
    ".cjs": ("tree_sitter_javascript", "language"),
    ".jsx": ("tree_sitter_javascript", "language"),
    ".ts": ("tree_sitter_typescript", "language_typescript"),
    ".mts": ("tree_sitter_typescript", "language_typescript"),
    ".cts": ("tree_sitter_typescript", "language_typescript"),
    ".tsx": ("tree_sitter_typescript", "language_tsx"),
    ".go": ("tree_sitter_go", "language"),
    ".rs": ("tree_sitter_rust", "language"),
    ".java": ("tree_sitter_java", "language"),
}
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
        case suffix if suffix in _GRAMMARS:
            return _tree(path, text, *_GRAMMARS[suffix])
        case _:
            return None


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


@lru_cache(maxsize=16)
def _parser(module: str, function: str) -> Any:
    """A tree-sitter parser, or None where it is not installed here."""
    if find_spec("tree_sitter") is None or find_spec(module) is None:
        return None
    binding = import_module("tree_sitter")
    return binding.Parser(binding.Language(getattr(import_module(module), function)()))


def _tree(path: Path, text: str, module: str, function: str) -> SyntaxProblem | None:
    parser = _parser(module, function)
    if parser is None:
        return None
    root = parser.parse(text.encode("utf-8", "surrogatepass")).root_node
    if not root.has_error:
        return None
    first: Any = None
    count = 0
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            count += 1
            first = first if first is not None and first.start_byte <= node.start_byte else node
        if node.has_error:
            stack.extend(node.children)
    if first is None:
        return None
    row, column = first.start_point
    message = f"missing {first.type}" if first.is_missing else "syntax error"
    return SyntaxProblem(path, row + 1, column + 1, message, count)
