"""OpenAI's own `tool_calls`, put together from their pieces.

Servers differ: no index, the same index for every call, the name repeated in every piece, arguments as an object.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from kaaj_agent.model.dialects.arguments import UnreadableError, stops_short
from kaaj_agent.model.dialects.halves import whole
from kaaj_agent.ports import Json

_SIGN = re.compile(r'["\\{}\[\]]')


class JsonEnd:
    """Sees where a JSON object that arrives in pieces ends. Each character is looked at once."""

    def __init__(self) -> None:
        self.reached = False
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, piece: str) -> None:
        at = 1 if self._escaped and piece else 0
        self._escaped = self._escaped and not piece
        while match := _SIGN.search(piece, at):
            sign, at = match[0], match.end()
            if sign == "\\":
                if self._in_string:
                    self._escaped = at == len(piece)
                    at += 1
            elif sign == '"':
                self._in_string = not self._in_string
            elif not self._in_string:
                self._depth += 1 if sign in "{[" else -1
                self.reached = self.reached or self._depth == 0


@dataclass(slots=True)
class NativeCall:
    """A call that still grows."""

    index: int | None
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list[str])
    received: int = 0
    end: JsonEnd = field(default_factory=JsonEnd)

    @property
    def arguments(self) -> str:
        return whole("".join(self.pieces))


class NativeCalls:
    """The calls of one reply in the order in which they began."""

    def __init__(self) -> None:
        self.calls: list[NativeCall] = []

    def feed(self, index: int | None, call_id: str, name: str, arguments: Json) -> NativeCall:
        """One piece. Returns the call that it belongs to."""
        call = self._find(index, call_id, name)
        call.id = call.id or call_id
        if name and name != call.name and not call.received:
            call.name += name
        piece = arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments is not None else ""
        call.pieces.append(piece)
        call.end.feed(piece)
        call.received += len(piece)
        return call

    def _find(self, index: int | None, call_id: str, name: str) -> NativeCall:
        for call in reversed(self.calls):
            same_id = not call_id or not call.id or call.id == call_id
            if (index is None or call.index == index) and (same_id or not name):
                if not (index is None and name and call.name and not call_id):
                    return call
                break
        made = NativeCall(index)
        self.calls.append(made)
        return made


def looks_cut(arguments: str) -> bool:
    """Whether a JSON text stops in its middle, as opposed to being wrong."""
    try:
        json.loads(arguments, strict=False)
    except json.JSONDecodeError as error:
        return stops_short(error, arguments)
    except (ValueError, RecursionError, UnreadableError):
        return False
    return False
