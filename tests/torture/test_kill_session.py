"""Killed during a whole task, or while it is taken back: the tree is before or after, the log replays, the next start
says what happened, and what was applied can still be undone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent import events as ev
from kaaj_agent import testing_kill
from kaaj_agent.agent import Agent
from kaaj_agent.changes import Applied, Proposed
from kaaj_agent.history import History
from kaaj_agent.journal import DiskApplier
from kaaj_agent.ports import Applier, Model
from kaaj_agent.recovery import recover_all
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel, call
from kaaj_agent.testing_kill import Kill, kills
from kaaj_agent.testing_world import Answers, Problems
from kaaj_agent.world import Folders, World

pytestmark = pytest.mark.timeout(900)

CART = "def total(items):\n    return sum(items) - 1\n"
FIXED = "def total(items):\n    return sum(items)\n"
BEFORE = {"cart.py": CART, "shop.py": "import cart\n"}
AFTER = {"cart.py": FIXED, "shop.py": "import cart  # mended\n", "new/notes.txt": "Mended.\n"}
TURNS = (
    [
        call("edit", path="cart.py", old="sum(items) - 1", new="sum(items)"),
        call("edit", path="shop.py", old="import cart", new="import cart  # mended"),
        call("write", path="new/notes.txt", content="Mended.\n"),
    ],
    "Mended.",
)


def tree(root: Path) -> dict[str, str]:
    return {p.relative_to(root).as_posix(): p.read_text() for p in root.rglob("*") if p.is_file()}


@asynccontextmanager
async def agent_in(
    folder: Path, *turns: Any, by: Callable[[World, Path], Applier] = DiskApplier
) -> AsyncGenerator[Agent]:
    """An agent on the command line's way: it writes by itself, unless `by` says otherwise."""
    world, state = World(Folders.of(folder / "w")), folder / "state"

    async def connect() -> Model:
        return ScriptedModel(*turns)

    settings = AgentSettings(check="none")
    agent = Agent(world, settings, Answers(), by(world, state), Problems(), state, connect)
    try:
        yield agent
    finally:
        await agent.close()


def make(folder: Path) -> None:
    for name, text in BEFORE.items():
        path = folder / "w" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "state").mkdir()


async def work(agent: Agent) -> None:
    started = await agent.start(StartRequest("Mend it", "auto"))
    await agent.wait(started.task)


def task(folder: Path, arm: Callable[[], None]) -> None:
    """A victim: one task of `kaaj run --mode auto`."""
    make(folder)

    async def run() -> None:
        async with agent_in(folder, *TURNS) as agent:
            arm()
            await work(agent)

    asyncio.run(run())


def undo(folder: Path, arm: Callable[[], None]) -> None:
    """A victim: the change of such a task is taken back."""
    make(folder)

    async def run() -> None:
        async with agent_in(folder, *TURNS) as agent:
            await work(agent)
            (session,) = await agent.overview()
            arm()
            await agent.undo(session.changes[-1].id)

    asyncio.run(run())


def readable(state: Path) -> None:
    """Each line of each log is whole."""
    for log in (state / "sessions").glob("*.jsonl"):
        for line in log.read_bytes().splitlines():
            json.loads(line)


async def next_start(kill: Kill) -> tuple[list[str], bool]:
    """What the next start says, and whether it had to: a change was being applied."""
    state = kill.folder / "state"
    begun = any((state / "history").rglob("*.begun"))
    told = await recover_all(state, Folders.of(kill.folder / "w"))
    return told, begun


async def test_killed_during_a_task(slaughterhouse: Path, moments: int) -> None:
    found = kills(__file__, "task", slaughterhouse / "k", moments=moments)
    ends = {"before": 0, "after": 0}
    for kill in found:
        root, state = kill.folder / "w", kill.folder / "state"
        told, begun = await next_start(kill)
        now = tree(root)
        assert now in (BEFORE, AFTER), kill
        ends["before" if now == BEFORE else "after"] += 1
        assert len(told) == begun, (kill, told)
        async with agent_in(kill.folder) as agent:
            assert agent.untold == []
            for session in await agent.overview():
                assert [event.seq for event in session.events] == list(range(1, session.seq + 1)), kill
                stand = [change for change in session.changes if isinstance(change.state, Applied)]
                assert len(stand) == (now == AFTER), (kill, session.changes)
                for one in session.tasks:
                    waits = any(isinstance(change.state, Proposed) for change in session.changes)
                    assert (one.status is None) == waits, (kill, one)
                for change in stand:
                    await agent.undo(change.id)
                    assert tree(root) == BEFORE, kill
                for change in session.changes:
                    if isinstance(change.state, Proposed):
                        await agent.accept(change.id, change.digest)
                        assert tree(root) == AFTER, kill
            if now == AFTER:
                assert tree(root) == BEFORE, (kill, "it could be undone")
        readable(state)
    assert any(not kill.call for kill in found)
    assert ends["before"] > 20
    assert ends["after"] > 2
    print(f"task: {testing_kill.told(found)}; {ends}")


