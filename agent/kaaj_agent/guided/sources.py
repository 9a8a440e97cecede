"""The workspace's code as texts: buffers over disk, what is staged over both, and where in them a name is defined."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kaaj_agent import disk, mentions
from kaaj_agent.failures import FileError
from kaaj_agent.guided.units import CODE, Span, is_test, spans
from kaaj_agent.ignore import GUARDED, Ignore
from kaaj_agent.staging import Staging
from kaaj_agent.world import Folders

if TYPE_CHECKING:
    from kaaj_agent.repomap.map import RepoMap
    from kaaj_agent.work import Work

FILES_MAX: Final = 4_000
"""Texts that are held; of a larger workspace those that the map finds nearest to the request."""
FILE_MAX: Final = 256 * 1024
"""Bytes; a larger file is generated, as a rule, and is not searched for a fault."""

PARSED_MAX: Final = 60
"""Files that hold a name and are parsed to find its definition; of more, those in which it looks like one."""

_DEFINED: Final = re.compile(
    r"^[ \t]*(?:(?:async|export|default|public|private|protected|static|final|pub(?:\([^)]*\))?|abstract|override)\s+)*"
    r"(?:(?:def|class|function\*?|func|fn|fun|struct|interface|trait|enum)\s+(?:\([^)]*\)\s*)?([\w$]+)"
    r"|(?:const|let|var)\s+([\w$]+)\s*="
    r"|(?:[\w<>\[\],.*&:?]+\s+){0,3}([\w$]+)\s*\([^;{}\n]*\)[^;{}=\n]*\{)",
    re.MULTILINE,
)


@dataclass(slots=True)
class Sources:
    """Texts by path, sorted by path. Methods that parse block: call them off the event loop."""

    folders: Folders
    texts: dict[Path, str]
    _defined: dict[str, list[Path]] = field(default_factory=dict[str, list[Path]])
    _spans: dict[Path, tuple[str, list[Span]]] = field(default_factory=dict[Path, tuple[str, list[Span]]])

    def name(self, path: Path) -> str:
        return self.folders.name_of(path)

    @property
    def known(self) -> frozenset[Path]:
        return frozenset(self.texts)

    def is_test(self, path: Path) -> bool:
        """Whether a file holds tests, by its name in the workspace: the folders around that tell nothing."""
        root = self.folders.root_of(path)
        return is_test(path.relative_to(root) if root is not None and path != root else path)

    def put(self, path: Path, text: str | None) -> None:
        """The text of a file has become another, or it is gone."""
        if text is None:
            self.texts.pop(path, None)
        else:
            self.texts[path] = text
        self._defined.clear()

    def spans(self, path: Path) -> list[Span]:
        text = self.texts.get(path, "")
        held = self._spans.get(path)
        if held is None or held[0] != text:
            held = self._spans[path] = (text, spans(path, text))
        return held[1]

    def defining(self, name: str) -> list[Path]:
        """The files that may define a function, class or the like of this bare name, none that does left out unless
        very many hold the name.
        """
        held = self.mentioning([name])
        return held if len(held) <= PARSED_MAX else self._look_defining(name)

    def _look_defining(self, name: str) -> list[Path]:
        """The files that seem to define a bare name, by their look."""
        if not self._defined:
            for path, text in self.texts.items():
                for match in _DEFINED.finditer(text):
                    paths = self._defined.setdefault(match[1] or match[2] or match[3], [])
                    if not paths or paths[-1] != path:
                        paths.append(path)
            self._defined.setdefault("", [])
        return self._defined.get(name, [])

    def definitions(self, name: str, *, tests: bool = False) -> list[tuple[Path, Span]]:
        """The spans of what is defined under this bare name, of tests only where asked for."""
        return [
            (path, span)
            for path in self.defining(name)
            if tests or not self.is_test(path)
            for span in self.spans(path)
            if span.bare == name
        ]

    def mentioning(self, words: Iterable[str]) -> list[Path]:
        """The files in which any of the words stands as a whole word."""
        wanted = list(words)
        if not wanted:
            return []
        pattern = re.compile(rf"(?<![\w$])(?:{'|'.join(map(re.escape, wanted))})(?![\w$])")
        return [
            path
            for path, text in self.texts.items()
            if any(word in text for word in wanted) and pattern.search(text)  # the first is a hundred times as quick
        ]

    def lines(self, path: Path, span: Span) -> str:
        return "\n".join(self.texts[path].split("\n")[span.first - 1 : span.last])


async def load(
    staging: Staging, ignore: Ignore, repo_map: RepoMap | None = None, *, about: str = "", focus: Path | None = None
) -> Sources:
    """Every code file that is not ignored, and any text file that the words `about` name, as it stands with unsaved
    buffers and what is staged.

    Of more than `FILES_MAX` those that `repo_map` finds nearest to these words and the file in `focus`.
    """
    folders = staging.folders
    over: dict[Path, str | None] = {
        path: document.text for path, document in staging.snapshot.buffers.items() if folders.root_of(path)
    }
    for file in staging.files:
        over[file.path] = None
        over[file.target] = file.after
    named = frozenset(name.rpartition("/")[2] for name in mentions.paths(about))
    sources = await asyncio.to_thread(_load, folders, ignore, over, (), named)
    if len(sources.texts) < FILES_MAX or repo_map is None:
        return sources
    nearest = await repo_map.nearest(focus=[focus] if focus else [], mentioned=about, limit=FILES_MAX)
    return await asyncio.to_thread(_load, folders, ignore, over, nearest, named) if nearest else sources


async def load_for(work: Work, about: str) -> Sources:
    """The sources of a task; of a very large workspace those nearest to the words `about` and the task's file."""
    repo_map = work.bench.repo_map() if work.bench.repo_map is not None else None
    return await load(work.staging, work.bench.ignore, repo_map, about=about, focus=work.request.path)


def _load(
    folders: Folders, ignore: Ignore, over: Mapping[Path, str | None], first: Sequence[Path], named: frozenset[str]
) -> Sources:
    texts: dict[Path, str] = {
        path: text for path, text in over.items() if text is not None and ignore.reason(path) not in GUARDED
    }
    for path in chain(first, *(ignore.walk(root) for root in folders.roots)):
        if len(texts) >= FILES_MAX:
            break
        if path in over or path in texts or (path.suffix.lower() not in CODE and path.name not in named):
            continue
        try:
            if path.stat().st_size <= FILE_MAX:
                texts[path] = disk.read(path).text
        except (FileError, OSError):
            continue  # unreadable, binary or gone: not a place where a fault is looked for
    return Sources(folders, dict(sorted(texts.items())))
