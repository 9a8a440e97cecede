"""A tiny editor behind the language client: open buffers, edits as LSP has them, and saving."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from kaaj_agent.document import Lines, decode, encode
from kaaj_server.cli.lsp_client import LspClient
from kaaj_server.uris import path_of

Json: TypeAlias = Any
Encoding: TypeAlias = Literal["utf-8", "utf-16", "utf-32"]


@dataclass(slots=True)
class Buffer:
    """One open file. `version` grows with each change."""

    text: str
    version: int = 1


@dataclass
class Editor:
    """Holds buffers, tells the server of each change, and does the edits that the server asks for.

    Like a real editor it refuses an edit of a version that it no longer has, and saves what it edited.
    """

    client: LspClient
    encoding: Encoding = "utf-16"
    buffers: dict[str, Buffer] = field(default_factory=dict[str, Buffer])

    async def open(self, path: Path, text: str | None = None) -> None:
        """Open a file; `text` is what stands in the buffer where that is not what is on disk."""
        content = await asyncio.to_thread(_read, path) if text is None else text
        uri = path.as_uri()
        self.buffers[uri] = Buffer(content)
        document = {"uri": uri, "languageId": "python", "version": 1, "text": content}
        await self.client.notify("textDocument/didOpen", {"textDocument": document})

    async def apply(self, params: Json) -> Json:
        """Answer `workspace/applyEdit`: all of it or nothing."""
        edit: Mapping[str, Json] = params["edit"]
        changes: list[Json] = list(edit.get("documentChanges") or ())
        plain: Mapping[str, Json] = edit.get("changes") or {}
        changes += [{"textDocument": {"uri": uri, "version": None}, "edits": edits} for uri, edits in plain.items()]
        for row in changes:
            if "kind" in row:
                return {"applied": False, "failureReason": f"this editor does not {row['kind']} files"}
            asked, buffer = row["textDocument"].get("version"), self.buffers.get(row["textDocument"]["uri"])
            if asked is not None and (buffer is None or buffer.version != asked):
                return {"applied": False, "failureReason": f"version {asked} is not the buffer's"}
        for row in changes:
            uri = row["textDocument"]["uri"]
            path = path_of(uri)
            if uri not in self.buffers and path is not None:
                await self.open(path)
            await self._edit(uri, row["edits"])
        return {"applied": True}

    async def _edit(self, uri: str, edits: Sequence[Json]) -> None:
        buffer = self.buffers[uri]
        buffer.text = edited(buffer.text, edits, self.encoding)
        buffer.version += 1
        document = {"uri": uri, "version": buffer.version}
        change = {"textDocument": document, "contentChanges": [{"text": buffer.text}]}
        await self.client.notify("textDocument/didChange", change)

    async def save_all(self) -> None:
        """Write each buffer to its file and say so."""
        for uri, buffer in self.buffers.items():
            if (path := path_of(uri)) is not None:
                await asyncio.to_thread(_write, path, buffer.text)
            await self.client.notify("textDocument/didSave", {"textDocument": {"uri": uri}, "text": buffer.text})


def edited(text: str, edits: Sequence[Json], encoding: Encoding) -> str:
    """The text with LSP's edits applied, which all mean the text as it was and do not overlap."""
    lines = Lines.of(text)

    def offset(position: Json) -> int:
        start = lines.start(position["line"])
        return start + characters(text[start : lines.end(position["line"])], position["character"], encoding)

    spans = [(offset(edit["range"]["start"]), offset(edit["range"]["end"]), edit["newText"]) for edit in edits]
    pieces: list[str] = []
    at = 0
    for start, end, new in sorted(spans, key=lambda span: span[:2]):
        pieces += (text[at:start], new)
        at = end
    return "".join([*pieces, text[at:]])


def characters(line: str, units: int, encoding: Encoding) -> int:
    """How many characters of `line` the first `units` code units make; a character that is cut is left out."""
    if encoding == "utf-32":
        return min(units, len(line))
    code = "utf-8" if encoding == "utf-8" else "utf-16-le"
    width = 1 if encoding == "utf-8" else 2
    return len(line.encode(code, "surrogatepass")[: units * width].decode(code, "ignore"))


def _read(path: Path) -> str:
    return decode(path.read_bytes(), str(path))[0]


def _write(path: Path, text: str) -> None:
    style = decode(path.read_bytes(), str(path))[1] if path.exists() else None
    path.write_bytes(encode(text, style, str(path)) if style else text.encode("utf-8"))
