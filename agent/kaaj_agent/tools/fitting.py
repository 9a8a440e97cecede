"""What may be wrong with a call before any tool sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from kaaj_agent.ports import ToolCall, ToolSpec
from kaaj_agent.prompt import sound


def sound_call(call: ToolCall) -> ToolCall:
    """The call, or one that is only answered where it holds what no encoding can carry."""
    try:
        (call.name + json.dumps(dict(call.arguments), ensure_ascii=False, default=str)).encode()
    except UnicodeEncodeError:
        error = "The call holds half a character (a lone surrogate); nothing was done. Write the character itself."
        return replace(call, name=sound(call.name), arguments={}, error=error)
    return call


def misfit(spec: ToolSpec, arguments: Mapping[str, Any]) -> str:
    """What is wrong with the arguments of a call, for the model; empty where nothing is."""
    names: Mapping[str, Any] = spec.parameters["properties"]
    missing = [name for name in spec.parameters["required"] if name not in arguments]
    if missing:
        return f"`{spec.name}` needs {', '.join(missing)}; nothing was done."
    unknown = [name for name in arguments if name not in names]
    if unknown:
        return f"`{spec.name}` has no {', '.join(unknown)}; it takes {', '.join(names)}. Nothing was done."
    for name, value in arguments.items():
        kind: str = names[name]["type"]
        if value is None and name not in spec.parameters["required"]:
            continue
        if not _fits(kind, value):
            return f"`{spec.name}`: {name} must be a{'n' if kind[0] in 'aio' else ''} {kind}. Nothing was done."
        if kind == "array":
            inner = names[name]["items"]
            for item in cast("Sequence[Any]", value):
                if not isinstance(item, Mapping) or any(key not in item for key in inner["required"][:1]):
                    return f"`{spec.name}`: each of {name} needs {', '.join(inner['required'])}. Nothing was done."
    return ""


def _fits(kind: str, value: object) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list | tuple)
        case _:
            return True
