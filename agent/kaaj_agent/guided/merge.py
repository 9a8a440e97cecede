"""A rewrite of a function or file, as a model wrote it, merged into the text; or a sentence why it is refused."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from kaaj_agent.document import newline_of, split_lines
from kaaj_agent.guided.units import PYTHON, Span, outermost, parse, spans

_FENCE: Final = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a reply was not used: for the log and for the person, one sentence."""

    reason: str


def code_of(reply: str) -> str | None:
    """The longest fenced block of a reply; the whole of it where it has no fence and looks like code."""
    blocks = [match[1] for match in _FENCE.finditer(reply.replace("\r\n", "\n"))]
    if blocks:
        best = max(blocks, key=len)
        return best.rstrip() + "\n" if best.strip() else None
    return reply.rstrip() + "\n" if reply.strip() and parse(reply) is not None and "\n" in reply.strip() else None


def merge(path: Path, text: str, code: str, span: Span | None, *, may_lose: bool = False) -> str | Refusal:
    """`text` with the rewrite in it: of the region `span`, or of the whole file. Blocks.

    Refuses what does not parse, changes nothing, or loses top-level names (unless `may_lose`).
    """
    base = text.replace("\r\n", "\n").replace("\r", "\n")
    if path.suffix.lower() in PYTHON:
        merged = _python(base, code, span, may_lose=may_lose)
    else:
        merged = _other(path, base, code, span, may_lose=may_lose)
    if isinstance(merged, Refusal):
        return merged
    styled = _restyled(text, merged)
    return Refusal("The reply gave the code back unchanged.") if styled == text else styled


# --- Python -------------------------------------------------------------------------------------------------------


def _python(base: str, code: str, span: Span | None, *, may_lose: bool) -> str | Refusal:
    code = textwrap.dedent(code)
    new = parse(code)
    if new is None:
        return Refusal("The reply does not parse.")
    old = parse(base)
    if old is None or (span is not None and span.kind == "lines"):
        return _replaced(base, code, span) if span is not None else code
    lost = _names(old) - _names(new)
    if (span is None or span.kind == "file") and (not lost or may_lose):
        return code
    pieces = _Pieces(base, code, old, new)
    if span is not None and span.kind in ("function", "class"):
        return pieces.only(span)
    return pieces.all()


