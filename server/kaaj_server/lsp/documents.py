"""The texts that the client has open, as didOpen, didChange, didSave and didClose tell them.

`Documents` is the one owner of them; it feeds the agent's `World`, which sees one immutable `Document` for each
state. A buffer is kept as a list of lines, so that a keystroke costs a splice of a few lines and one join. Only
`\\n`, `\\r\\n` and `\\r` end a line.

Messages are taken as plain JSON objects: structuring them into classes would cost more than the change itself.
What is malformed raises KeyError, TypeError or ValueError and leaves the buffer as it was.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from kaaj_agent.document import Document
from kaaj_server.lsp.positions import DEFAULT, Encoding, index_of, lines_of

Json: TypeAlias = Any
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_log: Final = logging.getLogger(__name__)


class Buffer:
    """One open text. `uri` is the client's own spelling, which is what it must be sent back."""

    __slots__ = ("_text", "language", "lines", "path", "uri", "version")

    def __init__(self, uri: str, path: Path | None, text: str, version: int | None, language: str = "") -> None:
        self.uri = uri
        self.path = path
        self.language = language
        self.version = version
        self.lines = lines_of(text)
        self._text: str | None = text

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = "".join(self.lines)
        return self._text

    def offset(self, position: Mapping[str, Json], encoding: Encoding) -> tuple[int, int]:
        """A position as (line, index in it), brought into the text."""
        line, character = _natural(position["line"]), _natural(position["character"])
        if line >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        return line, index_of(self.lines[line], character, encoding)

    def change(self, changes: Sequence[Mapping[str, Json]], version: int | None, encoding: Encoding) -> None:
        """The changes of one didChange, in order: each is made for the text that the one before it left."""
        kept = self.lines.copy() if len(changes) > 1 else self.lines
        try:
            for change in changes:
                text = _string(change["text"])
                span = change.get("range")
                if span is None:
                    self.lines = lines_of(text)
                    self._text = text
                else:
                    self._splice(span, text, encoding)
                    self._text = None
        except (KeyError, TypeError, ValueError):
            self.lines = kept
            self._text = None
            raise
        self.version = version

    def _splice(self, span: Mapping[str, Json], text: str, encoding: Encoding) -> None:
        start, end = self.offset(span["start"], encoding), self.offset(span["end"], encoding)
        if end < start:  # the reference implementation of the specification turns such a range round
            start, end = end, start
        lines = self.lines
        first, last = start[0], end[0]
        merged = lines[first][: start[1]] + text + lines[last][end[1] :]
        if first and merged.startswith("\n") and lines[first - 1].endswith("\r"):
            first -= 1  # this \n and the \r before it are one line end now
            merged = lines[first] + merged
        if not merged.isascii():
            merged = _PAIR.sub(_joined, merged)
        fresh = lines_of(merged)
        if last + 1 < len(lines) and fresh[-1] == "":
            fresh.pop()
        lines[first : last + 1] = fresh


def _joined(pair: re.Match[str]) -> str:
    """Two halves of a character that came in two changes."""
    return pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _natural(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a position's line and character must be whole numbers")
    return max(0, value)


def _string(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("a uri and a text must be strings")
    return value


class Documents:
    """All open texts, by the client's URI.

    `locate` gives the absolute path, links resolved, that a URI names, or None for what is no file (such as
    `untitled:`); those are kept in step too, but the agent never sees them. `put` hears each new state of a file,
    `drop` that it was closed.
    """

    def __init__(
        self,
        locate: Callable[[str], Path | None],
        put: Callable[[Document], None],
        drop: Callable[[Path], None],
    ) -> None:
        self.encoding: Encoding = DEFAULT
        self._locate = locate
        self._put = put
        self._drop = drop
        self._buffers: dict[str, Buffer] = {}
        self._uris: dict[Path, str] = {}

    def get(self, uri: str) -> Buffer | None:
        return self._buffers.get(uri)

    def at(self, path: Path) -> Buffer | None:
        """The open buffer of a file, whatever way the client spells its URI."""
        uri = self._uris.get(path)
        return self._buffers.get(uri) if uri is not None else None

    def opened(self, params: Mapping[str, Json]) -> None:
        item = params["textDocument"]
        uri, text = _string(item["uri"]), _string(item["text"])
        path = self._locate(uri)
        version = item.get("version")
        buffer = Buffer(uri, path, text, version if isinstance(version, int) else None, item.get("languageId") or "")
        self._buffers.pop(uri, None)  # it goes to the end: the newest name of a file counts
        self._buffers[uri] = buffer
        self._tell(buffer)

    def changed(self, params: Mapping[str, Json]) -> None:
        """Versions only grow; a client that sends an older one is told in the log, and its change still counts.

        The order of messages is the order of changes: to leave one out would part the two texts for good.
        """
        item = params["textDocument"]
        buffer = self._buffers.get(item["uri"])
        if buffer is None:
            _log.warning("didChange for a document that is not open: %s", item["uri"])
            return
        version = item.get("version")
        if version is not None and not isinstance(version, int):
            raise TypeError("a version must be a whole number")
        if version is not None and buffer.version is not None and version <= buffer.version:
            _log.warning("version %s of %s came after version %s", version, buffer.uri, buffer.version)
        buffer.change(params["contentChanges"], version, self.encoding)
        self._tell(buffer)

    def saved(self, params: Mapping[str, Json]) -> None:
        """Where the client sends the text along, it must be the one that is known here; if not, it is taken over."""
        buffer = self._buffers.get(params["textDocument"]["uri"])
        text = params.get("text")
        if buffer is not None and isinstance(text, str) and text != buffer.text:
            _log.warning("%s was saved with another text than its changes gave; the saved one counts", buffer.uri)
            buffer.change([{"text": text}], buffer.version, self.encoding)
            self._tell(buffer)

    def closed(self, params: Mapping[str, Json]) -> None:
        buffer = self._buffers.pop(params["textDocument"]["uri"], None)
        if buffer is None or buffer.path is None or self._uris.get(buffer.path) != buffer.uri:
            return
        del self._uris[buffer.path]
        other = next((one for one in reversed(self._buffers.values()) if one.path == buffer.path), None)
        if other is not None:
            self._tell(other)
        else:
            self._drop(buffer.path)

    def _tell(self, buffer: Buffer) -> None:
        """The text that was touched last is the file's, where a client has it open under several names."""
        if buffer.path is not None:
            self._uris[buffer.path] = buffer.uri
            self._put(Document(buffer.path, buffer.text, buffer.version))
