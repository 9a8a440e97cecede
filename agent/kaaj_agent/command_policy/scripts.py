"""Shell scripts as trees, the scripts inside of texts, and what a script's variables can hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kaaj_agent.command_policy.programs import SETTERS
from kaaj_agent.command_policy.words import Variables, fields, read_word, text_of
from kaaj_agent.trees.grammars import errors, grammar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

TEXT_MAX: Final = 50_000
"""Characters of a command above which it is not read."""

_ROUNDS: Final = 3
_NAME: Final = re.compile(r"[A-Za-z_]\w*\Z")
_READS: Final = frozenset(("simple_expansion", "subscript", "declaration_command", "unset_command"))


def parsed(text: str) -> Node | None:
    """The tree of a script, or None where there is none without faults in it."""
    bash = grammar("bash")
    if bash is None or len(text) > TEXT_MAX or "\0" in text:
        return None
    root = bash.parse(text.encode("utf-8", "surrogatepass")).root_node
    return None if errors(root) else root


def inner_scripts(text: str) -> list[str] | None:
    """The scripts in the `$(…)` and backquotes of a text in which no other quotes count; None where one is open."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == "`":
            end = at + 1
            while end < len(text) and text[end] != "`":
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                return None
            found.append(re.sub(r"\\([$`\\])", r"\1", text[at + 1 : end]))
            at = end + 1
        elif text.startswith("$(", at):
            close = _closing(text, at + 2)
            if close is None:
                return None
            found.append(text[at + 2 : close])
            at = close + 1
        else:
            at += 1
    return found


def _closing(text: str, at: int) -> int | None:
    """Where the bracket closes that was opened before `at`."""
    depth = 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "'":
            end = text.find("'", at + 1)
            if end < 0:
                return None
            at = end
        elif text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return None


def learn(root: Node, variables: Variables) -> None:
    """Add what each variable of a script can hold, in whatever order its parts run."""
    nodes = list(_all(root))
    for round_ in range(_ROUNDS):
        before = dict(variables.known)
        for node in nodes:
            _learn_one(node, variables)
        if variables.known == before:
            return
        if round_ == _ROUNDS - 1:
            for name, values in variables.known.items():
                if before.get(name) != values:
                    variables.known[name] = None


def _learn_one(node: Node, variables: Variables) -> None:
    match node.type:
        case "variable_assignment":
            target = node.named_children[0] if node.named_children else None
            name = text_of(target).partition("[")[0] if target is not None else ""
            value = node.child_by_field_name("value")
            plain = target is not None and target.type == "variable_name" and node.children[1].type == "="
            if not plain or (value is not None and value.type == "array"):
                variables.add(name, None)
            else:
                word = read_word(value, variables) if value is not None else None
                variables.add(name, word.values if word is not None else frozenset(("",)))
        case "for_statement":
            parts = node.named_children
            name = text_of(parts[0]) if parts else ""
            words = [
                read_word(part, variables) for part in parts[1:] if part.type not in ("do_group", "compound_statement")
            ]
            if node.children[0].type == "select" or not words:
                variables.add(name, None)
            for word in words:
                texts = word.values if word.known else None
                split = (
                    texts if texts is None or word.whole else frozenset(part for one in texts for part in fields(one))
                )
                variables.add(name, split)
        case "variable_name":
            parent = node.parent
            assigned = parent is not None and parent.type in ("variable_assignment", "for_statement")
            plain = parent is not None and parent.type == "expansion" and not _assigns(parent)
            if not assigned and not plain and (parent is None or parent.type not in _READS):
                variables.add(text_of(node), None)
        case "command":
            _learn_from_command(node, variables)
        case "declaration_command":
            options = [text_of(child) for child in node.named_children if child.type == "word"]
            if any(option.startswith("-") and "n" in option for option in options):
                variables.opaque = True  # one name for another variable
        case _:
            return


def _assigns(expansion: Node) -> bool:
    return any(child.type in ("=", ":=") for child in expansion.children)


def _learn_from_command(node: Node, variables: Variables) -> None:
    words = [child for child in node.named_children if child.type not in ("variable_assignment", "file_redirect")]
    name = text_of(words[0]) if words else ""
    if name in ("eval", "source", "."):
        variables.opaque = True  # a text that is not seen here may set any of them
    if name in SETTERS or name in ("builtin", "command"):
        for word in words[1:]:
            for part in re.split(r"[^\w]+", text_of(word)):
                if _NAME.match(part):
                    variables.add(part, None)


def _all(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:
        here = stack.pop()
        yield here
        stack.extend(reversed(here.children))
