"""What of a workspace folder its shadow holds: everything but what is ignored, made by tools, or installed."""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Final

from kaaj_agent.failures import SandboxError
from kaaj_agent.ignore import Ignore, Reason, Scope

FILES_MAX: Final = 100_000
"""Files of one workspace folder; a larger one is most likely a home folder or misses an ignore file."""

_VERSION_CONTROL: Final = frozenset({".git", ".hg", ".svn", ".jj"})
_DEPENDENCIES: Final = frozenset(
    {"node_modules", ".venv", ".tox", ".nox", ".bundle", "bower_components", ".eggs", ".yarn", ".pnpm-store"}
)
_DEPENDENCIES_IF_IGNORED: Final = frozenset({"vendor", "venv", "env", "Pods", "deps", "third_party", "site-packages"})
_SHOWN_BY_NAME: Final = _DEPENDENCIES | {"vendor", "Pods", "third_party", "site-packages"}
_CACHES: Final = frozenset(
    {
        "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".cache", ".gradle", ".next",
        ".nuxt", ".svelte-kit", ".turbo", ".parcel-cache", ".vite", "htmlcov", ".nyc_output", ".ipynb_checkpoints",
    }
)  # fmt: skip
_OUTPUTS: Final = frozenset({"target", "build", "dist", "out", "coverage", "_build"})
"""Where tools put what they make, if the workspace has no such folder of its own."""

_OUTPUT_FILES: Final = re.compile(r"\.coverage(?:\..+)?\Z|.+\.py[co]\Z|\.DS_Store\Z")
_GENERATED: Final = re.compile(r"_?version\.(?:py|ts|js)\Z|.+_version\.py\Z|.+_pb2(?:_grpc)?\.pyi?\Z|.+\.(?:so|pyd)\Z")
"""Ignored by git in many projects, and yet the project does not import without them."""


class Stopped(Exception):  # noqa: N818 - it is no error: the caller asked for it
    """The work was asked to stop between two files; the next sync goes on from there."""


@dataclass(slots=True)
class Plan:
    """What the workspace holds. Keys are paths relative to the root, with `/`."""

    folders: list[str] = field(default_factory=list[str])
    files: dict[str, os.stat_result] = field(default_factory=dict[str, os.stat_result])
    links: dict[str, str] = field(default_factory=dict[str, str])
    dependencies: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])


