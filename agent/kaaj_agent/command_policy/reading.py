"""Reading a command: every simple command, write and nested script of it, out of a syntax tree of the shell's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kaaj_agent.command_policy.calls import Calls, Input
from kaaj_agent.command_policy.scripts import inner_scripts, learn, parsed
from kaaj_agent.command_policy.words import Word, literal, read_word, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

DEPTH_MAX: Final = 8
"""How deep scripts inside of scripts are followed."""

SCRIPTS_MAX: Final = 100
"""How many of them are read at all."""

_WRITING: Final = frozenset((">", ">>", ">|", "&>", "&>>", ">&", "<>"))


@dataclass(slots=True)
class Reader(Calls):
    """Reads one script."""

    def script(self, text: str) -> None:
        """Read a whole script."""
        self.found.scripts += 1
        if self.depth > DEPTH_MAX or self.found.scripts > SCRIPTS_MAX:
            self.found.doubt("It holds too many scripts inside of scripts to be read.")
            return
        root = parsed(text)
        if root is None:
            self.found.doubt("It cannot be parsed as a shell command.")
        if root is not None:
            learn(root, self.variables)
            self._visit(root, Input())

    def nested(self, text: str, *, same_shell: bool = False) -> None:
        variables = self.variables if same_shell else self.variables.child()
        reader = Reader(self.found, self.places, variables, self.base, self.depth + 1)
        reader.script(text)
        if same_shell:
            self.base = reader.base

    # --- the tree --------------------------------------------------------------------------------------------------

    def _visit(self, node: Node, given: Input) -> None:
        match node.type:
            case "command":
                self._simple(node, given)
            case "pipeline":
                for at, child in enumerate(node.named_children):
                    self._apart(child, Input(given.texts, given.fed or at > 0))
            case "subshell" | "command_substitution" | "process_substitution":
                self._apart_children(node, given)
            case "redirected_statement":
                self._redirected(node, given)
            case "file_redirect":
                self._redirect(node)
                self._children(node, Input())
            case "heredoc_body":
                return  # read where it is known whether its delimiter was quoted
            case "variable_assignment":
                self._children(node, Input())
            case _:
                self._children(node, given)

    def _children(self, node: Node, given: Input) -> None:
        for child in node.named_children:
            self._visit(child, given)

    def _apart(self, node: Node, given: Input) -> None:
        """A part that runs in a shell of its own: its `cd` holds only there."""
        base = self.base
        self._visit(node, given)
        self.base = base

    def _apart_children(self, node: Node, given: Input) -> None:
        base = self.base
        self._children(node, given)
        self.base = base

    def _redirected(self, node: Node, given: Input) -> None:
        texts = list(given.texts)
        fed = given.fed
        for child in node.named_children:
            if child.type == "heredoc_redirect":
                texts.append(self._document(child))
            elif child.type == "file_redirect" and _operator(child) == "<":
                fed = fed or any(part.type == "process_substitution" for part in child.named_children)
        for child in node.named_children:
            if child.type != "heredoc_redirect":
                self._visit(child, Input(tuple(texts), fed))
                continue
            for part in child.named_children:
                # What follows `<<EOF` on its line stands below it in the tree. A pipe from it feeds what is there.
                piped = any(sibling.type == "|" for sibling in child.children) or part.type == "pipeline"
                if part.type == "file_redirect":
                    self._visit(part, Input())
                elif part.type not in ("heredoc_start", "heredoc_end", "heredoc_body"):
                    self._visit(part, Input(fed=piped))

    def _document(self, node: Node) -> Word:
        """A here-document's text; substitutions in it are read, unless its delimiter is quoted."""
        start = next((text_of(part) for part in node.named_children if part.type == "heredoc_start"), "")
        body = next((text_of(part) for part in node.named_children if part.type == "heredoc_body"), "")
        if any(sign in start for sign in "'\"\\"):
            return literal(body)
        scripts = inner_scripts(body)
        if scripts is None:
            self.found.doubt("A here-document holds substitutions that cannot be told apart.")
        for script in scripts or ():
            self.nested(script)
        expands = scripts is None or scripts or re.search(r"(?<!\\)\$[\w{(]", body)
        return Word("a here-document", None if expands else frozenset((body,)))

    def _redirect(self, node: Node) -> None:
        operator = _operator(node)
        if operator not in _WRITING:
            return
        targets = [child for child in node.named_children if child.type != "file_descriptor"]
        for target in targets:
            word = read_word(target, self.variables)
            if operator == ">&" and target.type == "number":
                continue
            self.writes(word)

    # --- simple commands -------------------------------------------------------------------------------------------

    def _simple(self, node: Node, given: Input) -> None:
        words: list[Word] = []
        texts = list(given.texts)
        fed = given.fed
        for child in node.children:
            match child.type:
                case "variable_assignment":
                    self.assigned(text_of(child.named_children[0]))
                    self._children(child, Input())
                case "file_redirect":
                    self._visit(child, Input())
                    fed = fed or any(part.type == "process_substitution" for part in child.named_children)
                case "herestring_redirect":
                    texts += [read_word(part, self.variables) for part in child.named_children]
                    self._children(child, Input())
                case "heredoc_redirect":
                    texts.append(self._document(child))
                case _ if child.is_named:
                    words.append(read_word(child, self.variables))
                    self._children(child, Input())
                case _:
                    continue
        if words:
            self.call(words, Input(tuple(texts), fed))


def _operator(node: Node) -> str:
    return next((child.type for child in node.children if not child.is_named), "")
