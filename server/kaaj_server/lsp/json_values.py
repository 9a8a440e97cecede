"""Plain JSON values, looked at with types: what is not of the asked kind counts as absent."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

Json: TypeAlias = Any


def an_object(value: Json) -> dict[str, Json]:
    """The object, or an empty one."""
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


def a_list(value: Json) -> list[Json]:
    """The list, or an empty one."""
    return [*value] if isinstance(value, list) else []


def a_string(value: Json) -> str:
    """The string, or an empty one."""
    return value if isinstance(value, str) else ""
