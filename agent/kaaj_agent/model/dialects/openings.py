"""Where prose ends and a call begins, decided while the reply still arrives.

Only what can be nothing else than a call opens one: an opening tag with a function or an object behind it, a
function tag or an object that names a known tool. Within a code fence only what stands first in it counts, and
only with a known name: code that talks about calls is prose. A tag of a call that stands at the beginning of a line
and opens nothing means that a call's beginning is broken: its values lie bare, and may hold calls themselves, so
nothing opens behind it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

Form: TypeAlias = Literal["xml", "hermes", "fenced", "fenced xml", "bare"]


@dataclass(frozen=True, slots=True)
class Opening:
    """A call begins at `start` (its fence or tag included), its first tag or brace at `inner`."""

    form: Form
    start: int
    inner: int
    name: str
    fence: str = ""


_MARK = re.compile(r"<|^[ \t]*(?:`{3,}|~{3,})|^[ \t]*[{\[]", re.MULTILINE)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})([^\n`]*)(?:\n|\Z)")
_FENCE_PREFIX = re.compile(r"^[ \t]*(?:`{1,2}|~{1,2})\Z", re.MULTILINE)
_TOOL_CALL = re.compile(r"<\s*tool_call\s*>\s*")
_FUNCTION = re.compile(r"<\s*function(?:\s*=|\s+name\s*=)\s*[\"']?([\w.:-]+)[\"']?\s*>\s*")
_OBJECT = re.compile(r"\[?\s*\{\s*\"(\w+)\"\s*:\s*")
_INK = re.compile(r"\S")
_QUOTED = re.compile(r"\"([\w.:-]*)\"")
_FOLLOWS = re.compile(r"<\s*parameter(?:\s*=|\s+name\s*=)|<\s*/\s*(?:function|tool_call)\s*>")
_TOOL_CALL_PREFIX = re.compile(r"<\s*(?:" + "|".join("tool_call"[:size] for size in range(9, 0, -1)) + r")?\s*\Z")
_FUNCTION_PREFIX = re.compile(
    r"<\s*(?:(?:" + "|".join("function"[:size] for size in range(7, 0, -1)) + r")?"
    r"|function\s*(?:(?:=|n|na|nam|name\s*=?)\s*[\"']?[\w.:-]{0,80}[\"']?\s*)?)\Z"
)
_FOLLOWS_PREFIX = re.compile(r"(?:<\s*/?\s*[a-z_]{0,9}\s*(?:n|na|nam|name)?\s*=?)?\Z")
_STRAY = re.compile(r"<\s*(?:parameter(?:\s*=|\s+name\s*=)[^\n>]{1,80}|/\s*function\s*)>")
_CLOSER = re.compile(r"</\s*tool_call\s*>")
_STRAY_PREFIX = re.compile(
    r"<\s*(?:(?:" + "|".join("parameter"[:size] for size in range(8, 0, -1)) + r")?"
    r"|parameter\s*(?:n|na|nam|name\s*)?|parameter(?:\s*=|\s+name\s*=)[^\n>]{0,80}"
    r"|/\s*(?:" + "|".join("function"[:size] for size in range(8, 0, -1)) + r")?\s*)\Z"
)
_DATA = re.compile(r"\s*(?:json[c5]?|xml|tool_?calls?)?\s*\Z", re.IGNORECASE)
_OBJECT_PREFIX = re.compile(r"\[?\s*(?:\{\s*(?:\"\w{0,12}(?:\"\s*(?::\s*)?)?)?)?\Z")


class Openings:
    """Finds openings in a text that grows. `done` is the offset up to which the text is prose for certain.

    `broken`: where the beginning of a call is broken (-1: nowhere); behind it all is prose. `odd`: from where to
    where (-1: not known) something stands that may have been meant as a call, and opens none.
    """

    def __init__(self, names: Collection[str]) -> None:
        self.names = frozenset(names)
        self.done = 0
        self.broken = -1
        self.odd: list[tuple[int, int]] = []
        self._behind = 0
        self._fence = ""

    def next(self, text: str, *, final: bool) -> Opening | None:
        """The next opening from `done` on. None: prose up to the moved `done`, the rest undecided.

        With `final` the text is whole: what is undecided is prose.
        """
        if not self.names or self.broken >= 0:
            self.done = len(text)
            return None
        at = self.done
        while True:
            mark = _MARK.search(text, at)
            if mark is None:
                break
            found = self._at(text, mark, final=final)
            if isinstance(found, Opening):
                return found
            if found < 0:
                self.done = self._before(text, mark.start())
                return None
            at = found
            self.done = at
            if self.broken >= 0:
                break
        if final or self.broken >= 0:
            self.done = len(text)
        else:
            grows = _FENCE_PREFIX.search(text, at)
            self.done = self._before(text, grows.start() if grows else len(text))
        return None

    def skip(self, end: int) -> None:
        """What was opened is dealt with up to `end`."""
        self.done = self._behind = end

    def prose(self, text: str, opening: Opening) -> None:
        """The opening turned out to be prose: a whole fence, or the mark alone."""
        if opening.fence:
            line = text.find("\n", opening.start)
            self._fence = opening.fence
            self.done = len(text) if line < 0 else line + 1
        else:
            self.done = opening.start + 1

    def _before(self, text: str, at: int) -> int:
        """White space before what is undecided is undecided too: before a call it is dropped."""
        while at > self.done and text[at - 1].isspace():
            at -= 1
        return at

    def _at(self, text: str, mark: re.Match[str], *, final: bool) -> Opening | int:
        """An opening, the offset behind what is prose, or -1 for undecided."""
        start = mark.start()
        if mark[0].lstrip()[:1] in {"`", "~"}:
            return self._at_fence(text, start, final=final)
        if self._fence:
            return mark.end()
        if mark[0] == "<":
            return self._at_tag(text, start, final=final)
        inner = mark.end() - 1
        name = self._object(text, inner, final=final)
        if isinstance(name, str) and (name in self.names or not name):
            return Opening("bare", start, inner, name)
        if name == -1:
            return -1
        self.odd.append((inner, -1))
        return inner + 1

    def _at_fence(self, text: str, start: int, *, final: bool) -> Opening | int:
        fence = _FENCE.match(text, start)
        if fence is None:  # text behind backticks in the line: inline code, or a line that still grows
            line = text.find("\n", start)
            return (len(text) if final else -1) if line < 0 else line + 1
        whole = fence[0].endswith("\n")
        if self._fence:
            if fence[1].startswith(self._fence) and not fence[2].strip():
                if not whole and not final:
                    return -1
                self._fence = ""
            return fence.end()
        if not whole:
            return len(text) if final else -1
        ink = _INK.search(text, fence.end())
        inner = ink.start() if ink else len(text)
        opening: Opening | int = 0
        if text.startswith("<", inner):
            opening = self._at_tag(text, inner, final=final)
            self.broken = -1  # what goes wrong in a fence stays in it
        elif text.startswith(("{", "["), inner):
            name = self._object(text, inner, final=final)
            if isinstance(name, int):
                opening = name or inner + 1
            elif name in self.names or not name:
                opening = Opening("fenced", start, inner, name)
        elif text.startswith('"', inner):
            opening = inner + 1
        elif inner == len(text) and not final:
            return -1
        if isinstance(opening, Opening):
            if opening.form == "fenced" or opening.name in self.names:
                form: Form = "fenced" if opening.form in {"fenced", "hermes"} else "fenced xml"
                at = opening.inner if form == "fenced" else inner
                return Opening(form, start, at, opening.name, fence[1])
        elif opening < 0:
            return -1
        if opening and _DATA.match(fence[2]):
            self.odd.append((inner, -1))
        self._fence = fence[1]
        return fence.end()

    def _at_tag(self, text: str, start: int, *, final: bool) -> Opening | int:
        if start and text[start - 1] in "`'\"":
            return start + 1  # quoted: somebody talks about it
        tag = _TOOL_CALL.match(text, start)
        if tag is None:
            if not final and (_TOOL_CALL_PREFIX.match(text, start) or _STRAY_PREFIX.match(text, start)):
                return -1
            if _STRAY.match(text, start):
                self._breaks(text, start)
            elif (closer := _CLOSER.match(text, start)) and text[self._behind : start].strip():
                self.odd.append((max(text.rfind("\n\n", 0, start), self._behind), closer.end()))
            return self._at_function(text, start, start, final=final)
        inner = tag.end()
        if inner == len(text):
            return start + 1 if final else -1
        found: Opening | int
        if text[inner] in "{[":
            name = self._object(text, inner, final=False)
            found = name if isinstance(name, int) else Opening("hermes", start, inner, name)
        else:
            found = self._at_function(text, start, inner, final=False)
        if isinstance(found, Opening):
            return found
        if found < 0:
            return start + 1 if final else -1
        self._breaks(text, start)
        return start + 1

    def _breaks(self, text: str, start: int) -> None:
        if not text[max(text.rfind("\n", 0, start) + 1, self._behind) : start].strip():
            self.broken = start

    def _at_function(self, text: str, start: int, inner: int, *, final: bool) -> Opening | int:
        tag = _FUNCTION.match(text, inner)
        if tag is None:
            return -1 if not final and _FUNCTION_PREFIX.match(text, inner) else start + 1
        if start == inner:
            if tag[1] not in self.names:
                return start + 1
            if not _FOLLOWS.match(text, tag.end()):
                return -1 if not final and _FOLLOWS_PREFIX.match(text, tag.end()) else start + 1
        return Opening("xml", start, start, tag[1])

    def _object(self, text: str, inner: int, *, final: bool) -> str | int:
        """The name that the object at `inner` gives first ("" where that comes later), 0 for none, -1 undecided."""
        head = _OBJECT.match(text, inner)
        if head is None or (head.end() == len(text) and not final):
            if final:
                return 0
            return -1 if _OBJECT_PREFIX.match(text, inner) or head else 0
        if head[1] in {"arguments", "parameters", "type", "id"}:
            return ""
        if head[1] == "function" and text.startswith("{", head.end()):
            return ""
        if head[1] not in {"name", "function"}:
            return 0
        name = _QUOTED.match(text, head.end())
        if name is None:
            grows = text.startswith('"', head.end()) and text.find('"', head.end() + 1) < 0
            return -1 if grows and not final and len(text) - head.end() < 80 else 0
        return name[1] or 0
