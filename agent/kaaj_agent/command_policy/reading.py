"""Reading a command: every simple command, write and nested script of it, out of a syntax tree of the shell's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kaaj_agent.command_policy import differences, programs
from kaaj_agent.command_policy.calls import Calls
from kaaj_agent.command_policy.findings import NOTHING, Findings, Input
from kaaj_agent.command_policy.scripts import inner_scripts, learn, parsed
from kaaj_agent.command_policy.words import Word, literal, read_word, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

DEPTH_MAX: Final = 8
"""How deep scripts inside of scripts are followed."""

SCRIPTS_MAX: Final = 100
"""How many of them are read at all."""

_DEFAULT: Final = re.compile(r"\$\{\w+:?[-+=]")
"""A word that stands in for a variable: in arithmetic it is a number, elsewhere perhaps a program."""

UNREAD: Final = "It cannot be parsed as a shell command."

_WRITING: Final = frozenset((">", ">>", ">|", "&>", "&>>", ">&", "<>"))


@dataclass(slots=True)
class Reader(Calls):
    """Reads one script."""

    def script(self, text: str, given: Input = NOTHING) -> None:
        """Read a whole script, which reads `given`."""
        self.found.scripts += 1
        if self.depth > DEPTH_MAX or self.found.scripts > SCRIPTS_MAX:
            self.found.doubt("It holds too many scripts inside of scripts to be read.")
            return
        root = parsed(text)
        if root is None:
            self.found.doubt(UNREAD)
        for other in differences.plainer(text):
            self._probe(other, doubts=True)
        if root is not None:
            learn(root, self.variables)
            for values in tuple(self.variables.known.values()):
                for value in values or ():
                    self._substitutions(differences.subscripts(value))
            self._visit(root, Input(given.texts, given.fed))

    def nested(self, text: str, *, same_shell: bool = False, given: Input = NOTHING) -> None:
        variables = self.variables if same_shell else self.variables.child()
        reader = Reader(self.found, self.places, variables, self.base, self.depth + 1)
        reader.script(text, given)
        if same_shell:
            self.base = reader.base

    # --- the tree --------------------------------------------------------------------------------------------------

    def _visit(self, node: Node, given: Input) -> None:
        if differences.odd_blanks(node):
            self.found.doubt("It holds blanks or line ends that shells read in another way.")
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
                self._assignment(node)
            case "function_definition":
                self._children(node, Input(fed=True))  # whoever calls it may feed it
            case "word" if "`" in text_of(node):
                # The parser does not look into the backquotes of `${…}`.
                self._substitutions(inner_scripts(text_of(node)))
                self._children(node, Input())
            case "raw_string":
                if node.parent is not None and node.parent.type != "command":
                    self._substitutions(differences.subscripts(text_of(node)))
            case _:
                if (text := differences.otherwise(node)) is not None:
                    self._probe(text, doubts=bool(_DEFAULT.search(text)))
                self._children(node, given)

    def _assignment(self, node: Node) -> None:
        name = text_of(node.named_children[0])
        self.assigned(name)
        if name in programs.PROMPTS and (value := node.child_by_field_name("value")) is not None:
            for text in read_word(value, self.variables).texts():
                self._substitutions([text] if name == "PROMPT_COMMAND" else inner_scripts(text))
        self._children(node, Input())

    def _substitutions(self, scripts: list[str] | None) -> None:
        if scripts is None:
            self.found.doubt("It holds substitutions that cannot be told apart.")
        for script in scripts or ():
            self.nested(script)

    def _probe(self, text: str, *, doubts: bool = False) -> None:
        """What another shell would read there. That it cannot be parsed so is of no interest."""
        found = Findings(scripts=self.found.scripts)
        Reader(found, self.places, self.variables.child(), self.base, self.depth + 1).script(text)
        self.found.scripts = found.scripts
        for sentence in found.refusals:
            self.found.refuse(sentence)
        for sentence in found.doubts:
            if doubts and sentence != UNREAD:
                self.found.doubt(sentence)

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
        more = list(given.more)
        for child in node.named_children:
            more += [read_word(part, self.variables) for part in differences.behind(child)]
            if child.type == "heredoc_redirect":
                texts.append(self._document(child))
            elif child.type == "file_redirect" and _operator(child) == "<":
                fed = fed or any(part.type == "process_substitution" for part in child.named_children)
        for child in node.named_children:
            if child.type != "heredoc_redirect":
                self._visit(child, Input(tuple(texts), fed, tuple(more)))
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
        for target in targets[:1]:
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
                    self._assignment(child)
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
        words = [*differences.joined(node, words), *given.more]
        if words and words[0].known and words[0].raw.rpartition("/")[2] in programs.SUBSCRIPTS:
            for word in words[1:]:
                for text in word.texts():
                    self._substitutions(differences.subscripts(text))
        if words:
            self.call(words, Input(tuple(texts), fed))


def _operator(node: Node) -> str:
    return next((child.type for child in node.children if not child.is_named), "")
