"""Settings are read leniently: what is wrong or unknown is told, the rest holds."""

import json
from pathlib import Path

import pytest

from kaaj_protocol import schema
from kaaj_protocol.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_set_is_all_defaults() -> None:
    for raw in (None, {}, {"mode": None, "baseUrl": None}):
        assert read_settings(raw).settings == Settings()


def test_names_are_read_as_an_editor_writes_them_and_in_snake_case() -> None:
    for raw in ({"baseUrl": "http://a/v1", "maxSteps": 3}, {"base_url": "http://a/v1", "max_steps": 3}):
        read = read_settings(raw)
        assert (read.settings.base_url, read.settings.max_steps) == ("http://a/v1", 3)
        assert not read.unknown
        assert not read.faults


def test_mcp_servers_are_read() -> None:
    given = {
        "shop": {"command": "shop-mcp", "args": ["-v"], "env": {"A": "b"}, "allow": ["price"]},
        "web": {"url": "http://a", "headers": {"Authorization": "Bearer x"}},
    }
    read = read_settings({"mcp": given})
    assert not read.faults
    assert read.settings.mcp["shop"].args == ["-v"]
    assert read.settings.mcp["web"].url == "http://a"
    assert read.settings.mcp["web"].headers == {"Authorization": "Bearer x"}


@pytest.mark.parametrize(
    "given",
    [
        {"command": "shop-mcp", "headers": {"A": "b"}},
        {"url": "http://a", "headers": {"A": "b\r\nHost: c"}},
        {"url": "http://a", "headers": {"A b": "c"}},
        {"url": "http://a", "headers": {"A": 3}},
    ],
)
def test_headers_of_an_mcp_server_that_make_no_sense(given: object) -> None:
    read = read_settings({"mcp": {"web": given}})
    assert read.faults
    assert not read.settings.mcp


def test_several_endpoints_keep_their_order() -> None:
    assert read_settings({"baseUrl": ["http://b", "http://a"]}).settings.base_url == ["http://b", "http://a"]


def test_unknown_names_are_told_and_skipped() -> None:
    read = read_settings({"maxSteps": 3, "colour": "red", "size": 1, "path": "kaaj", "trace": {"server": "off"}})
    assert read.settings.max_steps == 3
    assert read.unknown == ("colour", "size")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("maxSteps", "many"),
        ("maxSteps", 0),
        ("maxSteps", True),
        ("mode", "yolo"),
        ("sandbox", "none"),
        ("baseUrl", "ftp://a"),
        ("baseUrl", ["http://a", 3]),
        ("apiKey", 3),
        ("hideSecrets", "no"),
        ("temperature", 9),
        ("mcp", {"shop": {}}),
        ("mcp", {"shop": {"command": "shop", "url": "http://a"}}),
        ("mcp", {"no name": {"command": "shop"}}),
        ("mcp", ["shop"]),
    ],
)
def test_a_wrong_setting_is_told_and_the_rest_holds(name: str, value: object) -> None:
    read = read_settings({name: value, "model": "qwen", "checkTimeout": 5})
    assert read.settings == Settings(model="qwen", check_timeout=5)
    assert {fault.field.partition(".")[0] for fault in read.faults} == {name}


@pytest.mark.parametrize("raw", [[], "x", 3])
def test_settings_that_are_no_object_are_told(raw: object) -> None:
    read = read_settings(raw)
    assert read.settings == Settings()
    assert [str(fault) for fault in read.faults] == ["the settings must be an object"]


def test_the_key_is_shown_nowhere() -> None:
    read = read_settings({"apiKey": "sk-very-secret", "mode": "sk-very-secret"})
    assert "sk-very" not in repr(read)
    assert read.settings.api_key.get_secret_value() == "sk-very-secret"


def test_a_workspace_opened_in_vs_code_can_set_none_of_them() -> None:
    manifest = json.loads((ROOT / "client-vscode" / "package.json").read_text(encoding="utf-8"))
    contributed = manifest["contributes"]["configuration"]["properties"]
    wanted = {f"kaaj.{name}" for name in schema.settings_schema()["properties"]}
    assert wanted - contributed.keys() == {"kaaj.apiKey"}  # it is kept as a secret there, never as a setting
    out_of_reach = ("machine", "application")  # a workspace can set neither
    assert {name: row["scope"] for name, row in contributed.items() if row["scope"] not in out_of_reach} == {}


def test_every_setting_says_what_it_does() -> None:
    for name, row in schema.settings_schema()["properties"].items():
        assert row["description"].endswith("."), name
        assert "default" in row or row["anyOf"][-1] == {"type": "null"}, name
