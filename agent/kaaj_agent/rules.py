"""Rule files: what a project asks of agents, in the files that agents of all makes read.

They come from the workspace, so they are advice for the model and can never raise a right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent.failures import FileError
from kaaj_agent.ignore import GUARDED, Ignore
from kaaj_agent.world import Folders, Snapshot

NAMES: Final = ("AGENTS.md", "QWEN.md", ".clinerules", "CLAUDE.md")
"""Read in this order in each folder; `.clinerules` may be a folder of `.md` and `.txt` files."""
FILE_MAX: Final = 8 * 1024
TOTAL_MAX: Final = 16 * 1024
_FOLDER_FILES_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule file: its name relative to the workspace, its text (a cut is told in it)."""

    name: str
    text: str


async def rules_for(snapshot: Snapshot, path: Path | None = None, ignore: Ignore | None = None) -> tuple[Rule, ...]:
    """The rules that hold for a file or folder, those of the outermost folder first: later ones are nearer, and win.

    Without `path`, those of the workspace folders themselves. Unsaved buffers count. At most 8 KB of a file and 16 KB
    in all, the nearest being kept; what is cut or left out is told. What cannot be read is passed over, and so is what
    `ignore` guards: a rule file may be a link to one that holds secrets.
    """
    folders = snapshot.folders
    places = await asyncio.to_thread(_places, folders, path, frozenset(snapshot.buffers))
    judge = ignore or Ignore(folders)
    places = await asyncio.to_thread(_open_ones, places, judge)
    found: list[Rule] = []
    seen: set[str] = set()
    left = TOTAL_MAX
    skipped = 0
    for place in reversed(places):
        try:
            text = (await snapshot.read(place)).text.strip()
        except FileError:
            continue
        if not text or text in seen:  # many projects keep one text under several names
            continue
        seen.add(text)
        room = min(FILE_MAX, left)
        kept, size = _cut(text, room)
        if not kept:
            skipped += 1
            continue
        left -= size
        found.append(Rule(folders.name_of(place), kept))
    found.reverse()
    if skipped:
        note = f"({skipped} more rule files are not shown: {TOTAL_MAX // 1024} KB in all is the limit.)"
        found.insert(0, Rule("(limit)", note))
    return tuple(found)


def _open_ones(places: Sequence[Path], ignore: Ignore) -> list[Path]:
    return [place for place in places if ignore.reason(place) not in GUARDED]


def _cut(text: str, room: int) -> tuple[str, int]:
    """At most `room` bytes of a text, whole lines where there are any, and how many bytes they are."""
    data = text.encode("utf-8", "replace")
    if len(data) <= room:
        return text, len(data)
    head = data[:room].decode("utf-8", "ignore")
    head = head[: head.rfind("\n")] if "\n" in head else head
    size = len(head.encode("utf-8", "replace"))
    return (f"{head}\n(cut: {size} of {len(data)} bytes are shown)", size) if head.strip() else ("", 0)


def _places(folders: Folders, path: Path | None, buffers: frozenset[Path]) -> list[Path]:
    """The rule files, outermost folder first, in each folder those of the last of `NAMES` first."""
    places: list[Path] = []
    for folder in _folders(folders, path):
        for name in reversed(NAMES):
            places += _files(folders, folder / name, buffers)
    return places


def _folders(folders: Folders, path: Path | None) -> list[Path]:
    if path is None:
        return list(folders.roots)
    root = folders.root_of(path)
    if root is None:
        return []
    chain = [root]
    for part in path.relative_to(root).parts:
        chain.append(chain[-1] / part)
    return chain if path.is_dir() else chain[:-1] or chain


def _files(folders: Folders, place: Path, buffers: frozenset[Path]) -> list[Path]:
    """A rule file, or the files of a rule folder, with links resolved; none that a link leads out of the workspace."""
    if place in buffers:
        return [place]
    try:
        resolved = place.resolve()
        if folders.root_of(resolved) is None:
            return []
        if not resolved.is_dir():
            return [resolved] if resolved.is_file() else []
        inside = {file.resolve() for file in resolved.iterdir() if file.suffix in (".md", ".txt")}
        inside |= {file for file in buffers if file.parent == resolved and file.suffix in (".md", ".txt")}
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
        return []
    within = [file for file in sorted(inside) if folders.root_of(file) is not None and not file.is_dir()]
    return within[:_FOLDER_FILES_MAX]
