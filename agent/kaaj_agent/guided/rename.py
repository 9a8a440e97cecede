"""Renaming a function, class, method or constant across files: exact work, so the harness does it and no model."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent.guided.localise import named_files
from kaaj_agent.guided.merge import Refusal
from kaaj_agent.guided.sources import Sources
from kaaj_agent.guided.units import PYTHON, Span

_KIND: Final = (
    r"(?:(?:the|my|this)\s+)?(?:(?:function|method|class|variable|constant|attribute|field|parameter|type)\s+)?"
)
_NAME: Final = r"[`'\"]?(?:[\w$]+\.)*(?P<{}>[A-Za-z_$][\w$]*)(?:\(\))?[`'\"]?"
_ASKED: Final = re.compile(
    rf"\brename\s+{_KIND}{_NAME.format('old')}(?:\s+(?:function|method|class|variable|constant))?"
    rf"(?:\s+in\s+[`'\"]?[\w./-]+[`'\"]?)?\s+(?:to|into|as|->|→)\s+{_NAME.format('new')}(?![\w$])",
    re.IGNORECASE,
)
_MORE: Final = re.compile(
    r"\b(?:and|then|also|but|only|except)\b(?!\s+(?:its|all|the|every|update\s+)?\s*"
    r"(?:callers?|usages?|uses|tests?|references|imports|call sites|(?:all|the|its)\s))",
    re.IGNORECASE,
)
_STRINGS: Final = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Rename:
    """What a request plainly asks to be renamed, by bare names."""

    old: str
    new: str


def asked(request: str) -> Rename | None:
    """The renaming that is the whole of a request, or None where it asks for anything besides."""
    match = _ASKED.search(request)
    if match is None or match["old"] == match["new"]:
        return None
    around = request[: match.start()] + " " + request[match.end() :]
    if _MORE.search(around) or len(around.split()) > 14:
        return None
    return Rename(match["old"], match["new"])


def renamed(sources: Sources, rename: Rename, request: str) -> dict[Path, str] | Refusal:
    """The new texts of the files in which the name stands. Blocks; call it off the event loop.

    Refuses where the old name is not defined in the workspace, is defined as several different things, or the new
    one is taken in a file that would change.
    """
    kinds = _kinds(sources, rename.old)
    if not kinds:
        already = f", and `{rename.new}` is: it seems to be renamed already" if _kinds(sources, rename.new) else ""
        return Refusal(f"`{rename.old}` is not defined in this workspace{already}.")
    named = [path for path in named_files(sources, request) if any(path == place for place, _ in kinds)]
    if named:
        kinds = [kind for kind in kinds if kind[0] in named]
    member = {inside for _, inside in kinds}
    if len(member) > 1 or (len({path for path, _ in kinds}) > 1 and member == {False}):
        places = ", ".join(sorted({sources.name(path) for path, _ in kinds}))
        return Refusal(f"`{rename.old}` is defined several times ({places}); say which one is meant.")
    is_member = member == {True}
    home = kinds[0][0]
    changed: dict[Path, str] = {}
    for path in sources.mentioning([rename.old]):
        text = sources.texts[path]
        if not is_member and path != home and not _sees(text, home, rename.old):
            continue
        new = _in_python(text, rename, member=is_member) if path.suffix.lower() in PYTHON else _in_other(text, rename)
        if new != text:
            if re.search(rf"(?<![\w$.]){re.escape(rename.new)}(?![\w$])", _STRINGS.sub("", text)) and not is_member:
                return Refusal(f"`{rename.new}` is already used in {sources.name(path)}; nothing was renamed.")
            changed[path] = new
    return changed or Refusal(f"`{rename.old}` stands nowhere outside of comments and strings.")


def _kinds(sources: Sources, name: str) -> list[tuple[Path, bool]]:
    """Where a name is defined, each with whether it is a member of a class."""
    found: list[tuple[Path, bool]] = []
    for path, span in sources.definitions(name, tests=True):
        if not sources.is_test(path) or not span.bare.startswith("test"):
            found.append((path, _inside_class(sources.spans(path), span)))
    if not found:
        constant = re.compile(
            rf"^(?:export\s+)?(?:const\s+|let\s+|var\s+)?{re.escape(name)}\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE
        )
        found = [(path, False) for path in sources.mentioning([name]) if constant.search(sources.texts[path])]
    return list(dict.fromkeys(found))


def _inside_class(spans: Iterable[Span], span: Span) -> bool:
    outer = span.name.rpartition(".")[0]
    return bool(outer) and any(other.name == outer and other.kind == "class" for other in spans)


def _sees(text: str, home: Path, name: str) -> bool:
    """Whether a file imports from the home of a name, or the name itself."""
    stem = home.stem if home.stem not in ("__init__", "index", "mod") else home.parent.name
    imports = [line for line in text.split("\n") if re.match(r"\s*(?:from|import|use|require|const .*require)\b", line)]
    joined = "\n".join(imports)
    block = re.search(rf"import\s*\(?[^;]*?\b{re.escape(name)}\b", text)
    return bool(re.search(rf"\b{re.escape(stem)}\b", joined) or block or home.suffix.lower() == ".go")


def _in_python(text: str, rename: Rename, *, member: bool) -> str:
    """Name tokens, f-strings' inner names, and the name as a string of its own in `__all__`, `getattr` or a patch."""
    spots: list[tuple[int, int]] = []
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    before = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            at = starts[token.start[0] - 1] + token.start[1]
            if token.type == tokenize.NAME and token.string == rename.old:
                if _is_meant(before, lines[token.start[0] - 1], member=member):
                    spots.append((at, at + len(rename.old)))
            elif token.type == tokenize.STRING:
                spots += [(at + a, at + b) for a, b in _in_string(token.string, rename.old)]
            if token.type not in (tokenize.NL, tokenize.COMMENT):
                before = token.string
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return text
    for start, end in sorted(set(spots), reverse=True):
        text = text[:start] + rename.new + text[end:]
    return text


def _is_meant(before: str, line: str, *, member: bool) -> bool:
    """A member stands after a dot or its `def`; anything else anywhere but after `self.`, `cls.` and the like."""
    if before == "from" and line.lstrip().startswith("from "):
        return False  # a module, though it be called the same
    if member:
        return before in (".", "def", "class")
    return before != "." or not re.search(r"\b(?:self|cls)\.", line)


def _in_string(literal: str, name: str) -> list[tuple[int, int]]:
    """Where a string names it: it is just the name, ends a dotted path in it, or is an f-string that uses it."""
    escaped = re.escape(name)
    whole = re.fullmatch(rf"\w*(['\"]{{1,3}})(?:[\w.]+\.)?({escaped})\1", literal)
    if whole:
        return [whole.span(2)]
    prefix = re.match(r"\w*", literal)
    if prefix is None or "f" not in prefix[0].lower():
        return []
    return [
        (brace.start() + inner.start(), brace.start() + inner.end())
        for brace in re.finditer(r"\{[^{}]*\}", literal)
        for inner in re.finditer(rf"(?<![\w.'\"]){escaped}(?!\w)", brace[0])
    ]


def _in_other(text: str, rename: Rename) -> str:
    """Whole words outside of strings and comments; template literals' inner code is left alone."""
    word = re.compile(rf"(?<![\w$]){re.escape(rename.old)}(?![\w$])")
    out: list[str] = []
    at = 0
    for match in _STRINGS.finditer(text):
        out += (word.sub(rename.new, text[at : match.start()]), match[0])
        at = match.end()
    out.append(word.sub(rename.new, text[at:]))
    return "".join(out)
