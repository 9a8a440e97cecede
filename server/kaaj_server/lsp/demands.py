"""What the params of a request must hold before anything is done with them; else InvalidParams and the field's name."""

from __future__ import annotations

from typing import Any, TypeAlias

from kaaj_server.lsp.json_values import a_string, an_object
from kaaj_server.lsp.protocol import InvalidParamsError

Json: TypeAlias = Any


def demand_document(params: Json) -> None:
    """Raises InvalidParamsError where no document is named."""
    if not a_string(an_object(an_object(params).get("textDocument")).get("uri")):
        raise InvalidParamsError("textDocument.uri: this field is required", "textDocument.uri")


def demand_range(params: Json) -> None:
    """Raises InvalidParamsError for what is no range."""
    place = an_object(params.get("range"))
    for end in ("start", "end"):
        position = an_object(place.get(end))
        for part in ("line", "character"):
            if not isinstance(position.get(part), int):
                field = f"range.{end}.{part}"
                raise InvalidParamsError(f"{field}: must be a whole number", field)
