"""The grammars of tree-sitter by language, loaded when first needed.

Each comes as a wheel of its own with the parser compiled in (abi3: one wheel for all Python versions); nothing is
fetched at run time.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from kaaj_agent.languages import language_of
from kaaj_agent.trees.queries import DEFINITIONS, REFERENCES

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser, Query, Tree

TREE_MAX: Final = 400_000
"""Characters of a text above which no tree is made: such files are generated, and letting go of a tree of that size
holds the interpreter for 10 ms."""

_GRAMMARS: Final = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "rust": ("tree_sitter_rust", "language"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "kotlin": ("tree_sitter_kotlin", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "csharp": ("tree_sitter_c_sharp", "language"),
    "swift": ("tree_sitter_swift", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "ruby": ("tree_sitter_ruby", "language"),
    "lua": ("tree_sitter_lua", "language"),
    "bash": ("tree_sitter_bash", "language"),
}
_SAME: Final = {"jsx": "javascript"}
_NO_GRAMMAR: Final = (".zsh", ".zshrc")
"""Ends of names that are listed with a language whose grammar does not take them."""

_CHUNK: Final = 64 * 1024
_LONE_CR: Final = re.compile(r"\r(?!\n)")


class Stopped(Exception):  # noqa: N818 - no error: the caller asked for it
    """A parse was broken off because nobody wants its outcome any more."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """A language's parser and queries. One parser is used by one thread at a time."""

    name: str
    language: Language
    parser: Parser
    definitions: Query | None
    references: Query | None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def parse(self, data: bytes, stop: Callable[[], bool] | None = None, *, alone: bool = False) -> Tree:
        """The tree of a UTF-8 text. `stop` is asked often, and its answer True raises Stopped.

        The parser holds the interpreter; coming back into Python now and then lets other threads have their turn.
        `alone`: there are none, so it need not.
        """

        def read(offset: int, _point: object) -> bytes:
            return data[offset : offset + _CHUNK]

        def progress(_offset: int, _error: bool) -> bool:  # noqa: FBT001 - the library's signature
            return stop is not None and stop()

        with self.lock:
            if alone:
                return self.parser.parse(data)
            try:
                return self.parser.parse(read, progress_callback=progress)
            except ValueError as error:
                self.parser.reset()
                raise Stopped from error


def language_name(path: PurePath | str) -> str:
    """The grammar's name for a file, or empty where there is none. Loads nothing."""
    name = str(path)
    if name.endswith(_NO_GRAMMAR):
        return ""
    if name.endswith((".h", ".H")):
        return "cpp"  # C's headers are C++ too, for all that is asked here
    fence = language_of(name).fence
    fence = _SAME.get(fence, fence)
    return fence if fence in _GRAMMARS else ""


@cache
def grammar(name: str) -> Grammar | None:
    """A grammar by its name, or None where its wheel is missing or too new or old for the bindings."""
    try:
        from tree_sitter import Language, Parser, Query  # noqa: PLC0415 - 3 ms, and only where a tree is wanted

        module, function = _GRAMMARS[name]
        pointer: object = getattr(import_module(module), function)()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Swift's wheel still hands out a number
            language = Language(pointer)
    except (ImportError, AttributeError, ValueError, TypeError, KeyError):
        return None
    definitions, references = DEFINITIONS.get(name), REFERENCES.get(name)
    return Grammar(
        name,
        language,
        Parser(language),
        Query(language, definitions) if definitions else None,
        Query(language, references) if references else None,
    )


def grammar_of(path: PurePath | str) -> Grammar | None:
    """The grammar for a file, or None where there is none."""
    name = language_name(path)
    return grammar(name) if name else None


def encoded(text: str) -> bytes:
    """The text as the parser gets it: rows end where lines end, also those that end with a lone carriage return."""
    if "\r" in text:
        text = _LONE_CR.sub("\n", text)
    return text.encode("utf-8", "surrogatepass")


def errors(node: Node) -> list[Node]:
    """Where a tree holds what the parser could not place, or lacks what it expected; in order of the text."""
    found: list[Node] = []
    stack = [node]
    while stack:
        here = stack.pop()
        if here.is_error or here.is_missing:
            found.append(here)
        if here.has_error:
            stack.extend(child for child in here.children if child.has_error or child.is_missing)
    return sorted(found, key=lambda one: one.start_byte)
