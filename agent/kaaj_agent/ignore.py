"""What in a workspace is left alone: by git's rules, by the user's, and by a short list of Kaaj's own.

Three families are judged each on its own, and any of them is enough: `.gitignore` files (nested, with negation, and
`.git/info/exclude`; no repository is needed), `.kaajignore` files (the same syntax), and what is built in. A rule
file is read again when its time stamp or size changes. Everything here blocks: call it off the event loop.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Literal, TypeAlias

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from kaaj_agent.secret_names import SecretNames
from kaaj_agent.world import Folders, is_version_control

Reason: TypeAlias = Literal[
    "outside", "version control", "Kaaj's own", "secret", "built in", ".gitignore", ".kaajignore"
]

NOISE: Final = frozenset(
    {"node_modules", "__pycache__", ".venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".DS_Store"}
)
"""Names of what tools leave behind, for workspaces that have no rule files."""

GUARDED: Final[frozenset[Reason]] = frozenset({"outside", "version control", "Kaaj's own", "secret"})
"""What is left alone to protect somebody; the other reasons only keep noise away."""

_RULES_MAX: Final = 256 * 1024
"""Bytes of a rule file that are read."""
WALK_MAX: Final = 100_000

_Stamp: TypeAlias = tuple[int, int] | None
_Patterns: TypeAlias = tuple[tuple[bool, re.Pattern[str]], ...]
"""The last pattern of a file first, each with whether it ignores."""
_Layers: TypeAlias = tuple[tuple[_Patterns, str], ...]


@dataclass(frozen=True, slots=True)
class _Rules:
    stamp: _Stamp
    patterns: _Patterns


@dataclass(frozen=True, slots=True)
class Scope:
    """A folder with the rules that hold in it, the nearest first, each with the folder's path from where it stands."""

    folder: str
    git: _Layers = ()
    kaaj: _Layers = ()


class Ignore:
    """The rules of some workspace folders. With `secrets` the user has allowed files that hold keys to be read.

    `names` are the user's own additions to what counts as such a file, `private` folders of Kaaj's own (links
    resolved): what lies below them is left alone where a workspace holds it.
    """

    def __init__(
        self, folders: Folders, *, secrets: bool = False, names: Sequence[str] = (), private: Iterable[Path] = ()
    ) -> None:
        self.folders = folders
        self._secrets = None if secrets else SecretNames.of(names)
        self._private = frozenset(map(str, private))
        self._rules: dict[str, _Rules] = {}

    def is_secret(self, name: str) -> bool:
        """Whether a relative path, with `/`, is withheld as a file that holds keys."""
        return self._secrets is not None and any(map(self._secrets.hold, name.split("/")))

    def ignored(self, path: Path) -> bool:
        """Whether `path` (absolute, links resolved) or a folder above it is left alone."""
        return self.reason(path) is not None

    def reason(self, path: Path) -> Reason | None:
        """Which family of rules leaves `path` alone; None where none does."""
        root = self.folders.root_of(path)
        if root is None:
            return "outside"
        scope = self._open(root)
        parts = path.relative_to(root).parts
        for at, part in enumerate(parts):
            is_folder = at < len(parts) - 1 or os.path.isdir(scope.folder + os.sep + part)  # noqa: PTH112 - strings, as in walks
            reason = self.judge(scope, part, is_folder=is_folder)
            if reason is not None:
                return reason
            if is_folder:
                scope = self.enter(scope, part)
        return None

    def walk(self, root: Path, limit: int = WALK_MAX) -> Iterator[Path]:
        """At most `limit` regular files below a folder that are not ignored, sorted; links are not followed."""
        scope = self.scope(root)
        if scope is not None:
            yield from islice(self._walk(scope), limit)

    def children(self, folder: Path) -> list[tuple[str, bool]]:
        """The names in a folder that are not ignored, sorted, each with whether it is a folder. No links.

        An ignored folder has no children, and neither has one that cannot be read.
        """
        scope = self.scope(folder)
        return self._children(scope) if scope is not None else []

    def scope(self, folder: Path) -> Scope | None:
        """The rules that hold in a folder, for walks that carry them along; None where it is ignored."""
        root = self.folders.root_of(folder)
        if root is None or self.ignored(folder):
            return None
        scope = self._open(root)
        for part in folder.relative_to(root).parts:
            scope = self.enter(scope, part)
        return scope

    def _walk(self, scope: Scope) -> Iterator[Path]:
        folder = Path(scope.folder)
        for name, is_folder in self._children(scope):
            if is_folder:
                yield from self._walk(self.enter(scope, name))
            else:
                yield folder / name

    def _children(self, scope: Scope) -> list[tuple[str, bool]]:
        try:
            with os.scandir(scope.folder) as found:
                entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found if _plain(entry)]
        except OSError:
            return []
        return sorted(entry for entry in entries if self.judge(scope, entry[0], is_folder=entry[1]) is None)

    def judge(self, scope: Scope, name: str, *, is_folder: bool) -> Reason | None:
        """The verdict on one name in a folder that is itself not ignored."""
        if is_version_control(name):
            return "version control"
        if self._private and scope.folder + os.sep + name in self._private:
            return "Kaaj's own"
        if self._secrets is not None and self._secrets.hold(name):
            return "secret"
        if name in NOISE:
            return "built in"
        if is_folder:
            name += "/"
        if _matches(scope.git, name):
            return ".gitignore"
        if _matches(scope.kaaj, name):
            return ".kaajignore"
        return None

    def _open(self, root: Path) -> Scope:
        """The scope of a workspace folder: rules of the repository around it hold in it too."""
        top = _top_of(root)
        git = self._layers((), str(top / ".git" / "info"), "exclude", "")
        git = self._layers(git, str(top), ".gitignore", "")
        here = top
        for part in root.relative_to(top).parts:
            here = here / part
            git = self._layers(git, str(here), ".gitignore", part)
        return Scope(str(root), git, self._layers((), str(root), ".kaajignore", ""))

    def enter(self, scope: Scope, name: str) -> Scope:
        """The rules in a folder of a folder, where it is not ignored."""
        folder = scope.folder + os.sep + name
        git = self._layers(scope.git, folder, ".gitignore", name)
        return Scope(folder, git, self._layers(scope.kaaj, folder, ".kaajignore", name))

    def _layers(self, above: _Layers, folder: str, rule_file: str, name: str) -> _Layers:
        deeper = tuple((patterns, f"{prefix}{name}/") for patterns, prefix in above) if name else above
        path = folder + os.sep + rule_file
        stamp = _stamp_of(path)
        held = self._rules.get(path)
        if held is None or held.stamp != stamp:
            held = self._rules[path] = _Rules(stamp, _parse(path) if stamp else ())
        return ((held.patterns, ""), *deeper) if held.patterns else deeper


