"""The server's text after any changes is the client's, in every position encoding."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaaj_agent.document import Document, Lines
from kaaj_server.lsp.documents import Documents
from kaaj_server.lsp.positions import Encoding, character_of, choose, index_of, lines_of

URI = "file:///w/a.py"
PATH = Path("/w/a.py")

# Line ends, what Python wrongly takes for one, and characters of 1, 2, 3 and 4 bytes.
ALPHABET = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "a", "b", " ", "é", "क", "😀", "𝒳"]
texts = st.lists(st.sampled_from(ALPHABET), max_size=30).map("".join)
encodings = st.sampled_from(["utf-8", "utf-16", "utf-32"])


@dataclass
class Heard:
    put: list[Document] = field(default_factory=list[Document])
    dropped: list[Path] = field(default_factory=list[Path])


def opened(text: str, encoding: Encoding = "utf-16") -> tuple[Documents, Heard]:
    heard = Heard()
    documents = Documents(
        lambda uri: Path(uri.removeprefix("file://")) if uri.startswith("file:") else None,
        heard.put.append,
        heard.dropped.append,
    )
    documents.encoding = encoding
    documents.opened({"textDocument": {"uri": URI, "languageId": "python", "version": 1, "text": text}})
    return documents, heard


def change(documents: Documents, version: int | None, *changes: dict[str, Any]) -> None:
    documents.changed({"textDocument": {"uri": URI, "version": version}, "contentChanges": list(changes)})


def span(a: int, b: int, c: int, d: int) -> dict[str, Any]:
    return {"start": {"line": a, "character": b}, "end": {"line": c, "character": d}}


class Editor:
    """An editor of its own kind: its text is a list of (character, units), and it finds lines by walking."""

    def __init__(self, text: str, encoding: Encoding) -> None:
        self.text = text
        self.encoding = encoding

    def units(self, char: str) -> int:
        codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[self.encoding]
        size = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[self.encoding]
        return len(char.encode(codec)) // size

    def offset(self, line: int, character: int) -> int:
        at = 0
        for _ in range(line):
            while at < len(self.text) and self.text[at] not in "\r\n":
                at += 1
            if at == len(self.text):
                return at
            at += 2 if self.text[at : at + 2] == "\r\n" else 1
        left = character
        while at < len(self.text) and self.text[at] not in "\r\n":
            left -= self.units(self.text[at])
            if left < 0:
                break
            at += 1
        return at

    def replace(self, a: int, b: int, c: int, d: int, new: str) -> None:
        start, end = sorted((self.offset(a, b), self.offset(c, d)))
        self.text = self.text[:start] + new + self.text[end:]


edits = st.tuples(*[st.integers(0, 12)] * 4, texts)


@settings(max_examples=400, deadline=None)
@given(texts, encodings, st.lists(st.lists(edits, min_size=1, max_size=3), max_size=6))
def test_any_changes_leave_both_sides_with_the_same_text(
    text: str, encoding: Encoding, messages: list[list[tuple[int, int, int, int, str]]]
) -> None:
    editor = Editor(text, encoding)
    documents, heard = opened(text, encoding)
    for version, message in enumerate(messages, start=2):
        changes: list[dict[str, Any]] = []
        for a, b, c, d, new in message:
            editor.replace(a, b, c, d, new)
            changes.append({"range": span(a, b, c, d), "text": new})
        change(documents, version, *changes)
        assert heard.put[-1] == Document(PATH, editor.text, version)
        buffer = documents.at(PATH)
        assert buffer is not None
        assert buffer.lines == lines_of(editor.text)


@given(texts)
def test_lines_agree_with_the_agent_and_lose_nothing(text: str) -> None:
    lines = lines_of(text)
    assert "".join(lines) == text
    starts = [0]
    for line in lines[:-1]:
        starts.append(starts[-1] + len(line))
    assert tuple(starts) == Lines.of(text).starts


@given(texts.filter(lambda text: "\n" not in text and "\r" not in text), encodings, st.integers(0, 40))
def test_a_place_survives_the_way_there_and_back(line: str, encoding: Encoding, index: int) -> None:
    index = min(index, len(line))
    assert index_of(line, character_of(line, index, encoding), encoding) == index


@pytest.mark.parametrize(
    ("encoding", "character", "index"),
    [("utf-8", 4, 1), ("utf-8", 3, 0), ("utf-16", 2, 1), ("utf-16", 1, 0), ("utf-32", 1, 1), ("utf-16", 99, 2)],
)
def test_a_position_inside_of_a_character_means_the_place_before_it(
    encoding: Encoding, character: int, index: int
) -> None:
    assert index_of("😀b\r\n", character, encoding) == index


def test_ranges_beyond_the_end_reach_to_the_end() -> None:
    documents, heard = opened("one\ntwo")
    change(documents, 2, {"range": span(0, 99, 0, 99), "text": "!"}, {"range": span(7, 0, 9, 9), "text": "?"})
    assert heard.put[-1].text == "one!\ntwo?"


def test_a_range_that_runs_backwards_is_turned_round() -> None:
    documents, heard = opened("abc")
    change(documents, 2, {"range": span(0, 2, 0, 1), "text": "X"})
    assert heard.put[-1].text == "aXc"


def test_a_full_text_replaces_all() -> None:
    documents, heard = opened("abc\n")
    change(documents, 2, {"text": "x\ry"}, {"range": span(1, 1, 1, 1), "text": "z"})
    assert heard.put[-1] == Document(PATH, "x\ryz", 2)


def test_two_halves_of_a_character_become_one() -> None:
    documents, heard = opened("<>")
    change(documents, 2, {"range": span(0, 1, 0, 1), "text": "\ud83d"})
    change(documents, 3, {"range": span(0, 2, 0, 2), "text": "\ude00"})
    assert heard.put[-1].text == "<😀>"


@pytest.mark.parametrize("version", [1, 0, None])
def test_an_old_version_is_no_reason_to_lose_a_keystroke(version: int | None) -> None:
    documents, heard = opened("abc")
    change(documents, version, {"range": span(0, 3, 0, 3), "text": "d"})
    assert heard.put[-1].text == "abcd"


@pytest.mark.parametrize(
    "bad",
    [
        {"range": {"start": {"line": 0}, "end": {"line": 0, "character": 0}}, "text": "x"},
        {"range": span(0, 0, 0, 0)},
        {"range": {"start": {"line": "0", "character": 0}, "end": {"line": 0, "character": 0}}, "text": "x"},
        {"range": span(0, 0, 0, 0), "text": 3},
    ],
)
def test_a_malformed_change_leaves_the_text_as_it_was(bad: dict[str, Any]) -> None:
    documents, heard = opened("abc\ndef\n")
    with pytest.raises((KeyError, TypeError)):
        change(documents, 2, {"range": span(0, 0, 0, 3), "text": "gone"}, bad)
    buffer = documents.at(PATH)
    assert buffer is not None
    assert (buffer.text, buffer.version) == ("abc\ndef\n", 1)
    assert len(heard.put) == 1


def test_a_change_to_what_is_not_open_is_left_out() -> None:
    documents, heard = opened("abc")
    documents.changed({"textDocument": {"uri": "file:///w/b.py", "version": 1}, "contentChanges": [{"text": ""}]})
    assert len(heard.put) == 1


def test_saving_with_another_text_takes_that_text_over() -> None:
    documents, heard = opened("abc")
    documents.saved({"textDocument": {"uri": URI}, "text": "abc"})
    assert len(heard.put) == 1
    documents.saved({"textDocument": {"uri": URI}, "text": "abc\n"})
    assert heard.put[-1].text == "abc\n"


def test_closing_drops_the_buffer_once() -> None:
    documents, heard = opened("abc")
    documents.closed({"textDocument": {"uri": URI}})
    documents.closed({"textDocument": {"uri": URI}})
    assert heard.dropped == [PATH]
    assert documents.at(PATH) is None


def test_what_is_no_file_stays_out_of_the_world() -> None:
    documents, heard = opened("abc")
    documents.opened({"textDocument": {"uri": "untitled:Untitled-1", "version": 1, "text": "x"}})
    assert len(heard.put) == 1
    assert documents.get("untitled:Untitled-1") is not None


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(None, "utf-16"), ([], "utf-16"), (["utf-8", "utf-16"], "utf-8"), (["x", "utf-32"], "utf-32"), (["x"], "utf-16")],
)
def test_the_clients_first_known_encoding_is_taken(offered: list[str] | None, chosen: str) -> None:
    assert choose(offered) == chosen
