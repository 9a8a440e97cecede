"""Values to JSON and back, for the session log.

A dataclass becomes an object with its class name under `$`; tuples become lists and lists tuples again; a path, a
set, bytes and a mapping with keys that are no strings are objects with one key that begins with `$`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

from kaaj_agent import attachments, changes, document, events, hunks, ports, todo

_CLASSES: dict[str, type[Any]] = {
    cls.__name__: cls
    for module in (attachments, changes, document, events, hunks, ports, todo)
    for cls in vars(module).values()
    if isinstance(cls, type) and is_dataclass(cls) and cls.__module__ == module.__name__
}


def to_json(value: Any) -> Any:
    """A value of the ground floor as plain JSON. Raises TypeError for what has no form."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Path):
        return {"$path": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": value.decode("latin-1")}
    if isinstance(value, frozenset):
        rows = cast("frozenset[object]", value)
        return {"$set": sorted((to_json(item) for item in rows), key=str)}
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, Any]", value)
        if all(isinstance(key, str) and not key.startswith("$") for key in pairs):
            return {key: to_json(item) for key, item in pairs.items()}
        return {"$map": [[to_json(key), to_json(item)] for key, item in pairs.items()]}
    if isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        return [to_json(item) for item in items]
    if is_dataclass(value) and not isinstance(value, type):
        row: dict[str, Any] = {"$": type(value).__name__}
        row.update((part.name, to_json(getattr(value, part.name))) for part in fields(value))
        return row
    raise TypeError(f"{type(value).__name__} has no JSON form")


def from_json(value: Any) -> Any:
    """The inverse of `to_json`. Raises KeyError or TypeError for a form that this version does not know."""
    if isinstance(value, list):
        items = cast("list[object]", value)
        return tuple(from_json(item) for item in items)
    if not isinstance(value, dict):
        return value
    row = cast("dict[str, Any]", value)
    if "$" in row:
        cls = _CLASSES[row["$"]]
        names = {part.name for part in fields(cls)}
        return cls(**{key: from_json(item) for key, item in row.items() if key in names})
    if "$path" in row:
        return Path(row["$path"])
    if "$bytes" in row:
        return str(row["$bytes"]).encode("latin-1")
    if "$set" in row:
        return frozenset(from_json(row["$set"]))
    if "$map" in row:
        return {from_json(key): from_json(item) for key, item in row["$map"]}
    return {key: from_json(item) for key, item in row.items()}