def _plain(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)


def _stamp_of(path: str) -> _Stamp:
    """None where there is no such regular file; a link is not followed, as git does not follow it."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size) if stat.S_ISREG(status.st_mode) else None


def _parse(path: str) -> _Patterns:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - strings: walks are long, and paths are slow
            lines = file.read(_RULES_MAX).decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    except OSError:
        return ()
    found: list[tuple[bool, re.Pattern[str]]] = []
    for line in reversed(lines):
        try:
            expression, include = GitIgnoreSpecPattern.pattern_to_regex(line)
            if expression is not None and include is not None:
                found.append((include, re.compile(expression)))
        except (ValueError, re.error):
            continue  # git skips what it cannot read, too
    return tuple(found)


def _matches(layers: _Layers, name: str) -> bool:
    """The nearest rule file that speaks of the name decides, and in it the last rule that does."""
    for patterns, prefix in layers:
        path = prefix + name
        for include, regex in patterns:
            if _speaks_of(regex, path):
                return include
    return False


def _speaks_of(regex: re.Pattern[str], path: str) -> bool:
    """Whether a pattern means this very path. A folder's path ends with `/`.

    pathspec's expressions match all that lies below a folder too, and rank such matches in a way that differs from
    git's for `*` with `!folder`; here each folder on the way is judged before what is in it, so that only a match
    that ends with the path counts. (`ps_d` is the group that holds a folder's `/`; `dir/**` matches `dir/` alone.)
    """
    for match in regex.finditer(path):
        if "ps_d" not in regex.groupindex:
            return match.end() < len(path) or not path.endswith("/") or not match[0].endswith("/")
        if match["ps_d"] is None or match.end("ps_d") == len(path):
            return True
    return False


def _top_of(root: Path) -> Path:
    """The top of the repository that holds a folder, or the folder itself: rule files above it do not count."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            return folder
    return root