class Survey:
    """Looks over one root. Blocking. Names are relative to it, with `/`. `private` is Kaaj's own, never laid out."""

    def __init__(self, root: Path, ignore: Ignore, private: Path) -> None:
        self.root = root
        self._ignore = ignore
        self._private = private
        self._private_text = str(private)
        self._roots = {str(one) for one in ignore.folders.roots}

    def take(self, stop: threading.Event) -> Plan:
        """Everything that is to be laid out, in one walk. Raises Stopped, SandboxError (too many files)."""
        plan = Plan()
        stack = [("", self._ignore.scope(self.root))]
        while stack:
            go_on(stop)
            name, scope = stack.pop()
            try:
                with os.scandir(self.root / name) as entries:
                    here = sorted(entries, key=attrgetter("name"))
            except OSError:
                continue  # gone meanwhile, or not ours to read
            bases = {entry.name for entry in here}
            if name and "pyvenv.cfg" in bases:
                plan.dependencies.append(name)
                continue
            if name:
                plan.folders.append(name)
            built = not bases.isdisjoint(("Cargo.toml", "pom.xml"))
            for entry in here:
                inner = f"{name}/{entry.name}" if name else entry.name
                self._note_entry(entry, inner, scope, plan, stack, built=built)
            if len(plan.files) > FILES_MAX:
                raise SandboxError(
                    f"{self.root} holds more than {FILES_MAX:,} files that are not ignored, too many to lay out.",
                    kept="No command was run.",
                    hint="Open the project's own folder, or name what it does not need in .kaajignore.",
                )
        return plan

    def _note_entry(
        self,
        entry: os.DirEntry[str],
        name: str,
        scope: Scope | None,
        plan: Plan,
        stack: list[tuple[str, Scope | None]],
        *,
        built: bool,
    ) -> None:
        base = entry.name
        if base in _VERSION_CONTROL:
            return
        if base in _DEPENDENCIES or base.endswith(".egg-info"):
            if entry.is_symlink() and not self._leads_to_dependencies(name):
                plan.links[name] = os.readlink(entry.path)  # noqa: PTH115 - the text of the link, as it is
            elif entry.is_dir():
                plan.dependencies.append(name)
        elif entry.is_symlink():
            withheld = self._ignore.ignored(self.root / name)
            if withheld and base in _DEPENDENCIES_IF_IGNORED and self._leads_to_dependencies(name):
                plan.dependencies.append(name)
            elif not withheld:
                plan.links[name] = os.readlink(entry.path)  # noqa: PTH115 - the text of the link, as it is
        elif entry.is_dir(follow_symlinks=False):
            if base in _CACHES or (built and base == "target") or entry.path == self._private_text:
                return
            if self._judge(scope, base, is_folder=True) is None:
                stack.append((name, self._inside(scope, base)))
            elif base in _DEPENDENCIES_IF_IGNORED or (self.root / name / "pyvenv.cfg").is_file():
                plan.dependencies.append(name)
        elif not entry.is_file(follow_symlinks=False):
            plan.notes.append(f"{name} is a pipe, a socket or a device, and is left out")
        elif not _OUTPUT_FILES.match(base):
            reason = self._judge(scope, base, is_folder=False)
            if reason is None or (reason == ".gitignore" and _GENERATED.match(base)):
                try:
                    plan.files[name] = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    return  # gone meanwhile

    def _judge(self, scope: Scope | None, base: str, *, is_folder: bool) -> Reason | None:
        return "outside" if scope is None else self._ignore.judge(scope, base, is_folder=is_folder)

    def _inside(self, scope: Scope | None, base: str) -> Scope | None:
        """The rules of a folder that is not ignored; a workspace folder inside of another has its own."""
        if scope is None:
            return None
        place = f"{scope.folder}{os.sep}{base}"
        return self._ignore.scope(Path(place)) if place in self._roots else self._ignore.enter(scope, base)

    def _leads_to_dependencies(self, name: str) -> bool:
        """Whether a link of the workspace may be shown to commands as what it leads to.

        A repository can hold such a link, to somebody's keys as well, so that the place itself has to be what it is
        called, and no folder that holds Kaaj's own state or a home.
        """
        try:
            target = (self.root / name).resolve()
            home = Path.home().resolve()
        except (OSError, RuntimeError):
            return False
        if any(one.is_relative_to(target) for one in (self._private, home)) or target.is_relative_to(self._private):
            return False
        named = target.name in _SHOWN_BY_NAME or target.name.endswith(".egg-info")
        return target.is_dir() and (named or (target / "pyvenv.cfg").is_file())

    def is_output(self, name: str) -> bool:
        """Whether a folder that the workspace does not have is where tools put what they make."""
        base = name.rpartition("/")[2]
        return (
            base in _CACHES
            or base in _OUTPUTS
            or base in _DEPENDENCIES
            or base in _VERSION_CONTROL
            or base.endswith(".egg-info")
            or self._ignore.ignored(self.root / name / "_")  # with something in it, it counts as a folder
        )

    def is_kept(self, name: str) -> bool:
        """Whether a file that nobody laid down is a command's own business: ignored, or a tool's usual output."""
        return bool(_OUTPUT_FILES.match(name.rpartition("/")[2])) or self._ignore.ignored(self.root / name)


def go_on(stop: threading.Event) -> None:
    """Raises Stopped where that was asked for."""
    if stop.is_set():
        raise Stopped
