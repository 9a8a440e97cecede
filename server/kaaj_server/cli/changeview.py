"""A change as a person reads it: coloured with line numbers on a terminal, a unified diff elsewhere."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from rich.console import Console
from rich.text import Text

from kaaj_agent.disguise import visible
from kaaj_agent.document import split_lines
from kaaj_agent.world import printable
from kaaj_protocol.shapes import Change, FileChange, Hunk
from kaaj_server.cli.view import Marks, seconds
from kaaj_server.uris import path_of

_CONTEXT: Final = 2
"""Unchanged lines shown around a hunk."""

BaseText: TypeAlias = Callable[[FileChange], str]
"""The text that a file's change was made for; empty for a file that is created."""


@dataclass(frozen=True, slots=True)
class ChangeView:
    """Shows changes of files under `root`. `base` gives the text that each was made for."""

    console: Console
    root: Path
    base: BaseText

    def name(self, uri: str) -> str:
        """The file as people call it: below the folder, else the whole path."""
        path = path_of(uri) or Path(uri)
        for root in (self.root, self.root.resolve()):
            if path.is_relative_to(root):
                return printable(path.relative_to(root).as_posix())
        return printable(str(path))

    def show(self, change: Change) -> None:
        """The headline, then each file."""
        self.headline(change)
        for file in change.files:
            if self.console.is_terminal:
                self.console.print()
                self.title(file)
                for hunk in file.hunks:
                    self.hunk(file, hunk)
            else:
                self._unified(file)

    def headline(self, change: Change) -> None:
        marks = Marks.of(self.console)
        count = len(change.files)
        line = Text.assemble(("Change", "bold"), f"  {count} file{'s' * (count != 1)}  ")
        line.append_text(_counts([hunk for file in change.files for hunk in file.hunks], marks))
        check = change.check
        if check is None or check.status == "none":
            line.append(f"  {marks.dot} not checked: no check command", style="yellow")
        elif check.status == "passed":
            line.append(f"  {marks.done} {command_name(check.command)} ({seconds(check.seconds)})", style="green")
        else:
            line.append(f"  {marks.failed} {command_name(check.command)} fails", style="red")
        if check is not None and not check.parsed:
            line.append(f"  {marks.failed} it does not parse", style="red")
        self.console.print(line)

    def title(self, file: FileChange) -> None:
        line = Text.assemble("  ", (self.name(file.uri), "bold"))
        if file.new_uri:
            line.append(f" becomes {self.name(file.new_uri)}", style="bold")
        elif file.kind != "edit":
            line.append(f" is {file.kind}d", style="dim")
        self.console.print(line)
        if file.warning:
            self._warn(file.warning)

    def hunk(self, file: FileChange, hunk: Hunk) -> None:
        """One hunk with its context and the line numbers of the text it was made for."""
        if hunk.warning:
            self._warn(hunk.warning)
        lines = split_lines(self.base(file))
        first = hunk.range.start.line
        gone, come = split_lines(hunk.old), split_lines(hunk.new)
        after = first + len(gone)
        width = len(str(after + _CONTEXT + 1))
        for at in range(max(0, first - _CONTEXT), first):
            self._line(at + 1, " ", lines[at], "dim", width)
        for offset, text in enumerate(gone):
            self._line(first + offset + 1, "-", text, "red", width)
        for offset, text in enumerate(come):
            self._line(first + offset + 1, "+", text, "green", width)
        shift = len(come) - len(gone)
        for at in range(after, min(len(lines), after + _CONTEXT)):
            self._line(at + shift + 1, " ", lines[at], "dim", width)

    def _line(self, number: int, sign: str, text: str, style: str, width: int) -> None:
        body = visible(text.rstrip("\r\n").expandtabs(4))
        line = Text.assemble((f"  {number:>{width + 2}} ", "dim"), (f"{sign} {body}", style))
        self.console.print(line, overflow="fold")

    def _warn(self, warning: str) -> None:
        self.console.print(Text(f"  {Marks.of(self.console).failed} {warning}", style="bold yellow"))

    def _unified(self, file: FileChange) -> None:
        """The file's diff in the form that `patch` and `git apply` take, exact; what it hides is told before it."""
        for warning in (file.warning, *(hunk.warning for hunk in file.hunks)):
            if warning:
                self.console.file.write(f"# {self.name(file.uri)}: {warning}\n")
        base = self.base(file)
        old = "/dev/null" if file.kind == "create" else f"a/{self.name(file.uri)}"
        new = "/dev/null" if file.kind == "delete" else f"b/{self.name(file.new_uri or file.uri)}"
        for row in difflib.unified_diff(split_lines(base), split_lines(after_text(base, file.hunks)), old, new):
            text = row if row.endswith(("\n", "\r")) else row + "\n\\ No newline at end of file\n"
            self.console.file.write(text)


def command_name(command: str) -> str:
    """A command as people would write it: its program without the folder."""
    program, space, rest = visible(command).partition(" ")
    return Path(program.strip("'\"")).name + space + rest


def after_text(base: str, hunks: Sequence[Hunk]) -> str:
    """The text with all hunks in place. Hunks are whole lines, in order."""
    lines = split_lines(base)
    pieces: list[str] = []
    at = 0
    for hunk in hunks:
        first = hunk.range.start.line
        pieces += [*lines[at:first], hunk.new]
        at = first + len(split_lines(hunk.old))
    return "".join([*pieces, *lines[at:]])


def _counts(hunks: Sequence[Hunk], marks: Marks) -> Text:
    come = sum(len(split_lines(hunk.new)) for hunk in hunks)
    gone = sum(len(split_lines(hunk.old)) for hunk in hunks)
    return Text.assemble((f"+{come}", "green"), " ", (f"{marks.minus}{gone}", "red"))
