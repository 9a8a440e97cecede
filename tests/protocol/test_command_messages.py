"""The arguments of the commands: good ones are read, bad ones are refused by the name of the field."""

from typing import Any

import pytest

from kaaj_protocol import names
from kaaj_protocol.commands import (
    ARGUMENTS,
    RESULTS,
    FixArgument,
    InvalidArgumentError,
    SnapshotArgument,
    StartArgument,
    parse_argument,
)

RANGE = {"start": {"line": 2, "character": 0}, "end": {"line": 3, "character": 4}}
URI = "file:///tmp/a.py"

GOOD: list[tuple[str, dict[str, Any]]] = [
    (names.START, {"prompt": "do it"}),
    (names.START, {"prompt": "do it", "mode": "plan", "uri": URI, "range": RANGE, "session": "s"}),
    (names.CANCEL, {"task": "k1"}),
    (names.ACCEPT, {"change": "c1", "digest": "abc", "hunks": ["h1", "h2"]}),
    (names.REJECT, {"change": "c1", "digest": "abc", "reason": "not like this"}),
    (names.UNDO, {"change": "c1"}),
    (names.TODO, {"task": "k1", "items": [{"id": "t1", "title": "one", "status": "skipped"}, {"title": "two"}]}),
    (names.SNAPSHOT, {}),
    (names.SNAPSHOT, {"session": "s1"}),
    (names.FIX, {"uri": URI, "range": RANGE}),
    (names.FORGET, {"session": "s1"}),
    (
        names.START,
        {
            "prompt": "do it",
            "context": [
                {"kind": "file", "uri": URI},
                {"kind": "folder", "uri": "file:///tmp"},
                {"kind": "range", "uri": URI, "range": RANGE, "name": "total"},
                {"kind": "problems"},
                {"kind": "text", "name": "log", "text": ""},
            ],
            "todo": [{"title": "one", "status": "done"}, {"title": "two"}],
        },
    ),
]

BAD: list[tuple[str, Any, str]] = [
    (names.START, {"prompt": 3}, "prompt: must be a string"),
    (names.START, {"prompt": " \n\t"}, "prompt: must not be blank"),
    (names.START, {"prompt": "x", "mode": "yolo"}, "mode: must be 'plan', 'ask' or 'auto'"),
    (names.START, {"prompt": "x", "range": RANGE}, "uri: a range needs the uri of its document"),
    (names.ACCEPT, {"change": "c", "digest": "d", "hunks": []}, "hunks: must not be empty"),
    (names.ACCEPT, {"change": "c", "digest": "d", "hunks": ["h", 1]}, "hunks.1: must be a string"),
    (names.TODO, {"task": "k", "items": [{"title": "a"}, {"title": ""}]}, "items.1.title: must not be empty"),
    (names.TODO, {"task": "k", "items": {"title": "a"}}, "items: must be a list"),
    (
        names.FIX,
        {"uri": URI, "range": {"start": {"line": -1, "character": 0}, "end": {"line": 1.5, "character": 0}}},
        "range.start.line: must be greater than or equal to 0; range.end.line: must be a whole number",
    ),
    (names.FIX, {"uri": URI, "range": RANGE, "diagnostics": [{}]}, "diagnostics.0.range: this field is required"),
    (names.START, {"prompt": "x", "context": [{"kind": "file"}]}, "context.0.uri: this field is required"),
    (
        names.START,
        {"prompt": "x", "context": [{"kind": "text", "name": "t", "text": "x" * 200_001}]},
        "context.0.text: String should have at most 200000 characters",
    ),
    (names.START, {"prompt": "x", "todo": []}, "todo: must not be empty"),
    (names.CANCEL, "k1", "must be an object"),
    (names.CANCEL, None, "must be an object"),
]

REQUIRED = {
    names.START: ["prompt"],
    names.CANCEL: ["task"],
    names.ACCEPT: ["change", "digest"],
    names.REJECT: ["change", "digest"],
    names.UNDO: ["change"],
    names.TODO: ["task", "items"],
    names.SNAPSHOT: [],
    names.FIX: ["uri", "range"],
    names.FORGET: ["session"],
}


def test_every_command_has_an_argument_and_a_result() -> None:
    assert set(names.COMMANDS) == set(ARGUMENTS) == set(RESULTS) == set(REQUIRED)


@pytest.mark.parametrize(("command", "argument"), GOOD)
def test_a_good_argument_is_read_and_goes_back_as_it_came(command: str, argument: dict[str, Any]) -> None:
    assert parse_argument(command, [argument]).to_wire() == argument


@pytest.mark.parametrize(("command", "argument"), GOOD)
def test_an_unknown_field_is_refused_by_name(command: str, argument: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{command}: colour: there is no such field$") as caught:
        parse_argument(command, [{**argument, "colour": "red"}])
    assert caught.value.field == "colour"


@pytest.mark.parametrize(("command", "field"), [(c, field) for c, fields in REQUIRED.items() for field in fields])
def test_a_missing_field_is_named(command: str, field: str) -> None:
    argument = next(dict(argument) for name, argument in GOOD if name == command)
    del argument[field]
    with pytest.raises(InvalidArgumentError) as caught:
        parse_argument(command, [argument])
    assert str(caught.value) == f"{command}: {field}: this field is required"


@pytest.mark.parametrize(("command", "argument", "message"), BAD)
def test_a_wrong_value_is_told_by_its_field(command: str, argument: object, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        parse_argument(command, [argument])
    assert str(caught.value).startswith(f"{command}: {message}")


@pytest.mark.parametrize("arguments", [None, [], [{"task": "k1"}, {"task": "k2"}]])
def test_a_command_takes_exactly_one_object(arguments: list[Any] | None) -> None:
    with pytest.raises(InvalidArgumentError, match="takes one object"):
        parse_argument(names.CANCEL, arguments)


def test_the_snapshot_may_be_asked_for_without_an_argument() -> None:
    assert parse_argument(names.SNAPSHOT, None) == SnapshotArgument()


def test_null_stands_for_a_field_that_is_not_there() -> None:
    assert parse_argument(names.START, [{"prompt": "x", "mode": None}]) == StartArgument(prompt="x")


def test_a_diagnostic_is_taken_with_all_that_an_editor_sends_along() -> None:
    argument = parse_argument(
        names.FIX,
        [
            {
                "uri": URI,
                "range": RANGE,
                "diagnostics": [
                    {
                        "range": RANGE,
                        "message": {"kind": "markdown", "value": "`x` is unbound"},
                        "severity": 1,
                        "code": 42,
                        "codeDescription": {"href": "https://example.org"},
                        "tags": [1],
                        "data": {"any": "thing"},
                    }
                ],
            }
        ],
    )
    assert isinstance(argument, FixArgument)
    assert argument.diagnostics is not None
    assert argument.diagnostics[0].text == "`x` is unbound"


def test_the_message_does_not_repeat_the_value() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        parse_argument(names.START, [{"prompt": ["my secret"]}])
    assert "secret" not in str(caught.value)


def test_there_is_no_other_command() -> None:
    with pytest.raises(KeyError):
        parse_argument("kaaj.destroy", [{}])
