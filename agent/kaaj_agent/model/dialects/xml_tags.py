"""The tags of Qwen3-Coder's XML form: where they stand in a text, what is almost one, and the values between them."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

_TAG = re.compile(
    r"<\s*(?P<close>/?)\s*(?P<kind>tool_call|function|parameter)"
    r"(?:\s*(?:=|\s+name\s*=)\s*[\"']?(?P<name>[\w.:-]+)[\"']?)?\s*>"
)
_BRACKET = re.compile(r"<\s*/?\s*([A-Za-z_]{6,13})(?![A-Za-z_])")
_UNOPENED = re.compile(r"(?<![\w<])([A-Za-z_]{6,13})(?:\s*=\s*[\"']?[\w.:-]+[\"']?)?\s*>")
_KINDS = ("tool_call", "function", "parameter")
ALMOST = 0.85
"""The ratio of signs in common from which on a word is taken for a tag's, mistyped."""

Kind: TypeAlias = Literal["call", "/call", "function", "/function", "parameter", "/parameter"]


@dataclass(frozen=True, slots=True)
class Tag:
    kind: Kind
    name: str
    start: int
    end: int


def tags_in(text: str, start: int) -> list[Tag]:
    tags: list[Tag] = []
    for match in _TAG.finditer(text, start):
        name, closing = match["name"] or "", bool(match["close"])
        if not _is_tag(match):
            continue
        kind = "call" if match["kind"] == "tool_call" else match["kind"]
        tags.append(Tag(_kind(kind, closing=closing), name, match.start(), match.end()))
    return tags


def _is_tag(match: re.Match[str] | None) -> bool:
    """Whether it is a tag of the form: <function> without a name and </function=x> are nobody's."""
    return match is not None and (match["kind"] == "tool_call" or bool(match["close"]) != bool(match["name"]))


def _kind(kind: str, *, closing: bool) -> Kind:
    match kind, closing:
        case "call", False:
            return "call"
        case "call", True:
            return "/call"
        case "function", False:
            return "function"
        case "function", True:
            return "/function"
        case _, False:
            return "parameter"
        case _:
            return "/parameter"


_NAMING = re.compile(r"<(?:function|parameter)n(?:a|am|ame|ame=.*)?\Z")
_WHOLE = ("</tool_call>", "</function>", "</parameter>", "<tool_call>", "<function=", "<parameter=")


def ends_in_tag(tail: str) -> bool:
    """Whether the text ends in a piece of a tag: the reply was cut there."""
    at = tail.rfind("<")
    piece = "".join(tail[at:].split())
    if at < 0 or ">" in piece:
        return False
    return _NAMING.match(piece) is not None or any(
        whole.startswith(piece) or piece.startswith(whole) for whole in _WHOLE
    )


def almost_tags(text: str, start: int) -> list[int]:
    """Where something stands that is almost one of the form's tags: mistyped, or without one of its brackets."""
    tags = [(match.start(), match.end()) for match in _TAG.finditer(text, start) if _is_tag(match)]
    starts = [begin for begin, _ in tags]
    found: set[int] = set()
    for pattern in (_BRACKET, _UNOPENED):
        for match in pattern.finditer(text, start):
            before = bisect_right(starts, match.start()) - 1
            within = before >= 0 and match.start() < tags[before][1]
            if not within and any(SequenceMatcher(None, match[1], kind).ratio() > ALMOST for kind in _KINDS):
                found.add(match.start())
    return sorted(found)


def value_of(raw: str) -> str:
    """A value without the one line end that the form puts on either side of it, of the same kind on both."""
    if raw.startswith("\r\n"):
        return raw[2:].removesuffix("\r\n")
    if raw.startswith("\n"):
        return raw[1:].removesuffix("\n")
    return raw.removesuffix("\r\n") if raw.endswith("\r\n") else raw.removesuffix("\n")
