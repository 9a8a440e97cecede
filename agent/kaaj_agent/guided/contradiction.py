"""Tests that want different things of the same call: no code can make both pass, so it is told and not tried long."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent.guided.evidence import Case, bare_name
from kaaj_agent.guided.sources import Sources
from kaaj_agent.guided.units import PYTHON, parse


@dataclass(frozen=True, slots=True)
class Claim:
    """What a test (its bare name or title) says of a call with nothing but literals in it, all as source text."""

    test: str
    call: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two tests that want different things of one call."""

    one: Claim
    other: Claim

    def __str__(self) -> str:
        one, other = self.one, self.other
        return f"`{one.test}` wants `{one.call}` to be {one.wanted}, and `{other.test}` {other.wanted}"


def contradictions(sources: Sources, failing: Collection[str]) -> list[Contradiction]:
    """The claims of tests called as in `failing` that other tests contradict. Blocks."""
    claims: dict[str, list[Claim]] = {}
    for path, text in sources.texts.items():
        if sources.is_test(path) and len(text) <= _TEXT_MAX:
            for claim in claims_of(path, text):
                claims.setdefault(claim.call, []).append(claim)
    found: dict[tuple[str, str], Contradiction] = {}
    for same in claims.values():
        for one in same:
            for other in same:
                if one.test in failing and other.test != one.test and other.wanted != one.wanted:
                    found.setdefault((min(one.test, other.test), max(one.test, other.test)), Contradiction(one, other))
    return list(found.values())


_TEXT_MAX: Final = 200_000


def told(against: Sequence[Contradiction], group: Sequence[Case], opposing: Collection[str], seen: int) -> list[str]:
    """What stands against any repair of the cases in `group`, said as surely as it is known; a sentence or none.

    `opposing` are the ids of tests that fail with each of the `seen` changes that make the group pass.
    """
    wanted = _quoted(case.name or case.id for case in group)
    names = {bare_name(name) for name in opposing}
    if against:
        both = names.intersection(one.other.test for one in against)
        said = "; ".join(str(one) for one in against[:2])
        if both:
            return [f"These two tests contradict each other: {said}. {_each(seen, wanted, both)}."]
        return [f"These two tests seem to contradict each other: {said}."]
    return [f"{_each(seen, wanted, names)}: perhaps they contradict each other."] if names else []


def _each(seen: int, wanted: str, names: Collection[str]) -> str:
    return f"Each of the {seen} changes that made {wanted} pass made {_quoted(sorted(names))} fail"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in list(names)[:3])


def claims_of(path: Path, text: str) -> list[Claim]:
    """What the tests of a file say of calls, as far as it is said plainly."""
    if path.suffix.lower() in PYTHON:
        tree = parse(text)
        return [] if tree is None else [claim for test in _tests(tree) for claim in _python(test)]
    if path.suffix.lower() in _SCRIPTS:
        return list(_script(text))
    return []


# --- Python -------------------------------------------------------------------------------------------------------

_EQUAL: Final = frozenset({"assertEqual", "assertEquals", "assertIs", "assertListEqual", "assertDictEqual"})
_TRUTH: Final = {"assertTrue": "True", "assertFalse": "False", "assertIsNone": "None"}


def _tests(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield node


def _python(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Claim]:
    own = {argument.arg for argument in test.args.args}
    own |= {node.id for node in ast.walk(test) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    if test.decorator_list:  # what is patched or passed in may make the same call another one
        return
    for node in ast.walk(test):
        for call, wanted in _said(node):
            if isinstance(call, ast.Call) and wanted and _is_plain(call, own):
                yield Claim(test.name, ast.unparse(call), wanted)


def _said(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    match node:
        case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right])):
            yield left, _literal(right)
            yield right, _literal(left)
        case ast.Call(func=ast.Attribute(attr=name), args=[left, right, *_]) if name in _EQUAL:
            yield left, _literal(right)
            yield right, _literal(left)
        case ast.Call(func=ast.Attribute(attr=name), args=[left, *_]) if name in _TRUTH:
            yield left, _TRUTH[name]
        case ast.With(items=[ast.withitem(context_expr=ast.Call(func=func, args=[error, *_]))], body=[ast.Expr(value)]):
            if isinstance(func, ast.Attribute) and func.attr in ("assertRaises", "assertRaisesRegex", "raises"):
                yield value, f"refused with {ast.unparse(error)}"
        case _:
            pass


def _literal(node: ast.expr) -> str:
    try:
        return repr(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ""


def _is_plain(call: ast.Call, own: set[str]) -> bool:
    """A call of something that belongs to no test, with literals."""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    root: ast.expr = call.func
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and root.id not in own and all(_literal(argument) for argument in arguments)


# --- JavaScript and TypeScript --------------------------------------------------------------------------------------

_SCRIPTS: Final = frozenset({".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"})
_STRING: Final = r"\"[^\"\n\\]*\"|'[^'\n\\]*'"
_PLAIN: Final = rf"(?:{_STRING}|-?[\d.]+|true|false|null)"


def _call(group: str) -> str:
    return rf"(?P<{group}>[A-Za-z_$][\w$]*\(\s*(?:{_PLAIN}(?:\s*,\s*{_PLAIN})*)?\s*\))"


def _wanted(group: str) -> str:
    return rf"(?P<{group}>{_PLAIN}|\{{[^{{}}()]*\}}|\[[^\[\]()]*\])"


_SAID: Final = re.compile(
    rf"\b(?:test|it)(?:\.\w+)?\(\s*(?P<title>{_STRING})"
    rf"|\.(?:e|strictE|deepE|deepStrictE)qual\(\s*{_call('c1')}\s*,\s*{_wanted('w1')}\s*[,)]"
    rf"|\bexpect\(\s*{_call('c2')}\s*\)\.to(?:Be|Equal|StrictEqual)\(\s*{_wanted('w2')}\s*\)"
    rf"|\bthrows\(\s*\(\)\s*=>\s*{_call('c3')}"
    rf"|\bexpect\(\s*\(\)\s*=>\s*{_call('c4')}\s*\)\.toThrow"
)


def _script(text: str) -> Iterator[Claim]:
    title = ""
    for match in _SAID.finditer(text):
        if match["title"]:
            title = match["title"][1:-1]
        elif title:
            call = match["c1"] or match["c2"] or match["c3"] or match["c4"]
            wanted = match["w1"] or match["w2"] or "refused"
            yield Claim(title, re.sub(r"\s+", " ", call), re.sub(r"\s+", " ", wanted))
