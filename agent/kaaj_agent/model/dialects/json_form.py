"""Calls as JSON in the content: Hermes (`<tool_call>{...}</tool_call>`), in a fence, or bare.

`{"name": NAME, "arguments": {...}}`, as Qwen2.5 and the Hermes models write it; also `parameters` for
`arguments`, a `function` object around both, and a list of several.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from kaaj_agent.model.dialects.arguments import UnreadableError, is_a, load_arguments, once, stops_short
from kaaj_agent.model.dialects.xml_form import CutShortError
from kaaj_agent.ports import Json

_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=once)
_KEYS = {"name", "arguments", "parameters", "id", "type", "function"}
_NAME = re.compile(r'"name"\s*:\s*"([\w.:-]+)"')
_ARGUMENTS = re.compile(r'"(?:arguments|parameters)"\s*:')
_CLOSER = re.compile(r"\s*</\s*tool_call\s*>")


class NotACallError(UnreadableError):
    """It is good JSON and something else."""


@dataclass(frozen=True, slots=True)
class JsonCall:
    name: str
    arguments: dict[str, Json]


def name_in(text: str, start: int) -> str:
    """The name in what was meant as a call and cannot be read; "" where it does not even look like one."""
    found = _NAME.search(text, start)
    return found[1] if found and _ARGUMENTS.search(text, start) else ""


def read_hermes(text: str, start: int) -> tuple[list[JsonCall], int]:
    """The calls of the element whose JSON begins at `start` (behind `<tool_call>`), and the offset behind it.

    Raises UnreadableError, as CutShortError where the end is missing.
    """
    calls, end = _values(text, start)
    closer = _CLOSER.match(text, end)
    if closer is None:
        if not text[end:].strip() or "</tool_call>".startswith("".join(text[end:].split())):
            raise CutShortError("</tool_call> is missing")
        raise UnreadableError("</tool_call> does not follow the JSON object")
    return calls, closer.end()


def read_fenced(text: str, start: int, fence: str) -> tuple[list[JsonCall], int] | None:
    """The calls that are all that stands in a fence; None where it holds something else."""
    calls, end = _values(text, start)
    closer = _CLOSER.match(text, end)
    end = closer.end() if closer else end
    close = re.compile(r"[ \t]*\r?\n?\s*" + re.escape(fence) + r"+[ \t]*(?:\r?\n|\Z)").match(text, end)
    if close is not None:
        return calls, close.end()
    rest = text[end:].strip()
    if not rest or fence.startswith(rest):
        raise CutShortError("the fence is not closed")
    return None


def read_bare(text: str, start: int) -> tuple[list[JsonCall], int] | None:
    """The calls that begin at `start` and end the reply, or are closed like a call whose opening tag was lost; None
    where something else follows.
    """
    calls, end = _values(text, start)
    closer = _CLOSER.match(text, end)
    if closer is not None:
        return calls, closer.end()
    rest = "".join(text[end:].split())
    if rest and rest != "</tool_call>" and "</tool_call>".startswith(rest):
        raise CutShortError("the reply ends in the middle of it")
    return None if rest else (calls, end)


def _values(text: str, start: int) -> tuple[list[JsonCall], int]:
    """One object, a list of objects, or objects one after another."""
    calls: list[JsonCall] = []
    end = start
    while True:
        try:
            value, end = _DECODER.raw_decode(text, end)
        except (ValueError, RecursionError) as error:
            if isinstance(error, json.JSONDecodeError) and stops_short(error, text):
                raise CutShortError("the reply ends in the middle of it") from error
            raise UnreadableError(f"it is not valid JSON ({error})") from error
        items: list[Json] = list(value) if is_a(value, list) else [value]
        calls += [_call(item) for item in items]
        following = re.compile(r"[\s,;]*(?=\{)").match(text, end)
        if following is None:
            return calls, end
        end = following.end()


def _call(value: Json) -> JsonCall:
    if isinstance(value, Mapping):
        members = dict(cast("Mapping[str, Json]", value))
        inner: Json = members.get("function")
        if isinstance(inner, Mapping):
            members = {**members, **cast("Mapping[str, Json]", inner)}
            del members["function"]
        name: Json = members.get("name", inner)
        arguments: Json = members.get("arguments", members.get("parameters"))
        if isinstance(name, str) and set(members) <= _KEYS and not {"arguments", "parameters"} <= set(members):
            if isinstance(arguments, str):
                return JsonCall(name, load_arguments(arguments))
            if isinstance(arguments, dict):
                return JsonCall(name, cast("dict[str, Json]", arguments))
            if arguments is None:
                return JsonCall(name, {})
    raise NotACallError('it is not of the form {"name": ..., "arguments": {...}}')
