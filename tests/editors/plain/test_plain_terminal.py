"""The editors as a person sees them: in a terminal, by keys and the screen alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls
from rig import terminal
from rig.plain_editor import KINDS, Name, config_of, missing
from rig.polling import until
from rig.script import COUNT, SUM, edit
from rig.terminal import Terminal, run_terminal

Json: TypeAlias = Any
DONE: Final = answer("Prices are added up, and nothing is counted twice.")


async def started(
    name: Name, arguments: tuple[str, ...], workspace: Path, home: Path, environ: dict[str, str]
) -> AsyncIterator[Terminal]:
    program = KINDS[name].find()
    if program is None:
        missing(KINDS[name].lacking)
    if not terminal.there():
        missing("there is no tmux: apt install tmux")
    config = home / KINDS[name].config
    config.parent.mkdir(parents=True)
    config.write_text(config_of(KINDS[name]))
    async with run_terminal((program, *arguments), workspace, environ, home / "tmux") as running:
        yield running


@pytest.fixture
async def neovim_tui(workspace: Path, home: Path, environ: dict[str, str]) -> AsyncIterator[Terminal]:
    async for running in started("neovim-0.11", ("-n", "-i", "NONE", "cart.py"), workspace, home, environ):
        yield running


@pytest.fixture
async def emacs_tui(workspace: Path, home: Path, environ: dict[str, str]) -> AsyncIterator[Terminal]:
    async for running in started("emacs", ("-nw", "cart.py"), workspace, home, environ):
        yield running


def plan(first: str, second: str) -> tuple[str, Json]:
    titles = {"Add the prices up": first, "Count right": second}
    return "todo", {"items": [{"title": title, "status": status} for title, status in titles.items()]}


async def attached(screen: Terminal) -> None:
    """Waits until Neovim has its server."""
    await screen.shows("# not saved")

    async def told() -> bool:
        await screen.keys(":echo luaeval('#vim.lsp.get_clients()') 'clients'", "Enter")
        return "1 clients" in await screen.screen()

    await until("the server is there", told, terminal.WAIT)


async def pick(screen: Terminal, title: str) -> None:
    """Waits for Neovim's own list of choices, and takes one by its number."""
    shown = await screen.shows(f": {title}", "Type number and <Enter>")
    number = next(row.partition(":")[0] for row in shown.splitlines() if row.endswith(f": {title}"))
    await screen.keys(number, "Enter")


async def test_neovim_from_the_chat_to_the_last_undo(
    neovim_tui: Terminal, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    go_on = asyncio.Event()

    async def later(_: Json) -> Answer:
        await go_on.wait()
        return answer_calls(("edit", SUM), plan("done", "running"))

    look = ("read", {"path": "cart.py"})
    endpoint.add(answer_calls(plan("running", "pending"), look, text="I will look."), later)
    endpoint.add(answer_calls(("edit", COUNT), plan("done", "done")), DONE)
    screen, on_disk = neovim_tui, (workspace / "cart.py").read_text()
    await screen.shows("def total(prices):")
    await screen.keys("O", "# not saved", "Escape")
    await attached(screen)

    await screen.keys("gra")
    await pick(screen, "Kaaj: open the chat")
    await screen.shows("write below this line", "Kaaj: send\n")
    await screen.keys("o", "Mend the cart, please.", "Escape")
    await screen.keys("gra")
    await pick(screen, "Kaaj: send")
    await screen.shows("# Plan: Mend the cart, please. Kaaj: cancel", "- [>] Add the prices up Kaaj: skip")
    await screen.shows("I will look.", "0/2 Add the prices up")
    await screen.keys("i", "typed")
    await screen.shows("typed", "-- INSERT --")
    go_on.set()
    await screen.shows("- [x] Count right (1 hunk, parses)", "-- INSERT --")
    await screen.keys(" meanwhile", "Escape")
    shown = await screen.shows("1: Apply 2 hunks in 1 file", "2: Reject", "3: Show diff", "2 of 2 done")
    assert "Prices are added up, and nothing is counted twice." in shown
    await screen.keys("3", "Enter")
    await screen.shows("+        result += price", "Kaaj: apply this hunk | Kaaj: reject this hunk")
    await screen.keys("/^@@", "Enter", "grl")
    await pick(screen, "Kaaj: apply this hunk")
    await screen.shows("# proposed · 1 hunk in 1 file", "-    return len(prices) + 1")
    await screen.keys("gra")
    await pick(screen, "Kaaj: reject")
    await screen.shows("- [ ] Count right")
    await screen.keys(":buffer chat.md", "Enter")
    await screen.shows("typed meanwhile")
    await screen.keys(":buffer cart.py", "Enter")
    shown = await screen.shows("# not saved", "        result += price", "return len(prices) + 1")
    assert (workspace / "cart.py").read_text() == on_disk
    assert "not saved" in str(endpoint.prompts[1]["messages"])

    await screen.keys("gra")
    await pick(screen, "Kaaj: undo")
    await screen.shows("        result = price")
    await screen.keys("u")
    await screen.shows("        result += price")
    await screen.keys(":update", "Enter", ":qa", "Enter")
    await screen.shows("no server running")
    assert (workspace / "cart.py").read_text() == "# not saved\n" + on_disk.replace("= price", "+= price")


async def test_who_types_in_the_chat_while_it_grows_is_not_held_up(
    neovim_tui: Terminal, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    story = "".join(f"This is line {number} of the tale.\n" for number in range(400))
    endpoint.add(replace(answer(story, chunk=20), pause=0.02))
    screen = neovim_tui
    await screen.shows("def total(prices):")
    await screen.keys("O", "# not saved", "Escape")
    await attached(screen)
    await screen.keys("gra")
    await pick(screen, "Kaaj: open the chat")
    await screen.shows("write below this line", "Kaaj: send\n")
    await screen.keys("o", "Tell me a tale.", "Escape")
    await screen.keys("gra")
    await pick(screen, "Kaaj: send")
    await screen.shows("This is line 3 of the tale.")
    await screen.keys("G", "A")
    words = [f"word{number}" for number in range(60)]
    for word in words:
        await screen.keys(f"{word} ")
        await asyncio.sleep(0.1)
    await screen.shows(words[-1], "-- INSERT --")
    await screen.keys("Escape", ":redir! > said | silent messages | redir END", "Enter", ":write! kept.md", "Enter")
    kept = await until("the chat is kept", lambda: _read(workspace / "kept.md"), terminal.WAIT)
    assert "".join(f"{word} " for word in words) in kept
    assert "newer than edits" not in (workspace / "said").read_text()


async def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def test_emacs_is_not_held_up_by_what_it_asked_for(
    emacs_tui: Terminal, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    endpoint.add(edit(SUM, COUNT), DONE)
    screen, on_disk = emacs_tui, (workspace / "cart.py").read_text()

    async def act(title: str) -> None:
        await screen.keys("M-x", "eglot-code-actions", "Enter")
        await screen.shows("Pick an action")
        await screen.keys(title, "Enter")

    await screen.shows("def total(prices):", "eglot:shop")
    await screen.keys("C-s", "= price", "Enter")
    await act("Kaaj: fix what is wrong here")
    await screen.shows("Prices are added up", "Choose an option:")
    await screen.keys("C-g")
    await screen.shows("Quit")
    await act("Kaaj: apply the change (2 hunks in 1 file)")
    await screen.shows("result += price", "return len(prices)\n", without="Choose an option")
    await act("Kaaj: undo")
    shown = await screen.shows("result = price", "len(prices) + 1")
    assert "Timed out" not in shown
    assert (workspace / "cart.py").read_text() == on_disk
