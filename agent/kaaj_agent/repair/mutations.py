"""Small changes that a slip of the hand explains, for places the model passes over. They know no language's grammar."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kaaj_agent.repair.scan import Place, Region

_FLOOR: Final = -6.0
"""What is estimated for a text that is not among the alternatives of its place, added to their lowest."""

_SWAPS: Final[dict[str, tuple[str, ...]]] = {
    "<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "==": ("!=",), "!=": ("==",),
    "===": ("!==",), "!==": ("===",), "+": ("-",), "-": ("+",), "*": ("/", "+"), "/": ("//", "*"), "//": ("/", "%"),
    "%": ("//",), "+=": ("-=", "="), "-=": ("+=", "="), "*=": ("+=",), "&&": ("||",), "||": ("&&",), "&": ("|",),
    "|": ("&",), "<<": (">>",), ">>": ("<<",), "and": ("or",), "or": ("and",), "True": ("False",),
    "False": ("True",), "true": ("false",), "false": ("true",), "min": ("max",), "max": ("min",), "any": ("all",),
    "all": ("any",), "break": ("continue",), "continue": ("break",), "not": ("",), "is": ("is not",),
    "in": ("not in",), "append": ("extend",), "extend": ("append",),
}  # fmt: skip
_WORD: Final = re.compile(
    r"(?P<string>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')|(?P<number>\b\d+\b)|(?P<name>[^\W\d]\w*)"
    r"|(?P<operator>===|!==|<=|>=|==|!=|\+=|-=|\*=|&&|\|\||//|<<|>>|->|=>|\*\*|[-+*/%<>&|])"
)
_PAIR: Final = re.compile(r"(?<=[(,\[])(\s*)([\w.]+)(\s*,\s*)([\w.]+)(?=\s*[,)\]])")
_BOUND: Final = re.compile(r"([\w)\]])(?=\s*[\]):,])")
_OFF: Final = re.compile(r"\s*[-+]\s*1\b")
_NAMES: Final = 8
_LINE_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Mutation:
    """The whole new text, and how likely the model finds its first differing place (or an estimate)."""

    text: str
    line: int
    logprob: float
    description: str


def mutations(region: Region) -> Iterator[Mutation]:
    """All simple changes of the region's lines, in no order. Needs the region to have been walked."""
    places: dict[int, list[Place]] = {}
    for place in region.places:
        places.setdefault(place.line, []).append(place)
    names = _names(region)
    source = region.source
    for number, on_line in places.items():
        old = source.lines[number - 1]
        if not old.strip() or len(old) > _LINE_LONGEST:
            continue
        for new in dict.fromkeys(_changed(old, names)):
            if new != old and new.strip():
                yield Mutation(
                    source.replaced(number, new),
                    number,
                    _likelihood(on_line, old, new),
                    f"{old.strip()} → {new.strip()}",
                )
        surprise = min(place.actual for place in on_line)
        yield Mutation(source.deleted(number), number, surprise + _FLOOR, f"delete {old.strip()}")


def _changed(line: str, names: list[str]) -> Iterator[str]:
    for match in _WORD.finditer(line):
        before, after, word = line[: match.start()], line[match.end() :], match[0]
        for other in _SWAPS.get(word, ()):
            yield before + other + (after if other else after.lstrip())
        if match["number"] and len(word) < 10:
            yield f"{before}{int(word) + 1}{after}"
            if int(word):
                yield f"{before}{int(word) - 1}{after}"
        elif match["name"] and word not in _SWAPS and word in names:
            for other in names:
                if other != word:
                    yield before + other + after
    for match in _PAIR.finditer(line):
        swapped = f"{match[1]}{match[4]}{match[3]}{match[2]}"
        yield line[: match.start()] + swapped + line[match.end() :]
    for match in _BOUND.finditer(line):
        for step in (" + 1", " - 1"):
            yield line[: match.end()] + step + line[match.end() :]
    for match in _OFF.finditer(line):
        yield line[: match.start()] + line[match.end() :]
    yield from _indented(line)


def _indented(line: str) -> Iterator[str]:
    unit = "\t" if line.startswith("\t") else "    "
    if line.startswith(unit):
        yield line[len(unit) :]
    yield unit + line


def _names(region: Region) -> list[str]:
    """The names that the region uses most, keywords weeded out by being rarely operands."""
    counted: Counter[str] = Counter()
    unit = region.unit
    for line in region.source.lines[unit.first - 1 : unit.last]:
        for match in _WORD.finditer(line):
            if match["name"] and match[0] not in _KEYWORDS and match[0] not in _SWAPS:
                counted[match[0]] += 1
    return [name for name, _ in counted.most_common(_NAMES)]


_KEYWORDS: Final = frozenset({
    "as", "assert", "async", "await", "break", "case", "catch", "class", "const", "continue", "def", "del",
    "do", "elif", "else", "enum", "except", "export", "extends", "finally", "fn", "for", "from", "func",
    "function", "global", "go", "if", "impl", "import", "in", "interface", "is", "lambda", "let", "match",
    "mut", "new", "nonlocal", "null", "None", "package", "pass", "pub", "raise", "return", "self", "static",
    "struct", "super", "switch", "this", "throw", "try", "type", "var", "void", "while", "with", "yield"
})  # fmt: skip


def _likelihood(places: list[Place], old: str, new: str) -> float:
    """The best log-probability among alternatives that go the new line's way where it departs from the old."""
    before, after = old.encode(), new.encode()
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    best: float | None = None
    for place in places:
        if place.column > same:
            break
        wanted = after[place.column :] + b"\n"
        for choice in place.alternatives:
            data = choice.text.encode()
            if data and choice.token != place.token and wanted.startswith(data) and place.column + len(data) > same:
                best = choice.logprob if best is None else max(best, choice.logprob)
    if best is not None:
        return best
    at = [place for place in places if place.column <= same]
    lowest = at[-1].alternatives[-1].logprob if at and at[-1].alternatives else 0.0
    return lowest + min(place.actual for place in places) * -0.1 + _FLOOR
