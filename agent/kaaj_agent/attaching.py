"""What the person handed along, in words for the model: it stands in the user's turn, before the request.

The texts are those of the task: buffers over disk, what is staged over both. What the model may not see, what is no
text and what is gone is named, with the reason; the person hears of it, too.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, assert_never

from kaaj_agent import numbered
from kaaj_agent.attachments import (
    AttachedFile,
    AttachedFolder,
    AttachedProblems,
    AttachedRange,
    AttachedText,
    Attachment,
)
from kaaj_agent.document import Document
from kaaj_agent.failures import FileError
from kaaj_agent.ignore import Ignore
from kaaj_agent.listing import list_files
from kaaj_agent.ports import Diagnoser, Diagnostic
from kaaj_agent.prompt import problem_line, sound
from kaaj_agent.staging import Staging

FILE_LINES: Final = 200
FILE_CHARACTERS: Final = 8_192
"""A file of more lines or characters is named, with its number of lines; the model reads what it needs of it."""
RANGE_LINES: Final = 400
RANGE_CHARACTERS: Final = 16_000
ENTRIES: Final = 80
PROBLEMS: Final = 40
ROOM_MAX: Final = 60_000
ROOM_MIN: Final = 4_000


@dataclass(slots=True)
class Attached:
    """What was made of the attachments. `text` goes into the prompt, `notices` to the person.

    `places` are the files that were pointed at, each with lines (from 0, the end not included) or None for the whole
    of it; `problems` and `texts` are those handed along.
    """

    text: str = ""
    notices: list[str] = field(default_factory=list[str])
    places: list[tuple[Path, tuple[int, int] | None]] = field(default_factory=list[tuple[Path, tuple[int, int] | None]])
    problems: list[Diagnostic] = field(default_factory=list[Diagnostic])
    texts: list[AttachedText] = field(default_factory=list[AttachedText])


def room_in(window: int) -> int:
    """Characters that attachments may take together: about a quarter of a window of so many tokens."""
    return min(ROOM_MAX, max(ROOM_MIN, window))


@dataclass(slots=True)
class Attaching:
    """Puts attachments into words, in their order, while there is room."""

    staging: Staging
    ignore: Ignore
    diagnoser: Diagnoser
    room: int

    async def read(self, items: Sequence[Attachment]) -> Attached:
        """Raises nothing: what cannot be shown is told."""
        made = Attached()
        parts: list[str] = []
        for item in dict.fromkeys(items):
            try:
                text = await self._one(item, made)
            except FileError as error:
                text = f"({error})"
                made.notices.append(str(error))
            self.room -= len(text)
            parts.append(text)
        if parts:
            made.text = "The user handed this along:\n\n" + "\n\n".join(parts)
        return made

    async def _one(self, item: Attachment, made: Attached) -> str:
        match item:
            case AttachedFile(path):
                document = await self._document(path)
                made.places.append((path, None))
                return await self._whole(document)
            case AttachedRange(path, span, name):
                document = await self._document(path)
                made.places.append((path, span))
                return await self._lines(document, span, name)
            case AttachedFolder(path):
                listing = await list_files(self.staging, self.ignore, path, limit=ENTRIES)
                return listing.text if len(listing.text) <= max(200, self.room) else f"{self._name(path)}/ (see `list`)"
            case AttachedProblems(path):
                found = await self._problems(path)
                made.problems += found
                return self._rows(found, path)
            case AttachedText():
                made.texts.append(item)
                return self._quoted(item)
            case _:
                assert_never(item)

    def _name(self, path: Path) -> str:
        return self.staging.folders.name_of(path)

    async def _document(self, path: Path) -> Document:
        """Raises FileError where there is no text that the model may see."""
        reason = await asyncio.to_thread(self.ignore.reason, path)
        if reason is not None:
            name = self._name(path)
            why = "is outside of the workspace" if reason == "outside" else f"is withheld ({reason})"
            raise FileError(f"{name} {why}; the model does not see it.", path=name)
        return await self.staging.read(path)

    async def _whole(self, document: Document) -> str:
        name = self._name(document.path)
        if not document.text:
            return f"{name} is empty."
        total = await asyncio.to_thread(numbered.line_count, document)
        if total > FILE_LINES or len(document.text) > min(FILE_CHARACTERS, max(200, self.room)):
            return f"{name} ({total:,} lines; `read` what you need of it)"
        piece = await self._piece(document, 1, total)
        return f"{name} lines 1-{total}:\n" + "\n".join(piece.rows)

    async def _lines(self, document: Document, span: tuple[int, int], label: str) -> str:
        name = self._name(document.path)
        what = f"`{label}`" if label else "selected"
        first, asked = span[0] + 1, max(span[1], span[0] + 1)
        piece = await self._piece(document, first, asked)
        if not piece.rows:
            return f"{name} ({what}) has {piece.total} lines; there are none from {first} on."
        end = first + len(piece.rows) - 1
        more = f"\n[cut at line {end} of {piece.last}; `read` the rest]" if end < piece.last else ""
        if piece.cut:
            more = f"\n[line {first} is cut; it has {piece.cut:,} more characters]{more}"
        return f"{name} lines {first}-{end} of {piece.total} ({what}):\n" + "\n".join(piece.rows) + more

    async def _piece(self, document: Document, first: int, last: int) -> numbered.Piece:
        room = max(200, min(RANGE_CHARACTERS, self.room))
        return await asyncio.to_thread(
            numbered.piece, document, first, last, lines_max=RANGE_LINES, characters_max=room
        )

    async def _problems(self, path: Path | None) -> list[Diagnostic]:
        found = await self.diagnoser.diagnostics(path)
        hidden = await asyncio.to_thread(self._hidden, {one.path for one in found})
        return [one for one in found if one.path not in hidden]

    def _hidden(self, paths: set[Path]) -> set[Path]:
        """Those that no model sees. Looks at the disk."""
        return {path for path in paths if self.ignore.ignored(path)}

    def _rows(self, found: Sequence[Diagnostic], path: Path | None) -> str:
        where = self._name(path) if path else "the workspace"
        if not found:
            return f"The editor shows no problems in {where}."
        rows = [problem_line(self.staging.folders, one)[:500] for one in found[:PROBLEMS]]
        if len(found) > PROBLEMS:
            rows.append(f"[{len(found) - PROBLEMS} more]")
        return f"The editor's problems in {where}:\n" + "\n".join(rows)

    def _quoted(self, item: AttachedText) -> str:
        text = sound(item.text)
        room = max(200, self.room)
        cut = f"\n[cut; {len(text) - room:,} more characters]" if len(text) > room else ""
        shown = text[:room].rstrip("\n")
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", shown)), default=0))
        return f"{' '.join(sound(item.name).split())}:\n{fence}\n{shown}\n{fence}{cut}"
