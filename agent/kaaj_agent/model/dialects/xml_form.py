"""Qwen3-Coder's XML form, whole: which of the tags in a reply are the call's, and which belong to a value.

A value is raw text and may hold any of the tags itself. So the reply is read like this: if every tag can be given
its place, that is the reading (closers that a model forgets are allowed to lack here). If not, of all readings in
which every parameter is closed, the one that leaves the fewest tags inside of values; where two are equally good
the reply is ambiguous and refused. So it is where a tag may be doubled, mistyped or lost rather than part of a value:
what is almost a tag gets into no value that had to be mended. Format: the chat template of
Qwen/Qwen3-Coder-30B-A3B-Instruct.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kaaj_agent.model.dialects.arguments import UnreadableError
from kaaj_agent.model.dialects.xml_tags import Tag, almost_tags, ends_in_tag, tags_in, value_of

MAX_TAGS = 300
"""More tags than this inside of values are not told apart: the search is quadratic."""
_NOTHING_BEHIND = re.compile(r"\s*|[ \t]*\r?\n\s*(?:`{3,}|~{3,})\s*")
"""What may stand behind a call that was mended: the end of the fence around it, if anything."""
STRANGER = 1000
"""What an argument that the tool does not have costs a reading, in tags."""


@dataclass(frozen=True, slots=True)
class XmlCall:
    """A call as it was read: values are raw text without the line end that stands on either side."""

    name: str
    values: dict[str, str]


class CutShortError(UnreadableError):
    """The reply ends in the middle of a call."""


def read_xml(text: str, start: int, known: Mapping[str, Collection[str]]) -> tuple[list[XmlCall], int]:
    """The calls that begin with the tag at `start`, and the offset behind the last of them.

    `known` names the tools and their arguments: a reading that needs an argument that does not exist is the last
    to be considered. Raises UnreadableError, as CutShortError where the reply's end is missing.
    """
    reading = _Reading(text, start, known)
    plain = reading.plain()
    if plain is not None:
        return plain
    return reading.best()


class _Reading:
    def __init__(self, text: str, start: int, known: Mapping[str, Collection[str]]) -> None:
        self.text = text
        self.start = start
        self.broken: list[int] | None = None
        self.known = known
        self.tags = list(tags_in(text, start))
        tail = text[self.tags[-1].end :] if self.tags else text[start:]
        self.dangling = ends_in_tag(tail)

    def plain(self) -> tuple[list[XmlCall], int] | None:
        """The reading in which every tag has a place; None where there is none."""
        calls: list[XmlCall] = []
        at, mended = 0, False
        while at < len(self.tags):
            opened = self.tags[at].kind == "call"
            if not self.begins(at):
                return None
            at += opened
            if at >= len(self.tags) or self.tags[at].kind != "function":
                return None
            found = len(calls)
            while at < len(self.tags) and self.tags[at].kind == "function":
                if len(calls) > found and not self._adjacent(at - 1):
                    return None
                step = self._plain_function(at, calls)
                if step is None:
                    return None
                at, unclosed = step
                mended |= unclosed
                if unclosed and not (at < len(self.tags) and self.tags[at].kind in {"/call", "call"}):
                    return None
                if not opened and at < len(self.tags) and self.tags[at].kind == "/call":
                    break
            if at < len(self.tags) and self.tags[at].kind == "/call":
                if self.tags[at - 1].kind != "parameter" and not self._adjacent(at - 1):
                    return None
                at += 1
                while at < len(self.tags) and self.tags[at].kind == "/call" and self._adjacent(at - 1):
                    at += 1  # closed twice
            elif opened and (at == len(self.tags) or self.tags[at].kind != "call"):
                return None
        end = self.tags[-1].end
        if self.dangling or (mended and not _NOTHING_BEHIND.fullmatch(self.text, end)):
            return None
        return calls, end

    def _plain_function(self, at: int, calls: list[XmlCall]) -> tuple[int, bool] | None:
        name, values, unclosed = self.tags[at].name, dict[str, str](), False
        if at + 1 < len(self.tags) and not self._adjacent(at):
            return None
        at += 1
        while at < len(self.tags) and self.tags[at].kind == "parameter":
            tag = self.tags[at]
            if tag.name in values or at + 1 >= len(self.tags):
                return None
            closer = self.tags[at + 1]
            values[tag.name] = value_of(self.text[tag.end : closer.start])
            if closer.kind == "/parameter":
                at += 2
                if at < len(self.tags) and not self._adjacent(at - 1):
                    return None
            elif closer.kind in {"parameter", "/function", "/call"} and self._own_line(closer):
                framed = self.text[tag.end : closer.start].lstrip(" \t").startswith(("\n", "\r"))
                if not framed or self.almost(tag.end, closer.start):
                    return None  # not forgotten, but broken
                at += 1
                unclosed = True
            else:
                return None
        if at < len(self.tags) and self.tags[at].kind == "/function":
            at += 1
        elif at < len(self.tags) and self.tags[at].kind in {"/call", "call"}:
            unclosed = True
        else:
            return None
        calls.append(XmlCall(name, values))
        return at, unclosed

    def best(self) -> tuple[list[XmlCall], int]:
        """The reading that leaves the fewest tags inside of values. Raises UnreadableError."""
        if len(self.tags) > MAX_TAGS:
            raise UnreadableError("too many tags inside of its values; make the change in smaller calls")
        if self.dangling:
            raise CutShortError("the reply ends in the middle of it")
        search = _Search(self)
        found = search.call(0)
        if found is None:
            closers = {"/call", "/function"}
            if not self.tags or self.tags[-1].kind not in closers:
                raise CutShortError("the reply ends in the middle of it")
            opened = self.tags[0].kind == "call"
            if opened and self.tags[-1].kind != "/call":
                raise CutShortError("</tool_call> is missing")
            raise UnreadableError("its tags do not fit together")
        _cost, ways, calls = found
        if ways > 1:
            raise UnreadableError("its values hold the same tags as the call, so it can be read in two ways")
        return list(calls), self.tags[-1].end

    def almost(self, start: int, end: int) -> bool:
        """Whether something between two offsets is almost a tag."""
        if self.broken is None:
            self.broken = almost_tags(self.text, self.start)
        at = bisect_left(self.broken, start)
        return at < len(self.broken) and self.broken[at] < end

    def begins(self, at: int) -> bool:
        """Whether a call may begin with tag `at`: right behind a call, or on a line of its own."""
        behind = at and self.tags[at - 1].kind == "/call" and self._adjacent(at - 1)
        return not at or bool(behind) or self._own_line(self.tags[at])

    def _adjacent(self, at: int) -> bool:
        """Whether only white space stands between tag `at` and the next."""
        return not self.text[self.tags[at].end : self.tags[at + 1].start].strip()

    def _own_line(self, tag: Tag) -> bool:
        before = self.text[: tag.start].rstrip(" \t")
        return before.endswith(("\n", "\r"))

    def adjacent(self, at: int, *kinds: str) -> bool:
        """Whether tag `at` exists, is of one of `kinds` and follows the one before at once."""
        return at < len(self.tags) and self.tags[at].kind in kinds and self._adjacent(at - 1)


_Found: TypeAlias = "tuple[int, int, tuple[XmlCall, ...]] | None"
"""The cost (tags inside of values), how many readings cost that, and the calls of one of them."""


class _Search:
    """Every reading with all parameters closed, by the place in the list of tags; each place is solved once."""

    def __init__(self, reading: _Reading) -> None:
        self.reading = reading
        self.tags = reading.tags
        self.known: dict[tuple[int, int, frozenset[str], bool], _Found] = {}

    def call(self, at: int) -> _Found:
        """From where a call begins, or the end."""
        if at == len(self.tags):
            return 0, 1, ()
        if not self.reading.begins(at):
            return None
        opened = self.tags[at].kind == "call"
        at += opened
        if at >= len(self.tags) or self.tags[at].kind != "function":
            return None
        return self.function(at, opened=opened)

    def function(self, at: int, *, opened: bool) -> _Found:
        if self.reading.adjacent(at + 1, "parameter"):
            return self.parameter(at, at + 1, frozenset(), opened=opened)
        if self.reading.adjacent(at + 1, "/function"):
            return _with(XmlCall(self.tags[at].name, {}), self.closed(at + 2, opened=opened))
        return None

    def parameter(self, function: int, at: int, seen: frozenset[str], *, opened: bool) -> _Found:
        """The best reading from the parameter `at` of `function`; its first call holds only what comes from here."""
        key = (function, at, seen, opened)
        if key in self.known:
            return self.known[key]
        tag, reading = self.tags[at], self.reading
        best: _Found = None
        arguments = reading.known.get(self.tags[function].name)
        stranger = STRANGER if arguments is not None and tag.name not in arguments else 0
        depth, ended, loose = {"call": 0, "function": 0, "parameter": 0}, False, False
        inner: set[str] = set()
        for closer in range(at + 1, len(self.tags)):
            before = self.tags[closer - 1].kind if closer > at + 1 else "parameter"
            if before in {"call", "function"} and ended:
                break  # one call ends in it and another begins: these are calls, one of them broken
            if before in depth:
                depth[before] += closer > at + 1
                inner |= {self.tags[closer - 1].name} if closer > at + 1 else set()
            else:
                ended |= before != "/parameter" and not depth[before[1:]]
                loose |= before == "/parameter" and not depth["parameter"]
                depth[before[1:]] = max(depth[before[1:]] - 1, 0)
            inside = stranger + closer - at - 1
            if best is not None and inside > best[0]:
                break
            if self.tags[closer].kind != "/parameter":
                continue
            raw = reading.text[tag.end : self.tags[closer].start]
            value = value_of(raw)
            framed = raw.startswith(("\n", "\r\n")) == raw.endswith("\n")
            # A tag too many, or a mistyped one, rather than a value that holds tags.
            doubtful = closer > at + 1 and not (framed and not reading.almost(tag.end, self.tags[closer].start))
            after = closer + 1
            names = seen | {tag.name}
            found: _Found = None
            if reading.adjacent(after, "parameter") and self.tags[after].name not in names:
                rest = self.parameter(function, after, names, opened=opened)
                if rest is not None:
                    first = XmlCall(rest[2][0].name, {tag.name: value, **rest[2][0].values})
                    found = rest[0], rest[1], (first, *rest[2][1:])
            elif reading.adjacent(after, "/function"):
                found = _with(
                    XmlCall(self.tags[function].name, {tag.name: value}), self.closed(after + 1, opened=opened)
                )
            elif reading.adjacent(after, "/call"):
                found = _with(XmlCall(self.tags[function].name, {tag.name: value}), self.call(after + 1))
            if found is not None:
                lacking = set(arguments or ()) - names - set(found[2][0].values)
                unclosed = depth["parameter"] > 0 and not inner.isdisjoint(lacking)
                if doubtful or unclosed or (loose and lacking):  # an argument that lacks may be lost in it
                    found = found[0], found[1] + 1, found[2]
                cost = found[0] + inside
                if best is None or cost < best[0]:
                    best = cost, found[1], found[2]
                elif cost == best[0]:
                    best = cost, best[1] + found[1], best[2]
        self.known[key] = best
        return best

    def closed(self, at: int, *, opened: bool) -> _Found:
        """From behind `</function>`."""
        if self.reading.adjacent(at, "/call"):
            return self.call(at + 1)
        if self.reading.adjacent(at, "function"):
            return self.function(at, opened=opened)
        if not opened or self.reading.adjacent(at, "call"):
            return self.call(at)
        return None


def _with(first: XmlCall, rest: _Found) -> _Found:
    return None if rest is None else (rest[0], rest[1], (first, *rest[2]))
