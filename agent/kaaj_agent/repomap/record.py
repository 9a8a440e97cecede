"""What the map keeps of a file: its definitions with their signatures, and how strongly it refers to which name."""

from __future__ import annotations

import hashlib
import json
import zlib
from math import sqrt
from pathlib import Path, PurePath
from typing import Final, NamedTuple, cast

from kaaj_agent.document import decode
from kaaj_agent.failures import NotTextError
from kaaj_agent.trees import queries
from kaaj_agent.trees.grammars import encoded, language_name
from kaaj_agent.trees.tags import Kind, Reference, tags

FILE_MAX: Final = 256 * 1024
"""Bytes; a larger file is generated, as a rule, and would only drown the others."""

_LINE_USUAL: Final = 400
"""Characters a line has on average at most; above that a text is minified."""
_SIGNATURE_MAX: Final = 120
_SIGNATURE_LINES: Final = 8
_FORMAT: Final = 3


class Definition(NamedTuple):
    """Lines count from 1, both included. `name` is qualified; `signature` one line without what opens the body."""

    name: str
    kind: Kind
    first: int
    last: int
    line: int
    depth: int
    signature: str

    @property
    def bare(self) -> str:
        return self.name.rpartition(".")[2]


class Record(NamedTuple):
    """One file's share of the map. `names` and `weights` are parallel: what is referred to, and how strongly."""

    definitions: tuple[Definition, ...] = ()
    names: tuple[str, ...] = ()
    weights: bytes = b""
    """In units of 1 / `UNIT`."""


EMPTY: Final = Record()
"""Of a file that says nothing to the map: no grammar, binary, too large, minified."""


def version() -> int:
    """A number (31 bits) that changes with what records hold and how they are made."""
    made_by = (_FORMAT, queries.DEFINITIONS, queries.REFERENCES, FILE_MAX, _SIGNATURE_MAX)
    return int.from_bytes(hashlib.blake2b(repr(made_by).encode(), digest_size=4).digest(), "big") & 0x7FFFFFFF


def key_of(path: PurePath, data: bytes) -> bytes:
    """What a record is kept under: its language and content, 16 bytes."""
    return hashlib.blake2b(data, digest_size=16, key=language_name(path).encode()).digest()


def record_of_bytes(path: Path, data: bytes) -> Record:
    """Blocks; a few milliseconds for a usual file."""
    if len(data) > FILE_MAX:
        return EMPTY
    try:
        text, _ = decode(data, path.name)
    except NotTextError:
        return EMPTY
    return record_of(path, text)


def record_of(path: PurePath, text: str) -> Record:
    """Blocks; a few milliseconds for a usual file."""
    if len(text) > FILE_MAX or len(text) > _LINE_USUAL * (text.count("\n") + text.count("\r") + 4):
        return EMPTY
    found = tags(path, text, alone=True)
    if found is None:
        return EMPTY
    lines = encoded(text).decode("utf-8", "replace").split("\n")
    definitions = tuple(
        Definition(one.name, one.kind, one.first, one.last, one.line, one.depth, _signature(lines, one.line))
        for one in found.definitions
    )
    binding = language_name(path) in _BINDING
    weighed = [(one.name, round(UNIT * _strength(one, binding=binding))) for one in found.references]
    weighed = [(name, weight) for name, weight in weighed if weight]
    return Record(definitions, tuple(name for name, _ in weighed), bytes(min(255, weight) for _, weight in weighed))


def _strength(one: Reference, *, binding: bool) -> float:
    """How surely a name means what another file of the workspace defines, times the root of how often it stands."""
    usual = one.name in USUAL
    if one.means == "imported":
        sure = 0.2 if usual else 1.0
    elif one.means == "member" or usual:
        sure = 0.0 if usual else 0.2
    else:
        sure = 0.1 if binding else 1.0
    return sure * sqrt(len(one.lines))


