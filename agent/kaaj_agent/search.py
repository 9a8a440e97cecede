"""Search in the texts of a workspace as a task sees them: staged over buffers over disk, ignored files left out.

Which files are looked at comes from ripgrep where it is installed, else from a walk; what matches is decided in one
place (`grep`) for both, so that the results are the same, in the same order: by path, then by line.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final, cast

from kaaj_agent.child import Ended, run_child
from kaaj_agent.disk import SIZE_MAX
from kaaj_agent.failures import BadRequestError, MissingFileError, OutsideError
from kaaj_agent.ignore import NOISE, WALK_MAX, Ignore
from kaaj_agent.overlay import Source, overlay
from kaaj_agent.world import FORBIDDEN, Folders

LIMIT: Final = 100
WIDTH: Final = 240
SECONDS: Final = 20.0
_RULES_SECONDS: Final = 4.0
"""For ripgrep with the workspace's ignore files: one of them may be a named pipe, which it would read for ever."""
_PATTERN_MAX: Final = 1000

_COMMON: Final = re.compile(
    r"""(?: [^\\\[\](){}]                                     # a plain character, or an operator on one
          | \\[bBdDwWsSt] | \\[^\w\s<>]                       # the same classes, and escaped signs
          | \[ \^? (?: [\w\ .,;:'"/+*$@!?<>=%#()|-] | \\[dDwWsSt] | \\[^\w\s] )+ \]
          | \{ \d{1,3} (?:,\d{0,3})? \} | \( (?: \?: )? | \)
        )+""",
    re.VERBOSE,
)
"""Patterns that mean the same in Python and in ripgrep."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that matches: `line` counts from 1, `text` is cut around the match."""

    path: Path
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The first matches. `cut`: there are more; `literal`: the pattern is no valid regular expression and was taken
    as plain text; `timed_out`: the time was over, there may be more.
    """

    hits: tuple[Hit, ...]
    cut: bool = False
    literal: bool = False
    timed_out: bool = False

    def text(self, folders: Folders) -> str:
        """What the model reads, grouped by file."""
        parts: list[str] = []
        for path, hits in groupby(self.hits, key=lambda hit: hit.path):
            parts.append(folders.name_of(path))
            parts.extend(f"{hit.line}: {hit.text}" for hit in hits)
        if not self.hits:
            parts.append("No matches.")
        if self.literal:
            parts.append("(The pattern is no valid regular expression; it was searched as plain text.)")
        if self.cut:
            parts.append(f"(Cut after {len(self.hits)} matches; narrow the pattern or the path.)")
        if self.timed_out:
            parts.append("(The time was over before all files were searched; narrow the pattern or the path.)")
        return "\n".join(parts)


async def search(
    source: Source,
    ignore: Ignore,
    pattern: str,
    path: Path | None = None,
    *,
    limit: int = LIMIT,
    seconds: float = SECONDS,
    ripgrep: str | None = "rg",
) -> SearchResult:
    """Lines that match a regular expression (Python's, line by line), in a file, a folder or the whole workspace.

    `path` is absolute, links resolved. Raises BadRequestError for an empty or a huge pattern, OutsideError and
    MissingFileError for a path that cannot be searched.
    """
    if not pattern or len(pattern) > _PATTERN_MAX:
        raise BadRequestError(f"A pattern of 1 to {_PATTERN_MAX} characters is needed.", field="pattern")
    literal = not _valid(pattern)
    regex = re.escape(pattern) if literal else pattern
    clock = asyncio.get_running_loop()
    deadline = clock.time() + seconds
    texts = overlay(source)
    places = (path,) if path else source.folders.roots
    if path is not None:
        await asyncio.to_thread(_guard, ignore, path, texts)
    program = shutil.which(ripgrep) if ripgrep else None
    found: list[Path] | None = None
    if program and (literal or _COMMON.fullmatch(pattern)):
        found = await _by_ripgrep(program, pattern, places, literal=literal, deadline=deadline)
    files = await asyncio.to_thread(_candidates, ignore, places, found, texts)
    if not files:
        return SearchResult((), literal=literal)
    request = {
        "pattern": regex,
        "files": [str(file) for file in files],
        "texts": {str(file): text for file in files if (text := texts.get(file)) is not None},
        "limit": limit,
        "width": WIDTH,
    }
    data = await asyncio.to_thread(partial(json.dumps, request))
    ended = await run_child(_matcher(), data.encode(), seconds=max(0.5, deadline - clock.time()))
    hits, cut = _hits(ended.output, files)
    return SearchResult(hits, cut, literal, timed_out=ended.code != 0)


def _matcher() -> tuple[str, ...]:
    start = "import sys; sys.path.insert(0, sys.argv[1]); from kaaj_agent.grep import main; main()"
    return (sys.executable, "-I", "-c", start, str(Path(__file__).parent.parent))


def _valid(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _guard(ignore: Ignore, path: Path, texts: Mapping[Path, str | None]) -> None:
    name = ignore.folders.name_of(path)
    reason = ignore.reason(path)
    if reason is not None:
        raise OutsideError(f"{name} is left out of searches ({reason}).", path=name)
    if not path.exists() and not any(text is not None and file.is_relative_to(path) for file, text in texts.items()):
        raise MissingFileError(f"{name} does not exist.", path=name)


async def _by_ripgrep(
    program: str, pattern: str, places: Sequence[Path], *, literal: bool, deadline: float
) -> list[Path] | None:
    """The files on disk that hold the pattern, by ripgrep's linear matcher; None where it could not tell.

    That it reads ignore files spares it time, and no more: what it finds is judged by Kaaj's own rules in any case.
    """
    argv = [program, "--no-config", "--files-with-matches", "--null", "--no-messages", "--color=never", "--hidden"]
    argv += ["--no-require-git", "--no-ignore-global", "--no-ignore-dot", "--no-ignore-parent", "--no-follow"]
    argv += ["--text", "--crlf", f"--max-filesize={SIZE_MAX}"]
    argv += [f"--glob=!{name}" for name in sorted(FORBIDDEN | NOISE)]
    if literal:
        argv.append("--fixed-strings")
    what = ["--regexp", pattern, "--", *map(str, places)]
    loop = asyncio.get_running_loop()
    ended = Ended(None, b"", timed_out=True)
    if await asyncio.to_thread(_readable_rules, places):
        ended = await run_child([*argv, *what], seconds=min(deadline - loop.time(), _RULES_SECONDS))
    if ended.timed_out:
        ended = await run_child([*argv, "--no-ignore", *what], seconds=max(0.5, deadline - loop.time()))
    if ended.code not in (0, 1) and not (ended.code == 2 and ended.output):  # 2: an error, perhaps beside matches
        return None
    return [Path(name) for name in ended.output.decode(errors="surrogateescape").split("\0") if name]


def _readable_rules(places: Sequence[Path]) -> bool:
    """Whether the topmost ignore files are files, if they are there. (Deeper ones show by the time that is taken.)"""
    rules = [place / ".gitignore" for place in places]
    return all(not rule.exists() or rule.is_file() for rule in rules)


def _candidates(
    ignore: Ignore, places: Sequence[Path], found: list[Path] | None, texts: Mapping[Path, str | None]
) -> list[Path]:
    """The files to match, sorted: those on disk that nothing lies over, and the texts that lie over them."""
    if found is None:
        disk = [file for place in places for file in ([place] if place.is_file() else ignore.walk(place, WALK_MAX))]
    else:
        disk = [file for file in found if not file.is_symlink() and not ignore.ignored(file)]
    chosen = {file for file in disk if file not in texts}
    chosen |= {
        file
        for file, text in texts.items()
        if text is not None and any(file.is_relative_to(place) for place in places) and not ignore.ignored(file)
    }
    return sorted(chosen, key=lambda file: file.parts)


def _hits(output: bytes, files: Sequence[Path]) -> tuple[tuple[Hit, ...], bool]:
    hits: list[Hit] = []
    for line in output.split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue  # the last line, cut by the time limit
        if row == "cut":
            return tuple(hits), True
        index, number, text = cast("tuple[int, int, Any]", tuple(row))
        hits.append(Hit(files[index], number, str(text)))
    return tuple(hits), False