async def test_killed_during_an_undo(slaughterhouse: Path, moments: int) -> None:
    found = kills(__file__, "undo", slaughterhouse / "k", moments=moments)
    ends = {"before": 0, "after": 0}
    for kill in found:
        root, state = kill.folder / "w", kill.folder / "state"
        told, begun = await next_start(kill)
        now = tree(root)
        assert now in (BEFORE, AFTER), kill
        ends["before" if now == BEFORE else "after"] += 1
        assert len(told) == begun, (kill, told)
        async with agent_in(kill.folder) as agent:
            (session,) = await agent.overview()
            (change,) = session.changes
            assert isinstance(change.state, Applied) == (now == AFTER), (kill, change.state)
            if now == AFTER:
                await agent.undo(change.id)
            assert tree(root) == BEFORE, kill
        readable(state)
    assert ends["before"] > 2
    assert ends["after"] > 20
    print(f"undo: {testing_kill.told(found)}; {ends}")


# --- where a client applies -------------------------------------------------------------------------------------------


class Client:
    """The `Applier` over a client: a process that outlives the server, and makes the edit once it is asked for."""

    def __init__(self, world: World, asking: int) -> None:
        self._world = world
        self._asking = asking

    async def apply(self, change: Any) -> Any:
        from kaaj_agent.ports import Written

        edit = {str(file.target): file.after for file in change.files}
        self.send(json.dumps(edit))
        while not await self._world.snapshot().holds(change.after):
            await asyncio.sleep(0.002)
        return Written(change.after)

    def send(self, row: str) -> None:
        import socket

        with socket.socket(fileno=self._asking) as pipe:
            pipe.sendall(row.encode() + b"\n")
            pipe.detach()


def _client(pipe: Any) -> None:
    """The client's side: each line is an edit."""
    with pipe.makefile("r") as lines:
        for line in lines:
            for name, text in json.loads(line).items():
                Path(name).parent.mkdir(parents=True, exist_ok=True)
                Path(name).write_text(text)


def client(folder: Path, arm: Callable[[], None]) -> None:
    """A victim: a server whose client writes the files."""
    import os
    import socket

    make(folder)
    mine, its = socket.socketpair()
    if os.fork() == 0:
        mine.close()
        _client(its)
        (folder / "client-done").touch()
        os._exit(0)
    its.close()

    async def run() -> None:
        async with agent_in(folder, *TURNS, by=lambda world, _: Client(world, mine.fileno())) as agent:
            arm()
            await work(agent)

    asyncio.run(run())


async def test_killed_while_a_client_applies(slaughterhouse: Path, moments: int) -> None:
    found = kills(__file__, "client", slaughterhouse / "k", moments=moments)
    ends = {"before": 0, "after": 0}
    for kill in found:
        root, state = kill.folder / "w", kill.folder / "state"
        while not (kill.folder / "client-done").exists():
            await asyncio.sleep(0.002)
        now = tree(root)
        assert now in (BEFORE, AFTER), kill
        ends["before" if now == BEFORE else "after"] += 1
        begun = any((state / "history").rglob("*.begun"))
        async with agent_in(kill.folder) as agent:
            sessions = await agent.overview()
            told = list(agent.untold)
            for session in sessions:
                told += [e.body.text for e in session.events if isinstance(e.body, ev.Noticed)]
                stand = [change for change in session.changes if isinstance(change.state, Applied)]
                assert len(stand) == (now == AFTER), (kill, session.changes)
                for change in stand:
                    await agent.undo(change.id)
                    assert tree(root) == BEFORE, kill
            assert len(told) == begun, (kill, told)
            if begun:
                assert ("all of it is in your files" in told[0]) == (now == AFTER), (kill, told)
            assert not any(kept.stage == "begun" for kept in History(state / "history").entries())
        readable(state)
    assert ends["before"] > 20
    assert ends["after"] > 2
    print(f"client: {testing_kill.told(found)}; {ends}")
