"""Questions to the person at the terminal, with answers that Ctrl-C can interrupt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.text import Text

from kaaj_protocol.shapes import Change
from kaaj_server.cli.changeview import ChangeView


async def read_line(stream: TextIO) -> str | None:
    """One line without its end, None at the end of the input. Being cancelled leaves nothing behind that waits."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def arrived() -> None:
        if not ready.done():
            ready.set_result(None)

    try:
        loop.add_reader(stream.fileno(), arrived)
    except (NotImplementedError, PermissionError):  # Windows; or a regular file, which epoll does not take
        line = await asyncio.to_thread(stream.readline)
    else:
        try:
            await ready
        finally:
            loop.remove_reader(stream.fileno())
        line = stream.readline()  # a terminal hands over whole lines
    return line.rstrip("\r\n") if line else None


@dataclass(frozen=True, slots=True)
class Asker:
    """Puts questions on `console` and reads the answers from `stdin`."""

    console: Console
    stdin: TextIO

    async def choose(self, question: str, choices: Sequence[tuple[str, str]]) -> str | None:
        """The key of one of `choices` (key, words); None at the end of the input.

        A key is one letter; a whole word that begins with it is taken too.
        """
        keys = dict(choices)
        hints = Text(", ").join(Text.assemble((key, "bold cyan"), f" {words}") for key, words in choices)
        while True:
            self.console.print(Text.assemble((question, "bold"), "  ", hints, "  "), end="")
            answer = await read_line(self.stdin)
            if answer is None:
                self.console.print()
                return None
            letter = answer.strip().lower()[:1]
            if letter in keys:
                return letter
            self.console.print(Text(f"Please answer with {' or '.join(keys)}.", style="dim"))

    async def confirm(self, question: str) -> bool:
        return await self.choose(question, (("y", "yes"), ("n", "no"))) == "y"

    async def decide(self, change: Change, view: ChangeView) -> list[str] | None:
        """The ids of the hunks to apply; None for not one. The change was shown."""
        count = sum(len(file.hunks) for file in change.files)
        choices = [("y", "apply"), ("n", "leave")]
        if count > 1:
            choices.append(("h", f"each of {count} hunks"))
        self.console.print()
        answer = await self.choose("Apply it?", choices)
        if answer == "y":
            return [hunk.id for file in change.files for hunk in file.hunks]
        if answer != "h":
            return None
        chosen: list[str] = []
        for file in change.files:
            for hunk in file.hunks:
                self.console.print()
                view.title(file)
                view.hunk(file, hunk)
                if await self.confirm("This one?"):
                    chosen.append(hunk.id)
        return chosen or None
