"""The words of a command: what each can be once the shell has taken quotes, escapes and known variables away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from tree_sitter import Node

ALTERNATIVES: Final = 16
"""How many values of one word are followed; a word that can be more is not known."""

_EXPANSIONS: Final = frozenset(
    ("simple_expansion", "expansion", "command_substitution", "process_substitution", "arithmetic_expansion")
)
_PATTERN: Final = re.compile(r"(?<!\\)[*?\[]|(?<!\\)\{[^}]*(?:,|\.\.)")
_ESCAPED: Final = re.compile(r"\\(\n|.)", re.DOTALL)
_ESCAPED_IN_STRING: Final = re.compile(r'\\([$`"\\\n])')
_ANSI_C: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)|(.))", re.DOTALL
)
_ANSI_C_LETTERS: Final = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip

Values: TypeAlias = frozenset[str] | None
"""What something can be; None where that is not known before it runs."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `raw` is how it is written. `pattern`: the shell may make other words of it. `whole`: it stays one."""

    raw: str
    values: Values
    pattern: bool = False
    whole: bool = True

    @property
    def known(self) -> bool:
        return self.values is not None and not self.pattern

    def texts(self) -> Iterator[str]:
        """Each text that it can be, none where that is not known."""
        yield from sorted(self.values or ())


def fields(text: str) -> list[str]:
    """The words that a shell makes of a text, without an IFS of its own: other blanks are letters to it."""
    return [part for part in re.split(r"[ \t\n]+", text) if part]


def literal(text: str) -> Word:
    """A word that is just this text."""
    return Word(text, frozenset((text,)))


@dataclass(slots=True)
class Variables:
    """What each variable can hold, wherever in the command it is set. `opaque`: something may have set any of them."""

    known: dict[str, Values] = field(default_factory=dict[str, Values])
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    opaque: bool = False

    def get(self, name: str) -> Values:
        if self.opaque:
            return None
        if name in self.known:
            return self.known[name]
        value = self.environment.get(name)
        return None if value is None else frozenset((value,))

    def add(self, name: str, values: Values) -> None:
        """One more thing that it can hold."""
        before = self.known.get(name, frozenset())
        if values is None or before is None or len(before | values) > ALTERNATIVES:
            self.known[name] = None
        else:
            self.known[name] = before | values

    def child(self) -> Variables:
        """What a shell that is started by this one may know."""
        return Variables(dict(self.known), self.environment, self.opaque)


def text_of(node: Node) -> str:
    """The source of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def read_word(node: Node, variables: Variables) -> Word:
    """The word that a node stands for."""
    raw = text_of(node)
    values = _values(node, variables)
    bare = list(_bare(node))
    pattern = any(_PATTERN.search(text) for text in bare) or (len(bare) > 1 and bool(_PATTERN.search("".join(bare))))
    whole = node.type in ("string", "raw_string", "ansi_c_string", "translated_string", "word", "number")
    if values is not None and raw.startswith("~") and (home := variables.environment.get("HOME")):
        values = frozenset(_tilde(value, home) for value in values)
    return Word(raw, values, pattern, whole)


def _tilde(text: str, home: str) -> str:
    if text == "~" or text.startswith("~/"):
        return home + text[1:]
    return f"/home/{text[1:]}" if text.startswith("~") and text[1:2].isalpha() else text


def _bare(node: Node) -> Iterator[str]:
    """The unquoted texts in a word."""
    if node.type == "word":
        yield text_of(node)
    elif node.type in ("concatenation", "command_name"):
        for child in node.children:
            yield from _bare(child)


def _values(node: Node, variables: Variables) -> Values:
    match node.type:
        case "word" | "number" | "variable_name" | "heredoc_body" | "regex" | "extglob_pattern":
            if any(child.type in _EXPANSIONS for child in node.children):
                return _with_holes(node, variables, 0, 0)
            return frozenset((_ESCAPED.sub(lambda found: found[1].strip("\n"), text_of(node)),))
        case "raw_string":
            return frozenset((text_of(node)[1:-1],))
        case "ansi_c_string":
            return frozenset((ansi_c(text_of(node)[2:-1]),))
        case "string":
            return _with_holes(node, variables, 1, 1)
        case "translated_string":
            return _joined((_values(child, variables) for child in node.named_children), True)
        case "concatenation" | "command_name":
            contiguous = all(a.end_byte == b.start_byte for a, b in zip(node.children, node.children[1:], strict=False))
            return _joined((_values(child, variables) for child in node.children), contiguous)
        case "simple_expansion":
            name = node.named_children[0] if node.named_children else None
            return variables.get(text_of(name)) if name is not None and name.type == "variable_name" else None
        case "expansion":
            inner = [child for child in node.children if child.type not in ("${", "}")]
            plain = len(inner) == 1 and inner[0].type == "variable_name"
            return variables.get(text_of(inner[0])) if plain else None
        case "{" | "}" | "," | "..":
            return frozenset((text_of(node),))
        case _:
            return None


def _with_holes(node: Node, variables: Variables, before: int, after: int) -> Values:
    """A quoted text with expansions in it; the bytes between those are taken from the source itself."""
    source = node.text or b""
    parts: list[Values] = []
    at, end = node.start_byte + before, node.end_byte - after
    for child in node.children:
        if child.type in _EXPANSIONS:
            # The parser counts blanks before an expansion as a part of it; they are text.
            blanks = len(child.text or b"") - len((child.text or b"").lstrip())
            parts += [_unescaped(source[at - node.start_byte : child.start_byte + blanks - node.start_byte])]
            parts += [_values(child, variables)]
            at = child.end_byte
    parts += [_unescaped(source[at - node.start_byte : end - node.start_byte])]
    return _joined(parts, True)


def _unescaped(source: bytes) -> Values:
    text = source.decode("utf-8", "replace")
    return frozenset((_ESCAPED_IN_STRING.sub(lambda found: found[1].strip("\n"), text),))


def _joined(parts: Iterable[Values], contiguous: bool) -> Values:  # noqa: FBT001 - said where it is called
    known: list[list[str]] = []
    count = 1
    for part in parts:
        if part is None or not contiguous:
            return None
        known.append(sorted(part))
        count *= len(part)
        if count > ALTERNATIVES:
            return None
    return frozenset("".join(pieces) for pieces in product(*known))


def ansi_c(text: str) -> str:
    """The inside of `$'…'` as bash reads it (its manual, ANSI-C Quoting)."""

    def one(found: re.Match[str]) -> str:
        short, four, eight, octal, control, other = found.groups()
        code = short or four or eight
        if code is not None:
            number = int(code, 16)
            return chr(number) if number <= 0x10FFFF else "\ufffd"
        if octal is not None:
            return chr(int(octal, 8) & 0xFF)
        if control is not None:
            return chr(ord(control) & 0x1F)
        return _ANSI_C_LETTERS.get(other, other if other in "\\'\"?" else "\\" + other)

    # A NUL ends the text, as it does in the shell.
    return _ANSI_C.sub(one, text).partition("\0")[0]
