"""What a command printed, cut honestly: head and tail are kept, and what was cut between them is told."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from typing import Final

from kaaj_agent.redaction import WITHHELD

CAP: Final = 16 * 1024
"""Characters of output that are shown to the model, cut around what matters."""
KEPT: Final = 1024 * 1024
"""Bytes of output that are kept, half of them from the beginning and half from the end."""

_LIVE_MAX: Final = 256 * 1024
"""Bytes that a listener hears; a command that prints without end must not flood it."""

_ESCAPE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"  # two-character sequences
    r"|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]"
)
_OPEN: Final = re.compile(
    r"(?:\x1b(?:[ -/]*)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,512}\x1b?)\Z"
)
"""An escape sequence that may go on in the next chunk."""


def clean(text: str) -> str:
    """Text without terminal escapes and control characters; a carriage return ends a line."""
    return _line_ends(_plain(text))


def _plain(text: str) -> str:
    return _ESCAPE.sub("", text).replace("\x1b", "")


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Output:
    """Takes bytes as they come. `text` is what is kept of them, `was_cut` whether that is less than all."""

    def __init__(
        self,
        listener: Callable[[str], None] | None = None,
        rename: Mapping[str, str] | None = None,
        cap: int = KEPT,
    ) -> None:
        self._listener = listener
        self._rename = dict(rename or {})
        self._half = cap // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0
        self._lines = 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._pending = ""
        self._carriage = ""

    @property
    def was_cut(self) -> bool:
        return self._total > 2 * self._half

    def feed(self, chunk: bytes) -> None:
        if self._listener is not None and self._total < _LIVE_MAX:
            self._tell(self._decode(chunk), final=False)
        self._total += len(chunk)
        self._lines += chunk.count(b"\n")
        room = self._half - len(self._head)
        self._head += chunk[: max(0, room)]
        self._tail += chunk[max(0, room) :]
        if len(self._tail) > 4 * self._half:
            del self._tail[: -self._half]

    def end(self) -> None:
        """No more will come; the listener hears what was held back."""
        if self._listener is not None:
            self._tell(self._decode(b"", True), final=True)

    def _tell(self, text: str, *, final: bool) -> None:
        text = self._pending + text
        held = None if final else _OPEN.search(text)
        self._pending = held[0] if held else ""
        text = self._carriage + _plain(text[: len(text) - len(self._pending)])
        # Whether a carriage return stands alone is known with the next character.
        self._carriage = "\r" if text.endswith("\r") and not final else ""
        text = self._named(_line_ends(text[: len(text) - len(self._carriage)]))
        if text and self._listener is not None:
            self._listener(text)

    def text(self) -> str:
        """At most the cap, and one line about what was cut, in bytes and lines of what was printed."""
        if not self.was_cut:
            return self._shown(bytes(self._head + self._tail))
        head, tail = bytes(self._head), bytes(self._tail[-self._half :])
        # Whole lines are easier to read, unless a line is so long that they would cost too much.
        line_end = head.rfind(b"\n") + 1
        if line_end > self._half // 2:
            head = head[:line_end]
        line_start = tail.find(b"\n") + 1
        if 0 < line_start < self._half // 2:
            tail = tail[line_start:]
        cut = self._total - len(head) - len(tail)
        lines = self._lines - head.count(b"\n") - tail.count(b"\n")
        told = f"[... {cut:,} bytes ({lines:,} line{'' if lines == 1 else 's'}) cut here ...]"
        return f"{self._shown(head).rstrip(chr(10))}\n{told}\n{self._shown(tail)}"

    def _shown(self, data: bytes) -> str:
        return self._named(clean(data.decode("utf-8", "replace")))

    def _named(self, text: str) -> str:
        for old, new in self._rename.items():
            text = text.replace(old, new)
        return WITHHELD.text(text)
