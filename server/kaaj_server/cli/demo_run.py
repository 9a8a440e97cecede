"""The demo itself: an editor in miniature that asks the real server for a change, and a person's view of it."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from kaaj_server.cli.asking import Asker
from kaaj_server.cli.changeview import command_name
from kaaj_server.cli.context import DONE, FAILED, Context
from kaaj_server.cli.demo import PROJECT
from kaaj_server.cli.demo_model import Engine, find_engine
from kaaj_server.cli.demo_talk import PROMPT, Talk
from kaaj_server.cli.demo_tests import Tests, find_command, run_tests
from kaaj_server.cli.lsp_client import LspClient
from kaaj_server.cli.view import Marks, seconds, tokens


@dataclass
class Demo:
    """One demo. `run` returns the exit code."""

    context: Context
    console: Console
    yes: bool
    keep: bool = False
    model: str = ""
    seed: int | None = None
    _marks: Marks = field(init=False)
    _asker: Asker = field(init=False)
    _folder: Path | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._marks = Marks.of(self.console)
        self._asker = Asker(self.console, self.context.stdin)

    async def run(self) -> int:
        self._heading("Kaaj", "a tiny shop with a failing test, and an agent that mends it")
        engine = await find_engine(self.context, self.console, self.model, self._asker, yes=self.yes)
        if engine is None:
            return FAILED
        folder = await asyncio.to_thread(_new_folder)
        self._folder = folder
        try:
            project = folder / "shop"
            ignore = shutil.ignore_patterns("__pycache__")
            await asyncio.to_thread(shutil.copytree, PROJECT, project, ignore=ignore)
            return await self._tour(project, engine)
        finally:
            if not self.keep:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def say_interrupted(self) -> None:
        """After Ctrl-C: what became of it."""
        self.console.print(Text("\nInterrupted. The demo's folder was its own; nothing else was touched."))

    async def _tour(self, project: Path, engine: Engine) -> int:
        self._step("The tests, before")
        check = await find_command(self.context.environ)
        before = await self._run_tests(check, project)
        if before.passed or not before.ran:
            self.console.print(Text("The tests are not red, so there is nothing to show.", style="red"))
            return FAILED

        begun = time.monotonic()
        self._step("The task")
        self.console.print(Text(f"   {PROMPT}"))
        self.console.print(Text.assemble(("   to ", "dim"), engine.name, (f"  {engine.place}", "dim")))
        environ = {**self.context.environ, **engine.environ}
        log = self.context.state_dir / "demo-server.log"
        await asyncio.to_thread(log.unlink, missing_ok=True)
        command = [sys.executable, "-m", "kaaj_server", "serve", "--stdio"]
        async with await LspClient.start(command, cwd=project, environ=environ, log=log) as client:
            talk = Talk(self.console, self._asker, project, client, check, self.yes, self.seed)
            applied = await talk.run()
        if not applied:
            self.console.print(Text("\nThe project is as it was."))
            return FAILED

        self._step("The tests, after")
        after = await self._run_tests(check, project)
        self._farewell(talk, after, time.monotonic() - begun, project)
        return DONE if after.passed and talk.unsaved_kept else FAILED

    # --- the tests ------------------------------------------------------------------------------------------------

    async def _run_tests(self, command: str, project: Path) -> Tests:
        tests = await run_tests(command, project, self.context.environ)
        mark, style = (self._marks.done, "green") if tests.passed else (self._marks.failed, "red")
        name = command_name(command)
        self.console.print(Text.assemble("   ", (f"{mark} ", style), f"{name}  ", (f"{tests.count}", style)))
        if tests.failure:
            self.console.print(Text.assemble("     ", tests.where, (f"  {tests.failure}", "red")))
        return tests

    # --- words ----------------------------------------------------------------------------------------------------

    def _heading(self, title: str, line: str) -> None:
        self.console.print(Text.assemble((title, "bold cyan"), f"  {line}"))

    def _step(self, title: str) -> None:
        self.console.print()
        self.console.print(Text(title, style="bold"))

    def _farewell(self, talk: Talk, after: Tests, took: float, project: Path) -> None:
        console, dot = self.console, self._marks.dot
        console.print()
        if console.is_terminal:
            console.print(Rule(style="dim"))
        good = after.passed and talk.unsaved_kept
        word = ("Red before, green after.", "bold green") if good else ("It did not work out.", "bold red")
        cost = [seconds(took - talk.waited)]
        if (usage := talk.view.usage) is not None:
            cost += [f"{tokens(usage):,} tokens", f"{usage.cached_tokens:,} of them cached"]
        console.print(Text.assemble(word, ("  " + f" {dot} ".join(cost), "dim")))
        if not talk.unsaved_kept:
            console.print(Text("The unsaved line in the editor was lost, which must never happen.", style="red"))
        console.print()
        rows = [
            ('kaaj run "make the failing test pass"', "the same in a project of yours"),
            ("kaaj doctor", "what Kaaj found on this machine"),
            ("kaaj serve --stdio", "what your editor starts"),
        ]
        for command, words in rows:
            console.print(Text.assemble((f"  {command:<39}", "cyan"), (words, "dim")))
        if self.keep:
            console.print(Text(f"\nThe project stays in {project}.", style="dim"))
        console.print(Text("In an editor, `Kaaj: Undo` takes an applied change back in one step.", style="dim"))


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="kaaj-demo-")).resolve()
