"""What a reply means: prose as soon as it is certain, calls once the reply is whole.

The calls are read from the whole reply when it ends, by the same code however it was cut into chunks; while it
arrives only the question is answered how much of it is prose for certain, and which calls look complete (`CallReady`,
for previews: it binds nobody). A reply that was cut short has no call that may be executed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from kaaj_agent.model.dialects import halves, json_form
from kaaj_agent.model.dialects.arguments import UnreadableError, coerce, load_arguments
from kaaj_agent.model.dialects.json_form import NotACallError
from kaaj_agent.model.dialects.native import NativeCall, NativeCalls, looks_cut
from kaaj_agent.model.dialects.openings import Opening, Openings
from kaaj_agent.model.dialects.unread import NAMELESS, name_among, unread
from kaaj_agent.model.dialects.xml_form import CutShortError, read_xml
from kaaj_agent.ports import CallDelta, CallReady, Json, TextDelta, ToolCall, ToolSpec

_REPORT_EVERY = 256
"""Characters of arguments between two CallDeltas."""
_THINK = re.compile(r"\A\s*<think>.*?(?:</think>\s*|\Z)", re.DOTALL)
_STUB = re.compile(
    r"(?:^[ \t]*|(?<=</tool_call>)[ \t]*)(?:<tool(?:_c?a?l?l?)?|<tool_call>\s*(?:<[^>]{0,100}|[\[{][^}]{0,120})?"
    r"|<func(?:t|ti|tio|tion|tion=[^>\n]{0,80}(?:>\s*(?:<[^>]{0,40})?)?)?)\Z",
    re.MULTILINE,
)
"""A call that had only just begun when the reply ended."""
_CLOSER = "</tool_call>"
_LOOKS_MAX = 40
"""How often a reply that still arrives is looked through for calls: each look reads all of it."""
Delta: TypeAlias = TextDelta | CallDelta | CallReady
_COMPLETE = {"stop", "tool_calls", "function_call"}
WAS_CUT = "The reply was cut before its end, so nothing of it was executed. Send the call again, whole"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reply as it was meant. `cut`: its end is missing, and each call has its `error` set.

    `rest` is the prose that was not yet given out as a delta, `dialect` how the first call was written ("native" or
    a `Form`; "" without a call).
    """

    text: str
    calls: tuple[ToolCall, ...]
    cut: bool
    rest: str = ""
    dialect: str = ""


