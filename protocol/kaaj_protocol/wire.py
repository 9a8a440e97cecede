"""What all messages have in common, and how a message that is wrong is told to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Json: TypeAlias = Any

Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
"""An opaque name that the server gave. Clients compare it and send it back, nothing else."""

Uri: TypeAlias = Annotated[str, Field(min_length=1)]
"""A document's URI as the client writes it."""

Seconds: TypeAlias = Annotated[float, Field(ge=0)]
Count: TypeAlias = Annotated[int, Field(ge=0)]


class Message(BaseModel):
    """The base of every message: immutable, types as they stand (no "3" for 3), no field that is not named."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    def to_wire(self) -> dict[str, Json]:
        """The message as JSON values. A field that has nothing to say is left out, never sent as null."""
        return self.model_dump(mode="json", exclude_none=True)


class Position(Message):
    """A place between two characters, as LSP has it.

    `line` and `character` count from 0; `character` counts code units of the position encoding that was negotiated
    in `initialize` (UTF-16 unless said otherwise).
    """

    line: Annotated[int, Field(ge=0, le=2**31 - 1)]
    character: Annotated[int, Field(ge=0, le=2**31 - 1)]


class Range(Message):
    """From `start` up to `end`, the latter not included, as LSP has it."""

    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field. `field` is dotted (`items.0.title`), and empty where it is the whole value."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}" if self.field else self.problem


_PLAIN = {
    "extra_forbidden": "there is no such field",
    "missing": "this field is required",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_pattern_mismatch": "must not be blank",
}


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """What pydantic found, each with its field's name. The values themselves are not repeated: one may be a key."""
    found: dict[str, str] = {}
    for row in error.errors(include_url=False, include_input=False):
        # A union's branches show up as names of types in the path; a field of ours is lower case or a number.
        parts = [str(part) for part in _without_kind(row["loc"]) if isinstance(part, int) or _is_field(part)]
        problem = _PLAIN.get(row["type"]) or row["msg"].removeprefix("Value error, ")
        problem = problem.replace("Input should be", "must be")
        field = ".".join(parts)
        before = found.get(field)
        found[field] = f"{before}, or {problem}" if before and problem not in before else problem
    return tuple(Fault(field, problem) for field, problem in found.items())


def _without_kind(place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The path of a field; what was handed along is told apart by its kind, which is a part of pydantic's path."""
    return (*place[:2], *place[3:]) if place[:1] == ("context",) and len(place) > 3 else place


_TYPE_NAMES = frozenset({"str", "int", "float", "bool", "dict", "none"})


def _is_field(part: str) -> bool:
    return not part[:1].isupper() and part not in _TYPE_NAMES and "[" not in part
