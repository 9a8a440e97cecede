"""The examinations of `kaaj doctor`: each tries the thing itself and ends in one finding."""

from __future__ import annotations

import asyncio
import importlib.util
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kaaj_agent.connect import connect
from kaaj_agent.embedded.models import DEFAULT_MODEL, MODELS, installed, model_folder
from kaaj_agent.failures import KaajError
from kaaj_agent.ports import Message, Model, Profile, Reply, Request, ToolSpec
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.settings import AgentSettings
from kaaj_server.cli.context import Context
from kaaj_server.cli.pulling import short, size
from kaaj_server.cli.view import Marks, seconds

_MODEL_SECONDS: Final = 120.0
_PROGRAM_SECONDS: Final = 5.0

_WEATHER: Final = ToolSpec(
    "weather",
    "The weather in a city now.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@dataclass(frozen=True, slots=True)
class Finding:
    """`bad` keeps tasks from being done; `note` costs something; `advice` says what to do about it."""

    name: str
    state: Literal["good", "note", "bad"]
    found: str
    advice: str = ""


async def examine(context: Context, tell: Callable[[Finding], None]) -> list[Finding]:
    """All findings, in order; `tell` hears each as it comes."""
    findings: list[Finding] = []
    probes: Sequence[Callable[[], Awaitable[Sequence[Finding]]]] = (
        _python,
        _Own(context).examine,
        _git,
        _ripgrep,
        _sandbox,
        _Embedded(context).examine,
        _Endpoint(context).examine,
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


# --- models -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Embedded:
    """The model that needs no endpoint."""

    context: Context

    async def examine(self) -> Sequence[Finding]:
        folder = model_folder(self.context.environ)
        there = [name for name, model in MODELS.items() if installed(model, folder)]
        extra = importlib.util.find_spec("xllamacpp") is not None
        if there and extra:
            return (Finding("embedded model", "good", f"{', '.join(there)} in {short(folder)}"),)
        advice: list[str] = []
        if not extra:
            advice.append('pip install "kaaj[local]"')
        if not there:
            advice.append(f"kaaj model pull    ({size(MODELS[DEFAULT_MODEL].size)})")
        found = "the extra `local` is not installed" if not extra else "no model is on disk"
        return (Finding("embedded model", "note", found, "; ".join(advice)),)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """The model that tasks will use, asked for real."""

    context: Context
    settings: AgentSettings = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", AgentSettings.from_env(self.context.environ))

    async def examine(self) -> Sequence[Finding]:
        where = self.settings.base_urls[0] if self.settings.base_urls else "a local server or the embedded model"
        try:
            async with asyncio.timeout(_MODEL_SECONDS):
                model = (await connect(self.settings, self.context.state_dir)).model
                try:
                    profile = await model.profile()
                    answer = await self._try(model, profile)
                finally:
                    await model.close()
        except TimeoutError:
            found = f"{where} did not answer within {_MODEL_SECONDS:.0f} s"
            return (Finding("model", "bad", found, "Is it still loading? Try again, or set KAAJ_BASE_URL."),)
        except KaajError as error:
            advice = error.hint or "Set KAAJ_BASE_URL to an OpenAI-compatible endpoint, or run `kaaj model pull`."
            return (Finding("model", "bad", error.message, advice),)
        place = "embedded, on this machine" if profile.embedded else where
        if not profile.embedded and not self.settings.base_urls:
            place = "a local server that was found"
        model_line = Finding("model", "good", f"{profile.model} ({place})")
        window = Finding("context window", "good", f"{profile.window:,} tokens")
        if profile.window < 16_000 and not profile.embedded:
            window = Finding(
                "context window",
                "note",
                f"{profile.window:,} tokens",
                "That is little for a project. Ollama: set OLLAMA_CONTEXT_LENGTH=32768; llama.cpp: -c 32768.",
            )
        return (model_line, window, answer)

    @staticmethod
    async def _try(model: Model, profile: Profile) -> Finding:
        """One tool call where the model is to make some; else one word."""
        began = time.monotonic()
        guided = profile.loop == "guided"
        text = "Say the word yes." if guided else "What is the weather in Pune? Use the tool."
        tools = () if guided else (_WEATHER,)
        reply: Reply | None = None
        async for item in model.stream(Request((Message("user", text),), tools, max_tokens=8 if guided else 200)):
            if isinstance(item, Reply):
                reply = item
        took = seconds(time.monotonic() - began)
        if guided:
            found = f"answers in {took}; led step by step, it needs no tool calls"
            return Finding("tool calls", "good", found)
        calls = reply.calls if reply else ()
        if any(call.name == _WEATHER.name and not call.error for call in calls):
            return Finding("tool calls", "good", f"work ({took})")
        said = " ".join((reply.text if reply else "").split())[:60]
        advice = "Use a model that is made for tools, such as Qwen3-Coder, or set the loop to `guided` in the settings."
        return Finding("tool calls", "bad", f"it did not call the tool ({took}): {said!r}", advice)
