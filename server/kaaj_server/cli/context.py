"""What a subcommand gets from `__main__`: the environment, the streams, and where Kaaj keeps its own state."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console

DONE: Final = 0
FAILED: Final = 1
BAD_USE: Final = 2
INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Context:
    """One invocation. `environ` is a copy that nobody changes; `state_dir` exists, save for a server, which goes on
    without it where it cannot be made.
    """

    environ: Mapping[str, str]
    state_dir: Path
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    @property
    def interactive(self) -> bool:
        """Whether a person is there to see and to answer."""
        return self.stdin.isatty() and self.stdout.isatty()

    def console(self, *, stderr: bool = False) -> Console:
        """A console on stdout (or stderr). It honours NO_COLOR, FORCE_COLOR and TERM, and wraps only on a terminal."""
        from rich.console import Console  # noqa: PLC0415 - not on the way to `initialize`

        stream = self.stderr if stderr else self.stdout
        return Console(file=stream, highlight=False, soft_wrap=not stream.isatty(), _environ=self.environ)

    def plain(self, line: str) -> None:
        """One line on stdout, at once."""
        self.stdout.write(line + "\n")
        self.stdout.flush()


Run: TypeAlias = Callable[[Context, Namespace], int]
"""A subcommand's work: it returns the exit code. KaajError and KeyboardInterrupt may leave it."""
