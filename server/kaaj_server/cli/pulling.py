"""Fetching an embedded model with progress to look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.text import Text

from kaaj_agent.embedded import pull
from kaaj_agent.embedded.models import EmbeddedModel, model_folder

_STEP: Final = 10
"""Percent between two lines where there is no terminal."""

_WORDS: Final = {
    "hub": "from the Hugging Face hub",
    "mirror": "from the mirror",
    "verify": "verifying its SHA-256",
    "wait": "another Kaaj is fetching it",
}


def size(count: int) -> str:
    """Bytes for people, in decimal units as downloads are told: 1.1 GB, 491 MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def short(path: Path) -> str:
    """A path as people write it, with `~` for their home."""
    home = Path.home()
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


async def pull_model(model: EmbeddedModel, console: Console, environ: Mapping[str, str]) -> Path:
    """The model's verified file, fetched with a bar on a terminal and a line per 10% elsewhere. Raises PullError."""
    folder = model_folder(environ)
    console.print(Text.assemble((model.name, "bold"), f"  {size(model.size)} to {short(folder)}"))
    if not console.is_terminal or console.is_dumb_terminal:
        return await pull.pull(model, folder, _Lines(console).show, environ=environ)
    columns = (
        TextColumn("  "),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.description}", style="dim"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        row = progress.add_task("", total=model.size)

        def show(now: pull.Progress) -> None:
            progress.update(row, completed=now.received, description=_WORDS[now.source])

        return await pull.pull(model, folder, show, environ=environ)


class _Lines:
    """Progress as plain lines: one when the source changes, and one per step."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._source = ""
        self._told = -1

    def show(self, now: pull.Progress) -> None:
        step = int(100 * now.received / now.total) // _STEP if now.total else 0
        if now.source != self._source:
            self._source = now.source
            self._told = step
            earlier = now.received if now.source in ("hub", "mirror") else 0
            self._console.print(f"  {_WORDS[now.source]}" + (f", after {size(earlier)} from before" if earlier else ""))
        elif step > self._told and now.source in ("hub", "mirror"):
            self._told = step
            self._console.print(f"  {step * _STEP:>3}%  {size(now.received)}")
