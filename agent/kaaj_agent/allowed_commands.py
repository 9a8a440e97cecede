"""Commands that the person allowed for good: in their own state folder, by workspace folder, each exactly as it stood.

The file is `commands.json`: folder → list of `{"command": …, "where": …}`. Nothing in a workspace adds to it; `kaaj
allowed` shows it and takes from it. A state folder that lies in a workspace is not believed.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast, get_args

from filelock import FileLock

from kaaj_agent.command_policy.verdict import Where

_log = logging.getLogger(__name__)

NAME: Final = "commands.json"
_RANK: Final[dict[str, int]] = {where: rank for rank, where in enumerate(get_args(Where))}


@dataclass(frozen=True, slots=True)
class Allowed:
    """One answer: this very command may run in this folder, `where` it says or with less."""

    folder: str
    command: str
    where: Where


@dataclass(frozen=True, slots=True)
class AllowedCommands:
    """The answers in one file. Reads and writes the disk."""

    path: Path

    @classmethod
    def of(cls, state_dir: Path, roots: Iterable[Path]) -> AllowedCommands | None:
        """None where the state folder lies in the workspace, whose content might have written it."""
        path = state_dir.resolve() / NAME
        return None if any(path.is_relative_to(root.resolve()) for root in roots) else cls(path)

    def allows(self, folder: Path, command: str, where: Where) -> bool:
        """Whether this very command was allowed there, with as much or more."""
        return any(
            row.folder == str(folder) and row.command == command and _RANK[row.where] >= _RANK[where]
            for row in self.rows()
        )

    def rows(self) -> list[Allowed]:
        """All answers, in order. A file that cannot be read allows nothing."""
        try:
            table: Any = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return []
        found = [
            Allowed(folder, row["command"], row["where"])
            for folder, rows in _items(table)
            for row in _listed(rows)
            if _is_row(row)
        ]
        return sorted(found, key=lambda row: (row.folder, row.command, row.where))

    def add(self, row: Allowed) -> None:
        """A disk that refuses is logged; the question then comes again."""
        self._change(lambda rows: [*(one for one in rows if one != row), row])

    def forget(self, *gone: Allowed) -> None:
        """Take answers back."""
        if gone:
            self._change(lambda rows: [row for row in rows if row not in gone])

    def _change(self, change: Callable[[list[Allowed]], list[Allowed]]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock"), timeout=5):
                table: dict[str, list[dict[str, str]]] = {}
                for row in change(self.rows()):
                    table.setdefault(row.folder, []).append({"command": row.command, "where": row.where})
                fresh = self.path.with_suffix(f".{os.getpid()}.tmp")
                fresh.touch(mode=0o600)
                fresh.write_text(json.dumps(table, indent=1, sort_keys=True), "utf-8")
                fresh.replace(self.path)
        except (OSError, ValueError) as error:
            _log.warning("remembering a command: %s", error)


def _items(table: Any) -> list[tuple[str, Any]]:
    return list(cast("dict[str, Any]", table).items()) if isinstance(table, dict) else []


def _listed(rows: object) -> list[Any]:
    return list(rows) if isinstance(rows, list) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - JSON


def _is_row(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    given = cast("dict[str, Any]", row)
    return isinstance(given.get("command"), str) and isinstance(given.get("where"), str) and given["where"] in _RANK
