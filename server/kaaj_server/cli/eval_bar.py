"""How far an evaluation is: a bar on a terminal, a line per run elsewhere."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from kaaj_server.cli.eval_task import Result
from kaaj_server.cli.view import Marks, seconds


class EvalBar:
    """Progress over `total` runs, of which `done` stand already. A context manager."""

    def __init__(self, console: Console, total: int, done: int) -> None:
        self._console = console
        self._marks = Marks.of(console)
        columns = (
            TextColumn("  "),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", style="dim"),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._row = self._progress.add_task("", total=total, completed=done)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin(self, name: str) -> None:
        """A run starts."""
        self._progress.update(self._row, description=name)

    def end(self, result: Result) -> None:
        """A run came to its result."""
        mark, style = (self._marks.done, "green") if result.solved else (self._marks.failed, "red")
        name = result.task if result.seed is None else f"{result.task} (seed {result.seed})"
        words = "solved" if result.solved else result.status if result.status != "done" else "not solved"
        line = Text.assemble((f"  {mark} ", style), name, (f"  {words}, {seconds(result.seconds)}", "dim"))
        self._progress.console.print(line)
        self._progress.advance(self._row)
