"""A real terminal program under tmux: keys go in, the screen is looked at."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from rig.polling import until

WAIT: Final = 60.0
"""Seconds until a screen that never comes fails the test."""


class Terminal:
    """One tmux server of its own, on a socket of its own, with one window."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def tmux(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "tmux",
            "-S",
            str(self._socket),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return said.decode()

    async def keys(self, *keys: str) -> None:
        """Keys by tmux's names (`Enter`, `Escape`, `C-w`); any other word is typed."""
        await self.tmux("send-keys", *keys)

    async def screen(self) -> str:
        return await self.tmux("capture-pane", "-p")

    async def shows(self, *parts: str, without: str = "") -> str:
        """Waits for a screen that has all of `parts`, and not `without`."""

        async def look() -> str:
            screen = await self.screen()
            return screen if all(part in screen for part in parts) and (not without or without not in screen) else ""

        try:
            return await until(f"a screen with {parts}", look, WAIT)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{await self.screen()}") from None


@asynccontextmanager
async def run_terminal(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], socket: Path, size: tuple[int, int] = (100, 40)
) -> AsyncGenerator[Terminal]:
    """Runs a command in a terminal of `size` columns and lines, with this environment and no other."""
    terminal = Terminal(socket)
    settings = [f"{name}={value}" for name, value in environ.items()]
    await terminal.tmux(
        *("-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "-c", str(folder)),
        *("env", "-i", *settings, *command),
    )
    try:
        yield terminal
    finally:
        await terminal.tmux("kill-server")


def there() -> bool:
    return shutil.which("tmux") is not None
