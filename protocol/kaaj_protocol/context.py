"""What a person hands along with a prompt: files, folders, ranges, problems, and text (`context` of `kaaj.start`)."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypeAliasType

from kaaj_protocol.wire import Message, Range, Uri

CONTEXT_MAX: Final = 50
"""Items that one task takes."""
TEXT_MAX: Final = 200_000
"""Characters of one pasted or dropped text."""

Label: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class FileContext(Message):
    """A file of the workspace, as the editor has it."""

    kind: Literal["file"]
    uri: Uri


class FolderContext(Message):
    """A folder of the workspace; the model gets a listing."""

    kind: Literal["folder"]
    uri: Uri


class RangeContext(Message):
    """Lines of a file: a selection, or a symbol where `name` is there."""

    kind: Literal["range"]
    uri: Uri
    range: Range
    name: Label | SkipJsonSchema[None] = None


class ProblemsContext(Message):
    """The problems that the editor shows now: of a file, or all of them."""

    kind: Literal["problems"]
    uri: Uri | SkipJsonSchema[None] = None


class TextContext(Message):
    """Text that was pasted or dropped; `name` is what to call it."""

    kind: Literal["text"]
    name: Label
    text: Annotated[str, Field(max_length=TEXT_MAX)]


ContextItem = TypeAliasType(
    "ContextItem",
    Annotated[
        FileContext | FolderContext | RangeContext | ProblemsContext | TextContext,
        Field(discriminator="kind"),
    ],
)
"""One thing handed along; `kind` tells which. It has a name of its own in the schema, and so in a client's types."""

Context: TypeAlias = Annotated[list[ContextItem], Field(max_length=CONTEXT_MAX)]