def _names(tree: ast.Module) -> set[str]:
    """What a module offers: its functions, classes and constants, and the methods of its classes."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, _Definition):
            found.add(node.name)
            if isinstance(node, ast.ClassDef):
                found.update(f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, _Definition))
        else:
            found.update(_assigned(node))
    return found


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _first(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, _Definition) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


@dataclass(slots=True)
class _Pieces:
    """Definitions of `code` put in the place of those of the same name in `base`; edits are made from the end on."""

    base: str
    code: str
    old: ast.Module
    new: ast.Module

    def only(self, span: Span) -> str | Refusal:
        """Only what `span` holds is replaced; new imports, constants and functions may come in."""
        wanted = self._wanted(span)
        if wanted is None:
            return Refusal(f"The reply has no `{span.bare}`.")
        target = _at(self.old, span.first, span.bare)
        if isinstance(target, ast.ClassDef) and isinstance(wanted, ast.ClassDef):
            gone = _methods(target) - _methods(wanted)
            if gone:
                return Refusal(f"The reply lost {', '.join(sorted(gone))}.")
        edits = [(span.first, span.last, self._lines(wanted, span.first))]
        known = _names(self.old)
        fresh = [
            node
            for node in self.new.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node is not wanted
            and node.name not in known
            and not _takes_self(node)
            and re.search(rf"\b{re.escape(node.name)}\b", _segment(self.code, wanted))
        ]
        top = next((node for node in self.old.body if _first(node) <= span.first <= _last(node)), None)
        before = _first(top) if top is not None else span.first
        for node in fresh:
            edits.append((before, before - 1, [*_segment(self.code, node).split("\n"), "", ""]))
        return self._done(edits)

    def all(self) -> str | Refusal:
        """Every definition of the reply: replaced where it was, put at the end where it is new."""
        edits: list[tuple[int, int, list[str]]] = []
        known = {node.name: node for node in self.old.body if isinstance(node, _Definition)}
        end = len(self.base.split("\n"))
        main = next((node for node in self.old.body if _is_main(node)), None)
        at = _first(main) if main is not None else end + 1 - (1 if self.base.endswith("\n") else 0)
        for node in self.new.body:
            if isinstance(node, _Definition):
                old = known.get(node.name)
                if old is None:
                    edits.append((at, at - 1, ["", "", *_segment(self.code, node).split("\n")]))
                elif isinstance(old, ast.ClassDef) and isinstance(node, ast.ClassDef):
                    edits += self._class(old, node)
                else:
                    edits.append((_first(old), _last(old), _segment(self.code, node).split("\n")))
        if not edits:
            return Refusal("The reply has no function or class to put into the file.")
        return self._done(edits)

    def _class(self, old: ast.ClassDef, new: ast.ClassDef) -> list[tuple[int, int, list[str]]]:
        if not _methods(old) - _methods(new):
            return [(_first(old), _last(old), _segment(self.code, new).split("\n"))]
        edits: list[tuple[int, int, list[str]]] = []
        held = {node.name: node for node in old.body if isinstance(node, _Definition)}
        for node in new.body:
            if isinstance(node, _Definition):
                there = held.get(node.name)
                place = (_first(there), _last(there)) if there else (_last(old) + 1, _last(old))
                lines = self._lines(node, _first(old.body[0]))
                edits.append((*place, lines if there else ["", *lines]))
        return edits

    def _wanted(self, span: Span) -> _Definition | None:
        parts = span.name.split(".")
        loose: _Definition | None = None
        for node in ast.walk(self.new):
            if isinstance(node, ast.ClassDef) and len(parts) > 1 and node.name == parts[-2]:
                for inner in node.body:
                    if isinstance(inner, _Definition) and inner.name == span.bare:
                        return inner
            if isinstance(node, _Definition) and node.name == span.bare and loose is None:
                loose = node
        return loose

    def _lines(self, node: ast.stmt, like: int) -> list[str]:
        """The node's source, indented as the line `like` of the base."""
        model = self.base.split("\n")[like - 1]
        indent = model[: len(model) - len(model.lstrip())]
        return textwrap.indent(textwrap.dedent(_segment(self.code, node)), indent).split("\n")

    def _done(self, edits: list[tuple[int, int, list[str]]]) -> str:
        edits += self._imports()
        lines = self.base.split("\n")
        for first, last, new in sorted(edits, key=lambda edit: (edit[0], edit[1]), reverse=True):
            lines[first - 1 : last] = new
        return "\n".join(lines)

    def _imports(self) -> list[tuple[int, int, list[str]]]:
        """Imports and constants of the reply that the file has not, after its last import."""
        bound = {name for node in self.old.body for name in _bound(node)} | _names(self.old)
        imports = [node for node in self.new.body if isinstance(node, ast.Import | ast.ImportFrom)]
        fresh = [ast.unparse(node) for node in imports if not set(_bound(node)) <= bound]
        constants = [
            _segment(self.code, node)
            for node in self.new.body
            if (names := _assigned(node)) and not set(names) & bound and all(name.isupper() for name in names)
        ]
        if not fresh and not constants:
            return []
        heads = [node for node in self.old.body if isinstance(node, ast.Import | ast.ImportFrom)]
        documented = self.old.body[:1] if ast.get_docstring(self.old) is not None else []
        after = _last(heads[-1]) if heads else _last(documented[0]) if documented else 0
        lines = fresh + (["", *"\n".join(constants).split("\n")] if constants else [])
        if not heads:
            lines = ["", *lines] if documented else [*lines, ""]
        return [(after + 1, after, lines)]


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    return []


