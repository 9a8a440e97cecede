"""Real editors that speak LSP without a plugin: started with the configuration of their page in docs/, and a driver
inside (`plain/neovim_driver.lua`, `plain/emacs_driver.el`) that does what a test says and tells what a person sees.

Nothing here stands in for the editor's own LSP client. A person's menu alone is replaced: it stays open until the
test chooses, so that no test guesses when to press a key.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeAlias, TypeVar

import pytest

from rig import install
from rig.polling import until

Json: TypeAlias = Any
Name: TypeAlias = Literal["neovim-0.11", "neovim-0.7", "emacs"]
T = TypeVar("T")
_TESTS: Final = Path(__file__).parents[2] / "plain"
_DOCS: Final = Path(__file__).parents[4] / "docs"
WAIT: Final = 60.0
"""Seconds until a state that never comes fails the test."""


# --- which editors are here ------------------------------------------------------------------------------------------


def missing(what: str) -> NoReturn:
    """Skips on a machine of one's own; in CI everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def _neovim(first: tuple[int, int], end: tuple[int, int]) -> str | None:
    """A Neovim from `first` on and before `end`: as `make test-editors` installs it, on the PATH, or the system's."""
    for place in (str(install.neovim()), shutil.which("nvim"), "/usr/bin/nvim"):
        if place is None or not Path(place).exists():
            continue
        told = subprocess.run([place, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.match(r"NVIM v(\d+)\.(\d+)", told)
        if found is not None and first <= (int(found[1]), int(found[2])) < end:
            return place
    return None


@dataclass(frozen=True, slots=True)
class Kind:
    """How one editor is started: its page in docs/, where its configuration belongs, and what stands after it."""

    page: str
    language: str
    config: str
    arguments: tuple[str, ...]
    lacking: str
    find: Callable[[], str | None]


_HEADLESS: Final = ("--headless", "-i", "NONE", "-n", "-S", str(_TESTS / "neovim_driver.lua"))
KINDS: Final[Mapping[Name, Kind]] = {
    "neovim-0.11": Kind(
        "neovim.md",
        "lua",
        ".config/nvim/init.lua",
        _HEADLESS,
        "there is no Neovim from 0.11 on: `make test-editors` installs it",
        lambda: _neovim((0, 11), (9, 0)),
    ),
    "neovim-0.7": Kind(
        "neovim-0.7.md",
        "lua",
        ".config/nvim/init.lua",
        _HEADLESS,
        "there is no Neovim from 0.7 to 0.10: apt install neovim (Debian 12)",
        lambda: _neovim((0, 7), (0, 11)),
    ),
    "emacs": Kind(
        "emacs.md",
        "elisp",
        ".emacs.d/init.el",
        ("--fg-daemon=kaaj", "-l", str(_TESTS / "emacs_driver.el")),
        "there is no Emacs with eglot: apt install emacs-nox elpa-eglot",
        lambda: shutil.which("emacs"),
    ),
}


def config_of(kind: Kind) -> str:
    """The code blocks of the editor's page, as a person copies them."""
    blocks = re.findall(
        rf"^```{kind.language}\n(.*?)^```$", (_DOCS / kind.page).read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert blocks, f"{kind.page} shows no configuration"
    return "\n".join(blocks)


# --- an editor that runs ---------------------------------------------------------------------------------------------


class RealEditor:
    """An editor and the person in front of it. Lines count from 1."""

    def __init__(
        self, name: Name, workspace: Path, state: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.name: Name = name
        self.workspace = workspace
        self._state = state
        self._reader = reader
        self._writer = writer
        self._lock = asyncio.Lock()

    async def tell(self, verb: str, *details: Json) -> Json:
        """One verb of the driver's, and what it gives back."""
        async with self._lock:
            self._writer.write(json.dumps({"verb": verb, "with": details}).encode() + b"\n")
            said = json.loads(await asyncio.wait_for(self._reader.readline(), WAIT))
        assert "error" not in said, f"{verb}{details}: {said['error']}"
        return said["value"]

    async def until(self, what: str, look: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The first true value of `look`; what the editor shows is told when there is none."""
        try:
            return await until(what, look, WAIT)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{await self.report()}") from None

    # --- files -------------------------------------------------------------------------------------------------------

    async def open(self, path: Path) -> None:
        """Opens a file and waits until the server has it."""
        await self.tell("open", str(path))

        async def attached() -> bool:
            return bool(await self.tell("attached", str(path)))

        await self.until(f"{path.name} is attached", attached)

    async def text(self, path: Path) -> str:
        return str(await self.tell("text", str(path)))

    async def shows(self, path: Path, text: str) -> None:
        """Waits until a buffer holds exactly this text."""

        async def same() -> bool:
            return bool(await self.tell("has", str(path))) and await self.text(path) == text

        await self.until(f"{path.name} is {text!r}", same)

    async def contains(self, path: Path, *parts: str) -> str:
        """Waits until a buffer has all of `parts`."""

        async def has() -> str:
            text = await self.text(path) if await self.tell("has", str(path)) else ""
            return text if all(part in text for part in parts) else ""

        return await self.until(f"{path.name} has {parts}", has)

    # --- menus ---------------------------------------------------------------------------------------------------

    async def menu(self) -> list[str]:
        """Waits for a menu; its titles."""
        return list((await self._menu())["titles"])

    async def prompt(self) -> str:
        """Waits for a menu; the words above it."""
        return str((await self._menu())["prompt"])

    async def _menu(self) -> Json:
        return await self.until("a menu", lambda: self.tell("menu"))

    async def actions(self, path: Path, first: int, last: int | None = None) -> list[str]:
        """The code actions at a line, or on the lines from `first` to `last`; the menu is left open."""
        await self.tell("actions", str(path), first, last)
        return await self.menu()

    async def act(self, title: str, path: Path, first: int, last: int | None = None) -> None:
        """Waits until there is such a code action, and chooses it."""

        async def found() -> bool:
            if title in await self.actions(path, first, last):
                return True
            await self.tell("dismiss")
            return False

        await self.until(f"the action {title!r} at line {first} of {path.name}", found)
        await self.choose(title)

    async def offers(self, title: str, path: Path, line: int) -> None:
        """Waits until there is such a code action, and leaves it."""

        async def found() -> bool:
            titles = await self.actions(path, line)
            await self.tell("dismiss")
            return title in titles

        await self.until(f"the action {title!r} at line {line} of {path.name}", found)

    async def choose(self, title: str) -> None:
        titles = await self.menu()
        assert title in titles
        await self.tell("choose", title)

    async def lens(self, title: str, path: Path, line: int) -> None:
        """Waits until the line shows such a lens, and runs it."""

        async def shown() -> list[str]:
            here = [row for row in await self.tell("lenses", str(path)) if row.startswith(f"{line} ")]
            return here if f"{line} {title}" in here else []

        several = await self.until(f"the lens {title!r} at line {line} of {path.name}", shown)
        await self.tell("lens", str(path), line)
        if len(several) > 1:
            await self.choose(title)

    async def focused(self, path: Path) -> None:
        """Waits until the cursor is in a file."""

        async def there() -> bool:
            return bool(await self.tell("focus") == str(path))

        await self.until(f"the cursor is in {path.name}", there)

    # --- papers --------------------------------------------------------------------------------------------------

    async def paper(self, name: str) -> Path:
        """Waits for the file of the chat, the plan or the diff."""

        async def there() -> list[Path]:
            return sorted((self._state / "papers").glob(f"*/{name}"))

        return (await self.until(name, there))[0]

    async def paper_has(self, name: str, *parts: str) -> None:
        """Waits until a paper has all of `parts`, wherever the person looks at it: in its buffer, else in its file."""
        path = await self.paper(name)

        async def has() -> bool:
            text = await self.text(path) if await self.tell("has", str(path)) else path.read_text("utf-8")
            return all(part in text for part in parts)

        await self.until(f"{name} has {parts}", has)

    async def open_chat(self) -> Path:
        """Waits for the chat that was asked for. Where the editor shows no document, it is told, and opened by hand."""
        chat = await self.paper("chat.md")
        if self.name == "emacs":
            await self.said(f"Kaaj: the chat is {chat}")
            await self.tell("open", str(chat))
        else:
            await self.contains(chat, "kaaj: write below")
        return chat

    async def write_chat(self, chat: Path, words: str) -> None:
        end = (await self.text(chat)).count("\n")
        await self.tell("type", str(chat), end, words)

    async def send_chat(self, chat: Path, other: Path, words: str) -> None:
        """From the chat, where the server knows of it; else saved, and from another file."""
        if self.name == "emacs":
            await self.tell("save", str(chat))
            await self.act(f"Kaaj: send what is in the chat: {words}", other, 1)
        else:
            await self.act("Kaaj: send", chat, 1)

    # --- what is told ----------------------------------------------------------------------------------------------

    async def progressed(self, message: str) -> None:
        """Waits until this was told of the work: as progress, or by messages where the editor has none."""
        if self.name == "emacs":
            await self.said(message)
            return

        async def told() -> bool:
            return any(message in row for row in await self.tell("progress"))

        await self.until(f"progress {message}", told)

    async def said(self, *parts: str) -> str:
        """Waits until the editor's messages have all of `parts`."""

        async def has() -> str:
            text = str(await self.tell("messages"))
            return text if all(part in text for part in parts) else ""

        return await self.until(f"a message with {parts}", has)

    async def report(self) -> str:
        """What a person would look at first when a test fails."""
        messages, log, menu = await self.tell("messages"), await self.tell("log"), await self.tell("menu")
        return f"--- menu\n{menu}\n--- messages\n{messages}\n--- log\n{str(log)[-6000:]}"


@asynccontextmanager
async def run_editor(
    name: Name, workspace: Path, home: Path, environ: Mapping[str, str], extra: str = ""
) -> AsyncGenerator[RealEditor]:
    """Starts an editor with its page's configuration, and `extra` after that."""
    kind = KINDS[name]
    program = kind.find()
    if program is None:
        missing(kind.lacking)
    config = home / kind.config
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(config_of(kind) + extra)
    came: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.get_running_loop().create_future()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set_result((reader, writer))

    socket = home / "driver"
    listener = await asyncio.start_unix_server(accept, socket, limit=1 << 24)
    with (home / "stderr").open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            program,
            *kind.arguments,
            cwd=workspace,
            env={**environ, "KAAJ_DRIVER": str(socket)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        ended = asyncio.create_task(process.wait())
        await until(f"{name} comes up", lambda: came.done() or ended.done(), WAIT)
        assert came.done(), f"{name} did not come up: {(home / 'stderr').read_text()}"
        reader, writer = came.result()
        try:
            yield RealEditor(name, workspace, Path(environ["KAAJ_STATE_DIR"]), reader, writer)
        finally:
            writer.close()
            await asyncio.wait([ended], timeout=WAIT)
            if not ended.done():
                process.kill()
            assert await ended == 0, (home / "stderr").read_text()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        listener.close()
