"""What was found out about an endpoint, kept from one session to the next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kaaj_agent.model.memory import FILE, Learned, Memory

URL = "https://models.example/v1"


def test_kept_per_base_url_and_model(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "state")
    assert memory.of(URL, "a") is None
    memory.keep(URL, "a", Learned(frozenset({"tools"}), "xml"))
    memory.keep(URL + "/", "b", Learned())
    assert Memory(tmp_path / "state").of(URL, "a") == Learned(frozenset({"tools"}), "xml")
    assert memory.of(URL, "b") == Learned()
    assert memory.of("https://other.example/v1", "a") is None
    memory.keep(URL, "a", None)
    assert memory.of(URL, "a") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "\x00", '{"https://models.example/v1 a": []}', '{"https://models.example/v1 a": 1}']
)
def test_a_damaged_file_is_nothing_learned(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    memory = Memory(tmp_path)
    assert memory.of(URL, "a") is None
    memory.keep(URL, "a", Learned(frozenset({"seed"})))
    assert memory.of(URL, "a") == Learned(frozenset({"seed"}))


def test_only_parameters_can_be_left_out(tmp_path: Path) -> None:
    entry = {"without": ["messages", "model", "top_k", 7], "dialect": None}
    (tmp_path / FILE).write_text(json.dumps({f"{URL} a": entry}))
    assert Memory(tmp_path).of(URL, "a") == Learned(frozenset({"top_k"}))


def test_no_name_password_or_key_of_the_url_is_written(tmp_path: Path) -> None:
    Memory(tmp_path).keep("https://me:hush@models.example/v1?key=hush", "a", Learned())
    assert "hush" not in (tmp_path / FILE).read_text()
    assert Memory(tmp_path).of(URL, "a") == Learned()
