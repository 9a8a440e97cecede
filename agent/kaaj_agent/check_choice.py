"""Which check command a workspace has: the user's setting, what was remembered, or what is found and agreed to once."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from filelock import FileLock

_log = logging.getLogger(__name__)

NONE: Final = "none"
"""The setting that means: run no check."""


@dataclass(frozen=True, slots=True)
class CheckMemory:
    """What the user decided for each workspace folder, in their own state folder: path → command, or `none`."""

    path: Path

    def recall(self, root: Path) -> str | None:
        return self._load().get(str(root))

    def remember(self, root: Path, command: str) -> None:
        """A disk that refuses is logged; the question then comes again next time."""
        self._change(lambda table: table | {str(root): command})

    def rows(self) -> dict[str, str]:
        """Every folder with what was decided for it."""
        return self._load()

    def forget(self, *folders: str) -> None:
        """Take decisions back."""
        if folders:
            self._change(lambda table: {root: command for root, command in table.items() if root not in folders})

    def _change(self, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock"), timeout=5):
                table = change(self._load())
                fresh = self.path.with_suffix(f".{os.getpid()}.tmp")
                fresh.write_text(json.dumps(table, indent=1, sort_keys=True), "utf-8")
                fresh.replace(self.path)
        except OSError as error:
            _log.warning("remembering the check command: %s", error)

    def _load(self) -> dict[str, str]:
        try:
            table: Any = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(table, dict):
            return {}
        rows = cast("dict[str, Any]", table)
        return {root: command for root, command in rows.items() if isinstance(command, str)}
