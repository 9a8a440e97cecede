"""The JSON Schemas in protocol/schema, made from the models: `python -m kaaj_protocol.schema [--check] [FOLDER]`.

Clients in other languages are generated from them. `--check` writes nothing and exits 1 where a file has drifted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from kaaj_protocol import names
from kaaj_protocol.commands import ARGUMENTS, RESULTS
from kaaj_protocol.events import adapter
from kaaj_protocol.requests import REQUESTS
from kaaj_protocol.settings import Settings
from kaaj_protocol.version import PROTOCOL_VERSION
from kaaj_protocol.wire import Json

FOLDER: Final = Path(__file__).resolve().parent.parent / "schema"
"""Where the schemas stand in the repository. An installed package has none."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """What the server sends always has its fields, save those that are None and therefore left out."""

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,  # noqa: FBT001 - pydantic's signature
    ) -> bool:
        inner = field["schema"]
        if self.mode == "serialization" and inner["type"] == "default":
            return inner.get("default") is not None
        return super().field_is_required(field, total)

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Json:
        if self.mode == "serialization":
            return self.generate_inner(schema["schema"])
        return super().nullable_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Json:
        made = super().default_schema(schema)
        if made.get("default", ...) is None:
            del made["default"]
        return made

    def field_title_should_be_set(self, schema: Json) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def events_schema() -> dict[str, Json]:
    """Any event, as the parameters of `kaaj/event`."""
    schema = adapter().json_schema(mode="serialization", schema_generator=_Generator)
    about = "The parameters of the notification kaaj/event."
    return {"$schema": _DIALECT, "title": "KaajEvent", "description": about, **schema}


def commands_schema() -> dict[str, Json]:
    """One object with a property for each command, which holds its argument and its result."""
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(m, "validation") for m in {*ARGUMENTS.values()}]
    outputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(m, "serialization") for m in {*RESULTS.values()}]
    wanted = sorted(inputs + outputs, key=lambda row: row[0].__name__)
    refs, schema = models_json_schema(wanted, schema_generator=_Generator)
    properties = {
        command: {
            "type": "object",
            "properties": {
                "argument": refs[ARGUMENTS[command], "validation"],
                "result": refs[RESULTS[command], "serialization"],
            },
            "required": ["argument", "result"],
            "additionalProperties": False,
        }
        for command in names.COMMANDS
    }
    return {
        "$schema": _DIALECT,
        "title": "KaajCommands",
        "description": "The argument and the result of each command of workspace/executeCommand.",
        "type": "object",
        "properties": properties,
        "required": list(names.COMMANDS),
        "additionalProperties": False,
        **schema,
    }


def requests_schema() -> dict[str, Json]:
    """One object with a property for each request of the server's, which holds its parameters and its answer."""
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for params, answer in REQUESTS.values():
        wanted.append((params, "serialization"))
        wanted.append((answer, "validation"))
    refs, schema = models_json_schema(wanted, schema_generator=_Generator)
    properties = {
        method: {
            "type": "object",
            "properties": {"params": refs[params, "serialization"], "result": refs[answer, "validation"]},
            "required": ["params", "result"],
            "additionalProperties": False,
        }
        for method, (params, answer) in REQUESTS.items()
    }
    return {
        "$schema": _DIALECT,
        "title": "KaajRequests",
        "description": "The parameters and the answer of each request from the server to the client.",
        "type": "object",
        "properties": properties,
        "required": list(REQUESTS),
        "additionalProperties": False,
        **schema,
    }


def settings_schema() -> dict[str, Json]:
    """The section `kaaj` of the settings."""
    schema = Settings.model_json_schema(by_alias=True, schema_generator=_Generator)
    schema["properties"]["apiKey"]["default"] = ""
    return {"$schema": _DIALECT, **schema, "title": "KaajSettings"}


def schemas() -> dict[str, str]:
    """The text of each file by its name."""
    made = {
        "commands": commands_schema(),
        "events": events_schema(),
        "requests": requests_schema(),
        "settings": settings_schema(),
    }
    for schema in made.values():
        schema["x-kaaj-protocol"] = PROTOCOL_VERSION
    return {f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in made.items()}


def drift(folder: Path = FOLDER) -> list[str]:
    """The files in `folder` that are not what the models give, by name."""
    wanted = schemas()
    there = {path.name for path in folder.glob("*.json")} if folder.is_dir() else set[str]()
    stale = [
        name
        for name, text in wanted.items()
        if name not in there or (folder / name).read_text(encoding="utf-8") != text
    ]
    return sorted([*stale, *(there - wanted.keys())])


def main(arguments: Sequence[str]) -> int:
    rest = [word for word in arguments if word != "--check"]
    folder = Path(rest[0]) if rest else FOLDER
    if "--check" in arguments:
        stale = drift(folder)
        for name in stale:
            sys.stderr.write(f"{name} is not what the models give: run `python -m kaaj_protocol.schema`\n")
        return 1 if stale else 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