def _methods(node: ast.ClassDef) -> set[str]:
    return {inner.name for inner in node.body if isinstance(inner, _Definition)}


def _takes_self(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return bool(node.args.args) and node.args.args[0].arg in ("self", "cls")


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.dump(node.test)


def _at(tree: ast.Module, first: int, name: str) -> _Definition | None:
    for node in ast.walk(tree):
        if isinstance(node, _Definition) and node.name == name and _first(node) == first:
            return node
    return None


def _segment(code: str, node: ast.stmt) -> str:
    return textwrap.dedent("\n".join(code.split("\n")[_first(node) - 1 : _last(node)]))


# --- other languages ----------------------------------------------------------------------------------------------


def _other(path: Path, base: str, code: str, span: Span | None, *, may_lose: bool) -> str | Refusal:
    mine = spans(path, code)
    if span is not None and span.kind == "new":
        return _added(path, base, code)
    if span is None or span.kind == "file":
        lost = {s.name for s in outermost(spans(path, base))} - {s.name for s in mine}
        if lost and not may_lose:
            return Refusal(f"The reply lost {', '.join(sorted(lost)[:5])}.")
        return code
    if span.kind == "lines":
        return _replaced(base, code, span)
    same = [s for s in mine if s.name == span.name and s.kind == span.kind] or [s for s in mine if s.bare == span.bare]
    if not same:
        return Refusal(f"The reply has no `{span.bare}`.") if mine else _replaced(base, code, span)
    chosen = "\n".join(code.split("\n")[same[0].first - 1 : same[0].last])
    return _replaced(base, chosen, span)


def _added(path: Path, base: str, code: str) -> str | Refusal:
    """The functions of a reply: in the place of their namesakes, or at the end."""
    old = {s.name: s for s in spans(path, base)}
    lines, fresh = base.rstrip("\n").split("\n"), code.split("\n")
    mine = outermost(spans(path, code))
    if not mine:
        return Refusal("The reply has no function or class to put into the file.")
    ends: list[str] = []
    for new in sorted(mine, key=lambda s: -old[s.name].first if s.name in old else 0):
        body = fresh[new.first - 1 : new.last]
        if new.name in old:
            lines[old[new.name].first - 1 : old[new.name].last] = body
        else:
            ends += ["", *body]
    return "\n".join([*lines, *ends]) + "\n"


def _replaced(base: str, code: str, span: Span) -> str:
    lines = base.split("\n")
    model = next((line for line in lines[span.first - 1 : span.last] if line.strip()), "")
    indent = model[: len(model) - len(model.lstrip())]
    body = textwrap.indent(textwrap.dedent(code).strip("\n"), indent)
    lines[span.first - 1 : span.last] = body.split("\n")
    return "\n".join(lines)


# --- bytes --------------------------------------------------------------------------------------------------------


def _restyled(text: str, merged: str) -> str:
    """Lines that say the same keep their bytes (trailing blanks, line ends); new ones get the file's line end."""
    old, new = split_lines(text), split_lines(merged)
    newline = newline_of(text)
    bare_old, bare_new = _bare(old), _bare(new)
    out: list[str] = []
    for tag, a, b, c, d in SequenceMatcher(None, bare_old, bare_new, autojunk=False).get_opcodes():
        if tag == "equal":
            out += old[a:b]
        else:
            out += [line.rstrip("\r\n") + newline for line in new[c:d]]
    if text and not text.endswith(("\n", "\r")) and out:
        out[-1] = out[-1].rstrip("\r\n")
    for index, line in enumerate(out[:-1]):
        if not line.endswith(("\n", "\r")):
            out[index] = line + newline
    while len(out) > 1 and not out[-1].strip() and (not old or old[-1].strip()):
        out.pop()
    return "".join(out)


def _bare(lines: Sequence[str]) -> list[str]:
    return [line.rstrip() for line in lines]
