"""Where functions begin and end by the look of the code, for languages that no grammar is at hand for."""

from __future__ import annotations

import re
from typing import Final

from kaaj_agent.document import Lines
from kaaj_agent.guided.span import Span

_HEADER: Final = re.compile(
    r"[ \t]*(?:(?:export|default|public|private|protected|internal|static|final|abstract|override|virtual|async|pub"
    r"(?:\([^)]*\))?|unsafe|extern|inline|const|suspend|open)[ \t]+)*"
    r"(?:(?P<type>class|interface|struct|impl|trait|enum|object)[ \t]+(?:<[^>]*>[ \t]*)?(?P<tname>[\w$]+)"
    r"|(?:function\*?|func|fn|fun)[ \t]+(?:\([^)]*\)[ \t]*)?(?P<fname>[\w$]+)[^(]*(?=\()"
    r"|(?:const|let|var)[ \t]+(?P<vname>[\w$]+)[ \t]*(?::[^=]+)?=[ \t]*(?:async[ \t]*)?"
    r"(?:function\b[^(]*(?=\()|(?=\()|[\w$]+[ \t]*=>)"
    r"|(?P<before>[^(){}=;]*?)(?P<mname>~?[\w$]+)[ \t]*(?=\())"
)
_HEADER_LONGEST: Final = 300
_PARAMETERS_LONGEST: Final = 2_000
_MODIFIERS: Final = re.compile(r"[\w$<>\[\],.*&:?@ \t]*")
_BODY: Final = re.compile(r"[^;{}()=]*(?:=>\s*)?\{")
_KEYWORDS: Final = frozenset({
    "if", "for", "while", "switch", "catch", "return", "else", "do", "try", "match", "loop", "synchronized", "using",
    "lock",
})  # fmt: skip
_SKIPPED: Final = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`", re.DOTALL
)


def braced(text: str) -> list[Span]:
    """Headers by their look, ends by counting braces outside of strings and comments."""
    plain = _SKIPPED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    found: list[tuple[int, int, str, str]] = []
    offset = 0
    for line in plain.split("\n"):
        start, offset = offset, offset + len(line) + 1
        match = _HEADER.match(line) if len(line) <= _HEADER_LONGEST else None
        if match is None:
            continue
        name = match["tname"] or match["fname"] or match["vname"] or match["mname"]
        if name in _KEYWORDS or (match["mname"] and not _MODIFIERS.fullmatch(match["before"])):
            continue
        at = start + match.end()
        if plain[at : at + 1] == "(":
            at = _closing(plain, at, "()", _PARAMETERS_LONGEST) + 1
        body = _BODY.match(plain, at, at + _PARAMETERS_LONGEST)
        if body is None:
            continue
        end = _closing(plain, body.end() - 1, "{}", len(plain))
        found.append((start + len(line) - len(line.lstrip()), end, name, "class" if match["type"] else "function"))
    spans_: list[Span] = []
    outer: list[tuple[int, str]] = []
    starts = Lines.of(text)
    for start, end, name, kind in found:
        while outer and outer[-1][0] < end:
            outer.pop()
        prefix = "".join(f"{inside}." for _, inside in outer)
        spans_.append(Span(prefix + name, starts.line_at(start) + 1, starts.line_at(end) + 1, kind))
        outer.append((end, name))
    return spans_


def _closing(text: str, at: int, pair: str, limit: int) -> int:
    """Where the bracket at `at` is closed; the end of the part that is looked at where it is not."""
    depth = 0
    stop = min(len(text), at + limit)
    for match in re.compile(rf"[{re.escape(pair)}]").finditer(text, at, stop):
        depth += 1 if match[0] == pair[0] else -1
        if depth == 0:
            return match.start()
    return max(at, stop - 1)


_DEF: Final = re.compile(r"^([ \t]*)(?:async\s+)?(def|class|function|local function|module|defp)\s+([\w.?!]+)")


def indented(text: str) -> list[Span]:
    """Regions that end before the next line that is indented no deeper than their header (and is no `end`)."""
    lines = text.split("\n")
    found: list[Span] = []
    for index, line in enumerate(lines):
        match = _DEF.match(line)
        if match is None:
            continue
        width = len(match[1].expandtabs())
        last = index
        for below in range(index + 1, len(lines)):
            body = lines[below]
            if body.strip() and len(body) - len(body.lstrip()) <= width:
                if body.strip() in ("end", "}"):
                    last = below
                break
            if body.strip():
                last = below
        kind = "class" if match[2] in ("class", "module") else "function"
        outer = [span for span in found if span.holds(index + 1)]
        prefix = f"{outer[-1].name}." if outer else ""
        found.append(Span(prefix + match[3], index + 1, last + 1, kind))
    return found
