"""The examinations of `kaaj doctor`: each tries the thing itself and ends in one finding."""

from __future__ import annotations

import asyncio
import platform
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kaaj_agent.sandbox import Sandbox
from kaaj_server.cli.context import Context
from kaaj_server.cli.doctor_models import EmbeddedTrial, Finding, ModelTrial
from kaaj_server.cli.pulling import short, size
from kaaj_server.cli.view import Marks

_PROGRAM_SECONDS: Final = 5.0


async def examine(context: Context, tell: Callable[[Finding], None]) -> list[Finding]:
    """All findings, in order; `tell` hears each as it comes."""
    findings: list[Finding] = []
    probes: Sequence[Callable[[], Awaitable[Sequence[Finding]]]] = (
        _python,
        _Own(context).examine,
        _git,
        _ripgrep,
        _sandbox,
        EmbeddedTrial(context).examine,
        ModelTrial(context).examine,
    )
    for probe in probes:
        for finding in await probe():
            findings.append(finding)
            tell(finding)
    return findings


async def show(context: Context, console: Console) -> list[Finding]:
    """The findings on the console, one by one, and a last line that says what it comes to."""
    marks = Marks.of(console)
    signs = {"good": (marks.done, "green"), "note": ("!", "yellow"), "bad": (marks.failed, "red")}

    def tell(finding: Finding) -> None:
        sign, style = signs[finding.state]
        if not console.is_terminal:
            console.print(Text(f"{sign} {finding.name:<15} {finding.found}"))
            if finding.advice:
                console.print(Text(f"  {'':<15} {finding.advice}"))
            return
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=1)
        grid.add_column(width=15)
        grid.add_column(overflow="fold")
        body = Text(finding.found)
        if finding.advice:
            body.append(f"\n{finding.advice}", style="cyan" if finding.state != "good" else "dim")
        grid.add_row(Text(sign, style=style), Text(finding.name, style="bold"), body)
        console.print(grid)

    with console.status("looking ...", spinner=marks.spinner):
        findings = await examine(context, tell)
    bad = [finding.name for finding in findings if finding.state == "bad"]
    console.print()
    if bad:
        console.print(Text(f"Not ready yet: see {', '.join(bad)}.", style="bold red"))
    else:
        console.print(Text("Ready. Try: kaaj demo", style="bold green"))
    return findings


# --- this machine -----------------------------------------------------------------------------------------------------


async def _python() -> Sequence[Finding]:
    return (Finding("python", "good", f"{platform.python_version()} at {sys.executable}"),)


@dataclass(frozen=True, slots=True)
class _Own:
    """Kaaj's own folder."""

    context: Context

    async def examine(self) -> Sequence[Finding]:
        return (await asyncio.to_thread(self._try),)

    def _try(self) -> Finding:
        folder = self.context.state_dir
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
            free = shutil.disk_usage(folder).free
        except OSError as error:
            return Finding(
                "state folder",
                "bad",
                f"{short(folder)} cannot be written: {error.strerror}",
                "Name another one in KAAJ_STATE_DIR.",
            )
        if free < 100e6:
            return Finding("state folder", "note", f"{short(folder)}, with {size(free)} free", "Make room.")
        return Finding("state folder", "good", f"{short(folder)}, {size(free)} free")


async def _version(program: str) -> str | None:
    """The first line of `PROGRAM --version`, None where it is not there or does not answer."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            "--version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(_PROGRAM_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return output.decode("utf-8", "replace").strip().partition("\n")[0] if process.returncode == 0 else None


async def _git() -> Sequence[Finding]:
    found = await _version("git")
    if found is None:
        return (Finding("git", "note", "not found", "Without it the model is not told the branch and what changed."),)
    return (Finding("git", "good", found.removeprefix("git version ")),)


async def _ripgrep() -> Sequence[Finding]:
    found = await _version("rg")
    if found is None:
        advice = "Searching works without it, slower. Install the package `ripgrep`."
        return (Finding("ripgrep", "note", "not found", advice),)
    return (Finding("ripgrep", "good", found.removeprefix("ripgrep ").partition(" ")[0]),)


async def _sandbox() -> Sequence[Finding]:
    sandbox = await Sandbox.find()
    if sandbox.available:
        return (Finding("sandbox", "good", f"{sandbox.program}: commands run without network and without your home"),)
    advice = "Each command will be asked for. "
    advice += "On Linux install the package `bubblewrap`." if sys.platform == "linux" else "It exists for Linux only."
    return (Finding("sandbox", "note", sandbox.reason, advice),)
