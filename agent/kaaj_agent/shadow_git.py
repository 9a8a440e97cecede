"""What commands see of a workspace folder's repository: its `.git`, read-only, or nothing of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from kaaj_agent.git_facts import tracked
from kaaj_agent.regular import first_text

_SECTION: Final = re.compile(r"(?ms)^\[(?:core|extensions)\b[^\n]*\n(?:(?!\[)[^\n]*\n?)*")
_NAMED: Final = 3


class ShadowGit:
    """The repository of one folder. Addresses of remotes and helpers may hold passwords: of its configuration, what
    git needs to read the repository is kept in `config`, and shown in its place.

    Where git tracks a file that holds secrets the repository is not shown at all, since `git show` would print what
    the tree leaves out; `note` says so.
    """

    def __init__(self, root: Path, config: Path, is_secret: Callable[[str], bool]) -> None:
        self.folder = root / ".git"
        self.config = config
        self.note = ""
        self._is_secret = is_secret
        self._seen: tuple[int, int, int] | None = None

    def prepare(self) -> None:
        """Before commands run; in a thread, as git is asked once for each index."""
        try:
            text = first_text(self.folder / "config")
        except OSError:
            return
        self.config.write_text("".join(_SECTION.findall(text)), "utf-8")
        index = self._index()
        if index != self._seen:
            self.note = self._note()
            self._seen = index

    @property
    def shown(self) -> bool:
        present = self.config.is_file() and self.folder.is_dir() and not self.folder.is_symlink()
        return present and not self.note

    def _index(self) -> tuple[int, int, int] | None:
        try:
            status = (self.folder / "index").stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _note(self) -> str:
        secret = [name for name in tracked(self.folder.parent) if self._is_secret(name)]
        if not secret:
            return ""
        named = ", ".join(map(repr, secret[:_NAMED])) + (", …" if len(secret) > _NAMED else "")
        return (
            f"Commands see nothing of the git repository of {self.folder.parent.name}: it holds {named}, which they "
            "would read out of it. `secretFiles` in your settings takes off what is no secret (`!` before the name)."
        )
