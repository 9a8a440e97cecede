"""Arguments as a model wrote them, coerced by the tool's JSON Schema.

Models write numbers and booleans as strings, whole objects as JSON in a string, `null` for what they leave out.
What has one meaning is mended; what has none or two is refused with a sentence for the model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from kaaj_agent.ports import Json, ToolSpec


class UnreadableError(Exception):
    """What the model wrote cannot be read unambiguously; the text is for the model."""


_MISSING = object()
_HALF = re.compile(r"(?:\.|[eE][+-]?)\Z")
"""What is left of a number whose end is missing, behind what can be read of it."""


def coerce(tool: ToolSpec, raw: Mapping[str, Json], *, texts: bool = False) -> dict[str, Json]:
    """The arguments in the types of the schema. `texts`: every value is raw text (the XML form).

    Raises UnreadableError that names the argument.
    """
    properties: Mapping[str, Mapping[str, Json]] = tool.parameters.get("properties") or {}
    required: list[str] = list(tool.parameters.get("required") or ())
    values: dict[str, Json] = {}
    for key, value in raw.items():
        schema = properties.get(key)
        if schema is None:
            if tool.parameters.get("additionalProperties"):
                values[key] = value
                continue
            known = ", ".join(properties) or "none"
            raise UnreadableError(f"`{tool.name}` has no argument `{key}`; its arguments are: {known}")
        read = _text_value(key, value, schema) if texts else _value(key, value, schema)
        if read is None and "null" not in _types(schema):
            if key in required:
                raise UnreadableError(f"the argument `{key}` of `{tool.name}` must not be null")
            continue  # an optional argument given as null was left out
        values[key] = read
    for key in required:
        if key not in values:
            raise UnreadableError(f"the argument `{key}` of `{tool.name}` is missing")
    return values


def load_arguments(raw: str) -> dict[str, Json]:
    """The object in `raw`, also where it was encoded twice. Raises UnreadableError."""
    value: Json = load_json(raw) if raw.strip() else {}
    if isinstance(value, str):
        value = load_json(value)
    if value is None:
        return {}
    if not is_a(value, dict):
        raise UnreadableError("the arguments are not a JSON object")
    return dict(value)


def load_json(raw: str) -> Json:
    """JSON in which a string may hold raw line ends. A key given twice is refused. Raises UnreadableError."""
    try:
        return json.loads(raw, strict=False, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"the arguments are not valid JSON ({error})") from error


def stops_short(error: json.JSONDecodeError, text: str) -> bool:
    """Whether the JSON is fine as far as it goes: the decoder stumbles over the end of the text."""
    if error.msg.startswith("Unterminated string") or ("uXXXX" in error.msg and '"' not in text[error.pos :]):
        return True
    rest = text[error.pos :].strip()
    return (
        not rest
        or any(word.startswith(rest) for word in ("true", "false", "null", "-"))
        or _HALF.match(rest) is not None
    )


def once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """An object of which no key is given twice: the second would silently win."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise UnreadableError("a key of the JSON object is given twice")
    return made


def _types(schema: Mapping[str, Json]) -> set[str]:
    declared: Json = schema.get("type")
    if isinstance(declared, str):
        return {declared}
    if is_a(declared, list):
        return {str(name) for name in declared}
    branches: list[Mapping[str, Json]] = schema.get("anyOf") or schema.get("oneOf") or []
    found = {name for branch in branches for name in _types(branch)}
    if not found and "enum" in schema:
        return {"string"} if all(isinstance(entry, str) for entry in schema["enum"]) else set()
    return found


def _text_value(key: str, text: str, schema: Mapping[str, Json]) -> Json:
    types = _types(schema)
    if "string" in types or not types:
        bare = text.strip()
        options: list[Json] = schema.get("enum") or []
        return bare if text not in options and bare in options else text
    return _value(key, text.strip(), schema)


def _value(key: str, value: Json, schema: Mapping[str, Json]) -> Json:
    types = _types(schema)
    if value is None or not types:
        return value
    if isinstance(value, str) and "string" not in types:
        if value.lower() in {"null", "none", ""}:
            return None
        parsed = _parsed(value)
        value = value if parsed is _MISSING else parsed
        if value is None:
            return None
    for name in ("boolean", "integer", "number", "array", "object", "string"):
        if name in types:
            read = _as(name, value)
            if read is not _MISSING:
                return _inside(key, read, schema)
    wanted = " or ".join(sorted(types))
    raise UnreadableError(f"the argument `{key}` must be of type {wanted}, not {_shown(value)}")


def _inside(key: str, value: Json, schema: Mapping[str, Json]) -> Json:
    """The members of an array or an object, coerced too."""
    if is_a(value, list) and isinstance(schema.get("items"), Mapping):
        items: list[Json] = list(value)
        return [_value(f"{key}[{at}]", item, schema["items"]) for at, item in enumerate(items)]
    if is_a(value, dict) and isinstance(schema.get("properties"), Mapping):
        members: dict[str, Json] = dict(value)
        known: Mapping[str, Mapping[str, Json]] = schema["properties"]
        for name in schema.get("required") or ():
            if name not in members:
                raise UnreadableError(f"`{key}` lacks `{name}`")
        return {
            name: _value(f"{key}.{name}", member, known[name]) if name in known else member
            for name, member in members.items()
        }
    return value


def _as(name: str, value: Json) -> Json:
    match name:
        case "boolean":
            if isinstance(value, bool):
                return value
            lowered = value.strip().lower() if isinstance(value, str) else value
            return lowered == "true" if lowered in ("true", "false") else _MISSING
        case "integer":
            if isinstance(value, float) and value.is_integer():
                return int(value)
            return value if isinstance(value, int) and not isinstance(value, bool) else _MISSING
        case "number":
            return value if isinstance(value, int | float) and not isinstance(value, bool) else _MISSING
        case "array":
            return value if is_a(value, list) else _MISSING
        case "object":
            return value if is_a(value, dict) else _MISSING
        case _:
            if isinstance(value, int | float) and not isinstance(value, bool):
                return json.dumps(value)
            return value if isinstance(value, str) else _MISSING


def is_a(value: Json, kind: type) -> bool:
    """`isinstance` that leaves a JSON value as untyped as it was."""
    return isinstance(value, kind)


def _parsed(text: str) -> Json:
    """A value of JSON in a string; Python's `True` and `False` are what Qwen writes at times."""
    if text in {"True", "False"}:
        return text == "True"
    try:
        return json.loads(text, strict=False, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return _MISSING


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
