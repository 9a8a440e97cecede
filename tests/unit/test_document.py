"""Texts and bytes: what is read comes back, and only three things end a line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent import disk
from kaaj_agent.document import (
    UTF8,
    Document,
    Lines,
    TextFormat,
    decode,
    digest_of,
    encode,
    newline_of,
    split_lines,
)
from kaaj_agent.failures import MissingFileError, NotTextError, TooLargeError

TEXTS = st.text(alphabet=st.sampled_from("ab\n\r\t\x0b\x0c\x85\u2028é😀"), max_size=40)


def model_lines(text: str) -> list[str]:
    """An independent model of lines: a regular expression."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)


@given(TEXTS)
def test_lines_are_those_of_the_model(text: str) -> None:
    expected = model_lines(text)
    assert split_lines(text) == expected
    lines = Lines.of(text)
    open_end = not expected or expected[-1].endswith(("\r", "\n"))
    assert len(lines) == len(expected) + open_end
    for row, line in enumerate(expected):
        assert text[lines.start(row) : lines.end(row)] == line
    assert lines.start(len(lines) + 3) == len(text)


@given(TEXTS, st.data())
def test_an_offset_lies_in_its_line(text: str, data: st.DataObject) -> None:
    lines = Lines.of(text)
    offset = data.draw(st.integers(0, len(text)))
    row = lines.line_at(offset)
    assert lines.start(row) <= offset
    assert offset < lines.end(row) or (offset == len(text) and row == len(lines) - 1)


@given(st.one_of(st.binary(max_size=200), TEXTS.map(str.encode), TEXTS.map(lambda text: text.encode("utf-16"))))
def test_bytes_that_decode_come_back(data: bytes) -> None:
    try:
        text, style = decode(data, "f")
    except NotTextError:
        return
    assert encode(text, style, "f") == data


@pytest.mark.parametrize(
    ("data", "text", "style"),
    [
        (b"", "", UTF8),
        ("ü".encode(), "ü", UTF8),
        (b"\xef\xbb\xbfx", "x", TextFormat("utf-8", b"\xef\xbb\xbf")),
        (b"\xff\xfex\0", "x", TextFormat("utf-16-le", b"\xff\xfe")),
        (b"\xfe\xff\0x", "x", TextFormat("utf-16-be", b"\xfe\xff")),
        (b"caf\xe9", "café", TextFormat("latin-1")),
    ],
)
def test_the_format_is_found(data: bytes, text: str, style: TextFormat) -> None:
    assert decode(data, "f") == (text, style)


@pytest.mark.parametrize("data", [b"a\0b", b"\xff\xfex", b"\xef\xbb\xbf\xff"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(NotTextError, match="f"):
        decode(data, "f")


def test_a_character_without_a_byte_is_refused() -> None:
    with pytest.raises(NotTextError, match="latin-1"):
        encode("€", TextFormat("latin-1"), "f")


@pytest.mark.parametrize(
    ("text", "newline"),
    [("", "\n"), ("a", "\n"), ("a\r\nb\r\nc\n", "\r\n"), ("a\nb\nc\r\n", "\n"), ("a\rb", "\r"), ("a\r\nb\n", "\n")],
)
def test_the_newline_that_a_text_uses_most(text: str, newline: str) -> None:
    assert newline_of(text) == newline


def test_a_digest_is_of_the_text_alone() -> None:
    path = Path("/w/a")
    assert Document(path, "x", 1).digest == Document(path, "x", 2, TextFormat("utf-8", b"\xef\xbb\xbf")).digest
    assert digest_of("x") != digest_of("x\n")
    assert len(digest_of("\ud800")) == 64


def test_files_are_read_as_documents(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a\r\nb")
    assert disk.read(path) == Document(path, "a\r\nb", None)


def test_what_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "binary").write_bytes(b"\0")
    with pytest.raises(MissingFileError, match="does not exist"):
        disk.read(tmp_path / "gone")
    with pytest.raises(MissingFileError):
        disk.read(tmp_path / "file" / "below")
    with pytest.raises(NotTextError, match="folder"):
        disk.read(tmp_path)
    with pytest.raises(NotTextError, match="binary"):
        disk.read(tmp_path / "binary", "shown")
    monkeypatch.setattr(disk, "SIZE_MAX", 4)
    with pytest.raises(TooLargeError):
        disk.read(tmp_path / "file")