class ReplyReader:
    """Reads one reply. Feed it content and pieces of native calls in any chunking, then `finish` it.

    `tools` are those of the request. `new_id` makes ids for calls that come without one.
    """

    def __init__(self, tools: Sequence[ToolSpec], *, new_id: Callable[[], str] | None = None) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._arguments: dict[str, Mapping[str, Json]] = {
            tool.name: tool.parameters.get("properties") or {} for tool in tools
        }
        self._new_id = new_id or (lambda: f"call_{secrets.token_hex(6)}")
        self._native = NativeCalls()
        self._openings = Openings(self._tools)
        self._text = ""
        self._half = ""
        self._given = 0
        self._held: list[str] | None = None
        self._held_name = ""
        self._held_size = 0
        self._thinking = True
        self._dialect = ""
        self._end = ""
        self._ready: list[ToolCall] = []
        self._looks = _LOOKS_MAX

    def feed(self, text: str) -> list[Delta]:
        """A piece of content; returns what it made certain, and the calls that look complete."""
        text, self._half = self._half + text, ""
        if halves.opens(text):
            text, self._half = text[:-1], text[-1]
        text = halves.whole(text)
        if self._held is not None:
            self._held.append(text)
            before, self._held_size = self._held_size, self._held_size + len(text)
            ready = self._look(text)
            if before // _REPORT_EVERY == self._held_size // _REPORT_EVERY:
                return ready
            return [CallDelta(self._held_name, self._held_size), *ready]
        self._text += text
        if self._thinking and self._maybe_thought():
            return []
        opening = self._openings.next(self._text, final=False)
        deltas: list[Delta] = []
        certain = self._openings.done if opening is None else opening.start
        while self._tools and certain > self._given and self._text[certain - 1].isspace():
            certain -= 1
        if certain > self._given:
            deltas.append(TextDelta(self._text[self._given : certain]))
            self._given = certain
        if opening is not None:
            self._held = []
            self._held_name = opening.name
            self._held_size = len(self._text) - opening.start
            deltas.append(CallDelta(opening.name, self._held_size))
            deltas += self._look(self._text[opening.start :])
        return deltas

    def feed_native(self, index: int | None, call_id: str, name: str, arguments: Json) -> list[Delta]:
        """A piece of a native call."""
        before = len(self._native.calls)
        call = self._native.feed(index, call_id, name, arguments)
        new = len(self._native.calls) > before
        size = len(arguments) if isinstance(arguments, str) else 0
        ready = self._native_ready()
        if not new and (call.received - size) // _REPORT_EVERY == call.received // _REPORT_EVERY:
            return ready
        return [CallDelta(call.name, call.received), *ready]

    @property
    def empty(self) -> bool:
        """Whether nothing but white space has come."""
        return not self._native.calls and self._held is None and not self._text.strip()

    def finish(self, finish_reason: str | None) -> Outcome:
        """The reply is over. A `finish_reason` that does not say it is complete makes it one that was cut."""
        text = self._text + "".join(self._held or ()) + self._half
        if self._thinking:
            text = _THINK.sub("", text)
        prose, calls, cut = self._resolve(text)
        native, native_cut = self._native_calls()
        known = [(call.name, call.arguments) for call in native]
        calls = native + [call for call in calls if call.error or (call.name, call.arguments) not in known]
        cut = cut or native_cut or finish_reason not in _COMPLETE
        if cut:
            calls = [replace(call, arguments={}, error=call.error or f"{WAS_CUT}.") for call in calls]
        dialect = "native" if native else self._dialect
        return Outcome(prose, tuple(calls), cut, prose[self._given :], dialect)

    def _look(self, text: str) -> list[Delta]:
        """The calls in the content that look complete and did not before; asked where a call has just been closed."""
        near, self._end = self._end + text, (self._end + text)[-len(_CLOSER) + 1 :]
        if _CLOSER not in near or not self._looks or self._native.calls:
            return []
        self._looks -= 1
        whole = self._text + "".join(self._held or ())
        _prose, calls, cut = self._resolve(whole[: whole.rindex(_CLOSER) + len(_CLOSER)])
        return [] if cut else self._announce(calls)

    def _native_ready(self) -> list[Delta]:
        """The native calls that look complete and did not before, in their order."""
        began = self._native.calls
        if self._held is not None or not self._looks or not any(c.end.reached for c in began[len(self._ready) :]):
            return []
        calls: list[ToolCall] = []
        for call in began:
            if not call.end.reached:
                break
            at = len(calls)
            calls.append(self._ready[at] if at < len(self._ready) else self._native_call(call))
        return self._announce(calls)

    def _announce(self, calls: Sequence[ToolCall]) -> list[Delta]:
        """Tell of calls that are new; nothing more is told once something does not hold that was told before."""
        known = len(self._ready)
        same = [(c.name, c.arguments) for c in calls[:known]] == [(c.name, c.arguments) for c in self._ready]
        if not same or any(call.error for call in calls):
            self._looks = 0
            return []
        self._ready += calls[known:]
        return [CallReady(call) for call in calls[known:]]

    def _maybe_thought(self) -> bool:
        """Whether the reply may still be inside of `<think>`; what stood there is dropped."""
        start = self._text.lstrip()
        if len(start) < len("<think>") and "<think>".startswith(start):
            return True
        if start.startswith("<think>"):
            spoken = _THINK.sub("", self._text)
            if not spoken:
                return True
            self._text = spoken
        self._thinking = False
        return False

    def _resolve(self, text: str) -> tuple[str, list[ToolCall], bool]:
        openings = Openings(self._tools)
        prose, begin, cut = "", 0, False
        calls: list[ToolCall] = []
        while (opening := openings.next(text, final=True)) is not None:
            unreadable = False
            try:
                found = self._read(text, opening)
            except UnreadableError as error:
                unreadable = not isinstance(error, NotACallError)
                short = isinstance(error, CutShortError)
                failed = self._failed(text, opening, error)
                found = None if failed is None else ([failed], len(text) if short else _resume(text, opening))
                cut |= short and failed is not None
            if found is None:
                openings.prose(text, opening)
                openings.odd += [(opening.inner, -1)] if opening.fence or unreadable else []
                continue
            calls += found[0]
            self._dialect = self._dialect or opening.form
            prose = _joined(prose, text[begin : opening.start].rstrip())
            begin = found[1]
            openings.skip(begin)
        cut |= _STUB.search(text, begin) is not None
        lost = [self._unread(name, why) for name, why in unread(text, openings, self._tools)]
        if not calls:
            return text, lost, cut
        calls += lost
        return _joined(prose, text[begin:].rstrip()), calls, cut

    def _read(self, text: str, opening: Opening) -> tuple[list[ToolCall], int] | None:
        """The calls at an opening; None where it is prose after all. Raises UnreadableError."""
        match opening.form:
            case "xml" | "fenced xml":
                calls, end = read_xml(text, opening.inner, self._arguments)
                made = [self._made(call.name, call.values, texts=True) for call in calls]
                if opening.fence:
                    close = re.compile(r"\s*" + re.escape(opening.fence) + r"+[ \t]*(?:\r?\n|\Z)").match(text, end)
                    if close is None:
                        if opening.fence.startswith(text[end:].strip()):
                            raise CutShortError("the fence is not closed")
                        return None
                    end = close.end()
                return made, end
            case "hermes":
                read = json_form.read_hermes(text, opening.inner)
            case "fenced" | "bare":
                fenced = opening.form == "fenced"
                found = (
                    json_form.read_fenced(text, opening.inner, opening.fence)
                    if fenced
                    else json_form.read_bare(text, opening.inner)
                )
                if fenced and found is None and opening.name in self._tools:
                    raise UnreadableError("something else stands behind it in the fence")
                if found is None or any(call.name not in self._tools for call in found[0]):
                    return None
                read = found
        return [self._made(call.name, call.arguments, texts=False) for call in read[0]], read[1]

    def _failed(self, text: str, opening: Opening, error: UnreadableError) -> ToolCall | None:
        """The call that cannot be read, to be answered with why; None where it was none."""
        name = opening.name
        if opening.form in {"fenced", "bare", "hermes"}:
            tagged = opening.form == "hermes"
            if isinstance(error, NotACallError) and not tagged:
                return None
            meant = json_form.name_in(text, opening.inner)
            name = meant or (name if tagged or isinstance(error, CutShortError) else "")
            if tagged and name not in self._tools:
                name = name_among(text[opening.inner :], self._tools) or NAMELESS
        if name not in self._tools and name != NAMELESS:
            return None
        return ToolCall(self._new_id(), name, {}, _sentence(name, error))

    def _unread(self, name: str, why: str) -> ToolCall:
        return ToolCall(self._new_id(), name, {}, _sentence(name, UnreadableError(why)))

    def _native_calls(self) -> tuple[list[ToolCall], bool]:
        calls: list[ToolCall] = []
        cut = False
        for call in self._native.calls:
            made = self._native_call(call)
            cut |= bool(made.error) and looks_cut(call.arguments)
            calls.append(made)
        return calls, cut

    def _native_call(self, call: NativeCall) -> ToolCall:
        call_id = call.id or self._new_id()
        try:
            arguments = load_arguments(call.arguments)
        except UnreadableError as error:
            name = self._known(call.name)
            return ToolCall(call_id, name, {}, _sentence(name, error))
        return self._made(call.name, arguments, texts=False, call_id=call_id)

    def _made(self, name: str, raw: Mapping[str, Json], *, texts: bool, call_id: str = "") -> ToolCall:
        name = self._known(name)
        call_id = call_id or self._new_id()
        tool = self._tools.get(name)
        if tool is None:
            tools = ", ".join(self._tools) or "none"
            return ToolCall(call_id, name, {}, f"There is no tool `{name}`. The tools are: {tools}.")
        try:
            return ToolCall(call_id, name, coerce(tool, raw, texts=texts))
        except UnreadableError as error:
            return ToolCall(call_id, name, {}, _sentence(name, error))

    def _known(self, name: str) -> str:
        """The tool's name without the name space that some models put before it."""
        bare = name.strip()
        short = re.split(r"[.:]", bare)[-1]
        return short if bare not in self._tools and short in self._tools else bare


def read_reply(text: str, tools: Sequence[ToolSpec]) -> tuple[str, tuple[ToolCall, ...]]:
    """The prose and the calls of a whole reply's content."""
    reader = ReplyReader(tools)
    reader.feed(text)
    outcome = reader.finish("stop")
    return outcome.text, outcome.calls


def _sentence(name: str, error: UnreadableError) -> str:
    return f"The call of `{name}` was not executed: {error}. Send it again, whole and in the right form."


def _joined(before: str, after: str) -> str:
    if not before:
        return after
    return f"{before}\n\n{after.strip()}" if after.strip() else before


def _resume(text: str, opening: Opening) -> int:
    """Where prose goes on behind a call that cannot be read."""
    closers = {"xml": "</tool_call>", "hermes": "</tool_call>", "bare": "\n\n"}
    closer = closers.get(opening.form, "\n" + opening.fence)
    at = text.rfind(closer) if opening.form == "xml" else text.find(closer, opening.inner)
    return len(text) if at < 0 else at + len(closer)
