"""What commands printed, kept whole in the user's state folder, to be read again as `output:3`.

The prompt holds a cut of it. A file begins with the command; it belongs to its session and goes with it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent.redaction import WITHHELD

_log = logging.getLogger(__name__)

KEPT_MAX: Final = 40
"""Outputs of one session; the oldest go."""
PREFIX: Final = "output:"


@dataclass(slots=True)
class Outputs:
    """`folder` is made with the first output. A disk that refuses means only that nothing is kept."""

    folder: Path

    async def keep(self, command: str, text: str) -> str:
        """Keep an output; the name to read it by, or nothing where it could not be kept."""
        return await asyncio.to_thread(self._keep, command, text)

    async def read(self, name: str) -> str | None:
        """The output of that number; None where there is none, or no longer."""
        number = name.strip()
        if not number.isdecimal() or len(number) > 9:
            return None
        try:
            whole = await asyncio.to_thread((self.folder / f"{int(number)}.txt").read_text, "utf-8", "replace")
        except OSError:
            return None
        return whole.partition("\n")[2]

    def titles(self) -> list[str]:
        """Each name with its command, oldest first. Looks at the disk."""
        rows: list[str] = []
        for number in self._numbers():
            try:
                with (self.folder / f"{number}.txt").open(encoding="utf-8", errors="replace") as file:
                    rows.append(f"{PREFIX}{number}: {file.readline(200).strip()}")
            except OSError:
                continue
        return rows

    def _keep(self, command: str, text: str) -> str:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            known = self._numbers()
            number = max(known, default=0) + 1
            path = self.folder / f"{number}.txt"
            path.touch(0o600)
            path.write_text(f"{WITHHELD.text(' '.join(command.split()))[:180]}\n{text}", "utf-8", "replace")
            for old in known[: max(0, len(known) + 1 - KEPT_MAX)]:
                (self.folder / f"{old}.txt").unlink(missing_ok=True)
        except OSError as error:
            _log.warning("keeping an output: %s", error)
            return ""
        return f"{PREFIX}{number}"

    def _numbers(self) -> list[int]:
        try:
            return sorted(int(path.stem) for path in self.folder.glob("*.txt") if path.stem.isdecimal())
        except OSError:
            return []
