"""The map's own process: it holds the index of a workspace and answers requests, one JSON object a line.

Every request has an `id`, an `op` and `texts`: what has changed since the last one, by absolute path, each with its
unsaved text, or null where the disk is to be looked at. `scan` asks for a look at every file. The answer has the same
`id`. The process ends when nobody is there any more: at the end of its input.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kaaj_agent.ignore import Ignore
from kaaj_agent.regular import first_bytes, first_text
from kaaj_agent.repomap.cache import Cache, Stamp
from kaaj_agent.repomap.index import Index
from kaaj_agent.repomap.outline import Wanted, nearest, outline
from kaaj_agent.repomap.pool import tag_all
from kaaj_agent.repomap.record import FILE_MAX, key_of, packed, record_of, record_of_bytes
from kaaj_agent.trees.grammars import language_name
from kaaj_agent.trees.tags import tags
from kaaj_agent.world import Folders

FILES_MAX: Final = 40_000
"""Source files of a workspace that are mapped; what comes after them by name is left out."""
_RULE_FILES: Final = frozenset({".gitignore", ".kaajignore"})
_SAVED_AT_ONCE: Final = 500
_USES_MAX: Final = 200
_STEM_MIN: Final = 4


@dataclass(slots=True)
class Workspace:
    """The mapped files of some folders. One thread; everything blocks."""

    folders: Folders
    ignore: Ignore
    cache: Cache
    jobs: int | None = None
    index: Index = field(default_factory=Index)
    _disk: dict[str, tuple[Stamp, bytes]] = field(default_factory=dict[str, "tuple[Stamp, bytes]"])
    """What is mapped as it stands on disk."""
    _texts: dict[str, str] = field(default_factory=dict[str, str])
    """What is mapped as it stands in a buffer."""
    _scanned: bool = False

    @classmethod
    def open(
        cls, roots: list[Path], cache: Path | None, *, secrets: bool, names: Sequence[str] = (), jobs: int | None = None
    ) -> Workspace:
        folders = Folders(tuple(roots))
        private = (cache.parent,) if cache is not None else ()
        ignore = Ignore(folders, secrets=secrets, names=names, private=private)
        return cls(folders, ignore, Cache.open(cache, roots), jobs)

    def update(self, texts: Mapping[str, str | None], *, scan: bool) -> None:
        """Take in what has changed, and look at every file where that is asked for or not yet done."""
        for path, text in texts.items():
            scan = self._changed(path, text) or scan
        if scan or not self._scanned:
            gc.disable()  # hundreds of thousands of values and not one cycle
            try:
                self._scan()
            finally:
                gc.enable()
                gc.freeze()
        self.index.settle()

    def outline(self, request: Mapping[str, Any]) -> str:
        if len(self.index) < int(request.get("least", 0)):
            return ""
        focus: dict[str, float] = request.get("focus", {})
        words: dict[str, float] = request.get("words", {})
        wanted = Wanted(focus, self._named(request.get("paths", []), words), words)
        return outline(self.index, wanted, int(request["tokens"]), lambda path: self.folders.name_of(Path(path)))

    def nearest(self, request: Mapping[str, Any]) -> list[str]:
        """Paths, the likeliest to matter first."""
        focus: dict[str, float] = request.get("focus", {})
        words: dict[str, float] = request.get("words", {})
        wanted = Wanted(focus, self._named(request.get("paths", []), words), words)
        return nearest(self.index, wanted, int(request["limit"]))

    def definitions(self, name: str) -> list[list[Any]]:
        """`[path, name, kind, first, last, signature]` of each definition of a bare or qualified name."""
        bare = name.rpartition(".")[2]
        return [
            [path, one.name, one.kind, one.first, one.last, one.signature]
            for number in self.index.defining(bare)
            if (path := self.index.names[number])
            for one in self.index.record(number).definitions
            if name in (one.bare, one.name)
        ]

    def references(self, name: str) -> list[list[Any]]:
        """`[path, line]` of each use of a bare name, at most some hundreds."""
        found: list[list[Any]] = []
        for number in self.index.referring(name):
            path = self.index.names[number]
            text = self._text(path)
            made = tags(Path(path), text, alone=True) if text is not None else None
            lines = next((one.lines for one in made.references if one.name == name), ()) if made is not None else ()
            found += [[path, line] for line in lines]
            if len(found) >= _USES_MAX:
                break
        return sorted(found)[:_USES_MAX]

    def _text(self, path: str) -> str | None:
        if path in self._texts:
            return self._texts[path]
        try:
            return first_text(Path(path), FILE_MAX).replace("\r\n", "\n").replace("\r", "\n")
        except OSError:
            return None

    def _named(self, names: list[str], words: Mapping[str, float]) -> dict[str, float]:
        """The files that a request names: by a tail of their path, or by a word that is their whole stem."""
        tails = tuple(f"/{name}" for name in names)
        stems = {word.lower(): weight for word, weight in words.items() if len(word) >= _STEM_MIN}
        by_stem: dict[str, list[str]] = {}
        found: dict[str, float] = {}
        for path in self.index.numbers:
            if tails and path.replace(os.sep, "/").endswith(tails):
                found[path] = 1.5
            stem = path[path.rfind(os.sep) + 1 :].partition(".")[0].lower()
            if stem in stems:
                by_stem.setdefault(stem, []).append(path)
        for stem, paths in by_stem.items():
            for path in paths:
                found.setdefault(path, stems[stem] / len(paths))
        return found

    # --- what has changed ------------------------------------------------------------------------------------------

    def _changed(self, path: str, text: str | None) -> bool:
        """Take in one path; whether every file is to be looked at."""
        where = Path(path)
        if where.name in _RULE_FILES:
            return True
        if text is not None:
            if self.folders.root_of(where) is not None and language_name(where) and not self.ignore.ignored(where):
                self._texts[path] = text
                self._disk.pop(path, None)
                self.index.put(path, record_of(where, text))
            else:
                self._gone(path)
            return False
        self._texts.pop(path, None)
        if where.is_dir() and not where.is_symlink():
            return not self.ignore.ignored(where)
        known = path in self._disk or path in self.index.numbers
        if not known and not where.exists():
            inside = path + os.sep
            for other in [other for other in self.index.numbers if other.startswith(inside)]:
                self._gone(other)
            return False
        self._look(where)
        return False

    def _look(self, path: Path) -> None:
        """Map one file as it stands on disk."""
        name = str(path)
        stamp = _stamp(name)
        wanted = language_name(path) and not path.is_symlink() and self.folders.root_of(path) is not None
        if stamp is None or not wanted or self.ignore.ignored(path):
            self._gone(name)
            return
        try:
            data = first_bytes(path, FILE_MAX + 1)
        except OSError:
            self._gone(name)
            return
        key = key_of(path, data)
        held = self._disk.get(name)
        if held is None or held[1] != key:
            record = record_of_bytes(path, data)
            self.index.put(name, record)
            self.cache.save([(key, packed(record))], [(name, stamp, key)])
        self._disk[name] = (stamp, key)

    def _gone(self, path: str) -> None:
        self._texts.pop(path, None)
        self._disk.pop(path, None)
        self.index.drop(path)

    def _scan(self) -> None:
        """Look at every file: what is new or has another time stamp is tagged, what is gone is dropped."""
        if not self._scanned:
            for path, stamp, key, record in self.cache.load():
                self._disk[path] = (stamp, key)
                self.index.put(path, record)
        self._scanned = True
        stamps = {name: seen for name in self._walk() if (seen := _stamp(name)) is not None}
        gone = [path for path in self._disk if path not in stamps and path not in self._texts]
        for path in gone:
            self._gone(path)
        fresh = [
            path
            for path, stamp in stamps.items()
            if path not in self._texts and (path not in self._disk or self._disk[path][0] != stamp)
        ]
        self._tag(fresh, stamps)
        if gone or fresh:
            self.cache.prune(gone)

    def _tag(self, paths: list[str], stamps: Mapping[str, Stamp]) -> None:
        records: list[tuple[bytes, bytes]] = []
        files: list[tuple[str, Stamp, bytes]] = []
        for path, key, record, data in tag_all(paths, self.jobs):
            self._disk[path] = (stamps[path], key)
            self.index.put(path, record)
            if key:
                records.append((key, data))
                files.append((path, stamps[path], key))
            if len(files) >= _SAVED_AT_ONCE:
                self.cache.save(records, files)
                records.clear()
                files.clear()
        if files:
            self.cache.save(records, files)

    def _walk(self) -> Iterator[str]:
        count = 0
        for root in self.folders.roots:
            for path in self.ignore.walk(root):
                if language_name(path):
                    yield str(path)
                    count += 1
                    if count >= FILES_MAX:
                        return


def _stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path, follow_symlinks=False)  # noqa: PTH116 - strings: there are thousands
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def answer(workspace: Workspace, request: Mapping[str, Any]) -> dict[str, Any]:
    """What a request is answered with."""
    workspace.update(request.get("texts", {}), scan=bool(request.get("scan")))
    match request["op"]:
        case "outline":
            return {"text": workspace.outline(request)}
        case "nearest":
            return {"found": workspace.nearest(request)}
        case "definitions":
            return {"found": workspace.definitions(str(request["name"]))}
        case "references":
            return {"found": workspace.references(str(request["name"]))}
        case _:
            return {"files": len(workspace.index)}


def main() -> None:
    """Serve one workspace on standard input and output. The first line says which."""
    if hasattr(os, "nice"):
        os.nice(5)  # the editor and the model come first
    first = json.loads(sys.stdin.buffer.readline() or b"{}")
    if not first:
        return
    cache = Path(first["cache"]) if first["cache"] else None
    roots = [Path(root) for root in first["roots"]]
    workspace = Workspace.open(roots, cache, secrets=bool(first["secrets"]), names=first["names"])
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            said = answer(workspace, request)
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            said = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps({"id": request["id"], **said}) + "\n")
        sys.stdout.flush()
    workspace.cache.close()