UNIT: Final = 20
_BINDING: Final = frozenset({"python", "javascript", "typescript", "tsx"})
"""Languages in which what comes from another file is named in an import: other plain names are built in, mostly."""
USUAL: Final = frozenset({
    "add", "all", "any", "append", "apply", "args", "assert", "assign", "at", "begin", "bind", "call", "catch",
    "ceil", "clear", "clone", "close", "collect", "concat", "contains", "copy", "count", "create", "data",
    "debug", "decode", "default", "delete", "drop", "each", "emit", "empty", "encode", "end", "endsWith",
    "endswith", "entries", "equals", "error", "exec", "execute", "exists", "exit", "extend", "extension",
    "field", "fields", "filter", "finally", "find", "findall", "first", "flat", "flatMap", "floor", "flush",
    "fmt", "forEach", "format", "from", "get", "getattr", "group", "groups", "has", "hash", "id", "includes",
    "index", "indexOf", "info", "init", "insert", "into", "is_empty", "isdigit", "items", "iter", "join", "key",
    "keys", "last", "len", "length", "lines", "list", "load", "lock", "log", "lower", "lstrip", "map", "match",
    "matches", "max", "merge", "message", "min", "name", "names", "new", "next", "now", "of", "on", "open",
    "parent", "parse", "path", "patch", "pop", "post", "print", "push", "put", "query", "raise", "range",
    "read", "reduce", "release", "remove", "rename", "render", "replace", "request", "reset", "resolve",
    "response", "result", "reverse", "rstrip", "run", "save", "search", "select", "send", "set", "setdefault",
    "shift", "size", "slice", "some", "sort", "sorted", "splice", "split", "start", "startsWith", "startswith",
    "stop", "strip", "sub", "submit", "sum", "take", "test", "text", "then", "throw", "time", "title", "to",
    "toString", "to_string", "trim", "type", "unlock", "unwrap", "update", "upper", "url", "use", "value",
    "values", "wait", "walk", "warn", "warning", "with", "write",
})  # fmt: skip
"""Names that come with languages and libraries: they say next to nothing about what the workspace defines itself."""


def _signature(lines: list[str], line: int) -> str:
    """The line of a definition's name, and those after it while its brackets are open, as one."""
    whole = " ".join(lines[line - 1].split())
    depth = _depth(whole)
    if depth > 0:
        for text in lines[line : line + _SIGNATURE_LINES]:
            more = text.strip()
            whole += more if whole[-1:] in "([" or more[:1] in ")]" else f" {more}"
            depth += _depth(more)
            if depth <= 0:
                break
        whole = " ".join(whole.replace(",)", ")").replace(",]", "]").split())
    if whole.startswith(_LEADING):
        whole = whole.removeprefix("export ").removeprefix("default ").removeprefix("public ")
    if "{" in whole and "}" not in whole.rpartition("{")[2]:
        whole = whole.rpartition("{")[0]
    whole = whole.rstrip(" ;:=>{") if whole.endswith(_OPENERS) else whole
    return whole if len(whole) <= _SIGNATURE_MAX else whole[: _SIGNATURE_MAX - 1].rstrip() + "…"


_LEADING: Final = ("export ", "public ")
_OPENERS: Final = (" ", ";", ":", "=>", "=", "{")


def _depth(text: str) -> int:
    return text.count("(") + text.count("[") - text.count(")") - text.count("]")


def packed(record: Record) -> bytes:
    """For the cache: compressed JSON."""
    data = {"d": record.definitions, "n": record.names, "w": list(record.weights)}
    return zlib.compress(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"), 1)


def unpacked(data: bytes) -> Record:
    """Raises ValueError for what is no record."""
    try:
        whole = json.loads(zlib.decompress(data))
        rows = cast("list[tuple[str, Kind, int, int, int, int, str]]", whole["d"])
        names = cast("list[str]", whole["n"])
        return Record(tuple(Definition(*row) for row in rows), tuple(names), bytes(whole["w"]))
    except (zlib.error, KeyError, TypeError, ValueError) as error:
        raise ValueError("no record of the repository map") from error
