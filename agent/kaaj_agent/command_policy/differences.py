"""Where the parser and the shells, or two shells, read the same text in different ways.

Commands are run by `/bin/sh`, which is bash on some systems and a plainer shell (dash) on others; the grammar is
bash's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kaaj_agent.command_policy.scripts import inner_scripts
from kaaj_agent.command_policy.words import Word, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

_SUBSCRIPT: Final = re.compile(r"\w\[[^\]]*?(?:\$\(|`)")
_BLANKS: Final = re.compile(rb"(?:[ \t]|\\\r?\n)*(?:- ?)?")
"""What may stand between two words. (A lone dash before a here-document is left out of the tree.)"""
_IN_ONE_LINE: Final = (
    "command", "declaration_command", "unset_command", "file_redirect", "herestring_redirect", "redirected_statement",
)  # fmt: skip
_ENDED: Final = ("variable_assignment", "file_redirect", "herestring_redirect", "heredoc_redirect")
"""What a blank has to follow, unless another of them does."""

_ESCAPED_LINE: Final = re.compile(r"(\n[ \t]*)\\(?=[^\n])")
"""A line that begins with an escaped letter: the parser takes it for a part of the line before."""


def plainer(text: str) -> Iterator[str]:
    """A script as shells read it that do not have `$'…'`, or take `&>` for the end of a command and `>`; and as all do
    where the parser does not.
    """
    if _ESCAPED_LINE.search(text):
        yield _ESCAPED_LINE.sub(r"\1", text)
    if "$'" in text and "\\'" in text:
        yield text.replace("$'", "'")
    if "&>" in text:
        yield text.replace("&>", "& >")


def otherwise(node: Node) -> str | None:
    """What a shell without `((` and `[[` would run there: a subshell, and a command that ends at `&&`, `||` or `>`."""
    opened = node.children[0].type if node.children else ""
    if node.type in ("compound_statement", "test_command") and opened in ("((", "[["):
        inner = text_of(node)[2:-2]
        return inner if opened == "((" else ": " + inner
    return None


def subscripts(text: str) -> list[str] | None:
    """The substitutions in a text such as `a[$(…)]`, which bash runs where it computes the index."""
    return inner_scripts(text) if _SUBSCRIPT.search(text) else []


def odd_blanks(node: Node) -> bool:
    """Whether the parser has taken something between two words for a blank that shells take for a letter or an end."""
    if node.type == "comment":
        before = node.prev_sibling
        return before is not None and before.is_named and before.end_byte == node.start_byte
    if node.type in ("variable_assignment", "concatenation"):
        return any(a.end_byte != b.start_byte for a, b in zip(node.children, node.children[1:], strict=False))
    if node.type not in _IN_ONE_LINE:
        return False
    source = node.text or b""
    gaps = zip(node.children, node.children[1:], strict=False)
    for before, after in gaps:
        gap = source[before.end_byte - node.start_byte : after.start_byte - node.start_byte]
        if not _BLANKS.fullmatch(gap) or (not gap and before.type in _ENDED and after.type not in _ENDED):
            return True
    return False


def behind(node: Node) -> list[Node]:
    """The command's words behind a redirection: the parser counts them as a part of it."""
    if node.type == "file_redirect":
        return [child for child in node.named_children if child.type != "file_descriptor"][1:]
    if node.type == "heredoc_redirect":
        inner = [word for child in node.named_children for word in behind(child)]
        return [*inner, *node.children_by_field_name("argument")]
    return []


def joined(node: Node, words: Sequence[Word]) -> list[Word]:
    """The words of a simple command; two without a blank between them are one, which is not known before it runs."""
    ends = [child for child in node.named_children if child.type not in _ENDED]
    if len(ends) != len(words):
        return list(words)
    found: list[Word] = []
    for at, word in enumerate(words):
        if at and ends[at - 1].end_byte == ends[at].start_byte:
            found[-1] = Word(found[-1].raw + word.raw, None)
        else:
            found.append(word)
    return found
