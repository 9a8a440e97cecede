"""What is in a folder, as a compact tree in which the upper levels come first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kaaj_agent.failures import MissingFileError, OutsideError
from kaaj_agent.ignore import Ignore
from kaaj_agent.overlay import Source, overlay
from kaaj_agent.world import printable

LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class Listing:
    """The tree as text, one entry a line, indented by two; `cut` tells whether something was left out for room."""

    text: str
    entries: int
    cut: bool


@dataclass(slots=True)
class _Folder:
    path: Path
    depth: int
    children: dict[str, _Folder | None] = field(default_factory=dict[str, "_Folder | None"])
    more: int = 0
    """How many of its entries are not shown."""
    closed: bool = False
    """Not looked into."""


async def list_files(source: Source, ignore: Ignore, path: Path | None = None, *, limit: int = LIMIT) -> Listing:
    """The files of a folder (or of all workspace folders) as the task sees them, what is ignored left out.

    At most `limit` entries, level by level. Raises MissingFileError, OutsideError for a path that cannot be listed.
    """
    return await asyncio.to_thread(_list, source, ignore, path, limit)


def _list(source: Source, ignore: Ignore, path: Path | None, limit: int) -> Listing:
    texts = overlay(source)
    folders = source.folders
    places = (path,) if path else folders.roots
    if path is not None:
        name = folders.name_of(path)
        reason = ignore.reason(path)
        if reason is not None:
            raise OutsideError(f"{name} is left out of listings ({reason}).", path=name)
        if texts.get(path) is not None or (path.is_file() and path not in texts):
            return Listing(name, 1, cut=False)
        if not path.is_dir() and not any(
            text is not None and file.is_relative_to(path) for file, text in texts.items()
        ):
            raise MissingFileError(f"{name} does not exist.", path=name)
    added = _added(ignore, texts)
    titled = len(places) > 1 or path is not None
    tops = [_Folder(place, 1 if titled else 0) for place in places]
    shown, cut = _fill(tops, ignore, texts, added, limit)
    lines: list[str] = []
    for top in tops:
        if titled:
            lines.append(f"{folders.name_of(top.path)}/" if len(tops) == 1 else f"{top.path.name}/")
        _draw(top, lines)
    if not shown:
        lines.append("(empty)")
    return Listing("\n".join(lines), shown, cut)


def _added(ignore: Ignore, texts: Mapping[Path, str | None]) -> dict[Path, dict[str, bool]]:
    """By folder, the names that only the overlay has, each with whether it is a folder."""
    added: dict[Path, dict[str, bool]] = {}
    for file, text in texts.items():
        if text is None or ignore.ignored(file):
            continue
        child, is_folder = file, False
        while ignore.folders.root_of(child.parent) is not None:
            added.setdefault(child.parent, {})[child.name] = is_folder
            child, is_folder = child.parent, True
    return added


def _fill(
    tops: list[_Folder],
    ignore: Ignore,
    texts: Mapping[Path, str | None],
    added: Mapping[Path, Mapping[str, bool]],
    limit: int,
) -> tuple[int, bool]:
    """Open folders level by level while there is room; the number of entries shown, and whether some are not."""
    waiting = deque(tops)
    shown, cut = 0, False
    while waiting:
        folder = waiting.popleft()
        if shown >= limit and folder.depth > 2:
            folder.closed = cut = True  # a big tree is not read to its end only to count it
            continue
        names = {**dict(ignore.children(folder.path)), **added.get(folder.path, {})}
        names = {name: kind for name, kind in names.items() if texts.get(folder.path / name, "") is not None}
        for name in sorted(names):
            if shown >= limit:
                folder.more += 1
                cut = True
                continue
            shown += 1
            inner = _Folder(folder.path / name, folder.depth + 1) if names[name] else None
            folder.children[name] = inner
            if inner is not None:
                waiting.append(inner)
    return shown, cut


def _draw(folder: _Folder, lines: list[str]) -> None:
    pad = "  " * folder.depth
    for name, inner in folder.children.items():
        lines.append(pad + printable(name) + ("" if inner is None else "/ (not listed)" if inner.closed else "/"))
        if inner is not None:
            _draw(inner, lines)
    if folder.more:
        lines.append(f"{pad}({folder.more} more)")
