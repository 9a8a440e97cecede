"""What a long tool is just at: said at most twice a second, and told to clients of every kind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kaaj_agent import events as ev
from kaaj_agent.reporting import Reporting
from kaaj_agent.staging import Staging
from kaaj_agent.testing_desk import desk
from kaaj_agent.todo import Todo, TodoList
from kaaj_server.lsp.plain.progress import Progress


async def test_notes_come_at_most_twice_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk(tmp_path, "Nothing.") as d:
        task = await d.run()
        session = d.session()
        now = [100.0]
        monkeypatch.setattr(d.agent.clock, "monotonic", lambda: now[0], raising=False)
        with Reporting(session, task, "change", Staging(d.world.snapshot())).activity("repair", "look") as activity:
            for tick in range(41):
                now[0] = 100.0 + tick / 10
                activity.note(f"at {tick}")
        notes = [e.body.note for e in d.events if isinstance(e.body, ev.ToolProgressed)]
        assert notes == [f"at {tick}" for tick in range(0, 41, 5)]
        assert [e.body.note for e in session.events if isinstance(e.body, ev.ToolProgressed)] == ["at 40"]


@dataclass
class Editor:
    """As much of a server as progress asks of it."""

    told: list[str] = field(default_factory=list[str])
    running: list[asyncio.Task[Any]] = field(default_factory=list["asyncio.Task[Any]"])
    features: Any = field(default_factory=lambda: SimpleNamespace(progress=True))

    @property
    def protocol(self) -> Editor:
        return self

    async def ask(self, _method: str, _params: Any) -> None: ...

    def tell(self, _method: str, params: Any) -> None:
        self.told.append(params["value"].get("message"))

    def own(self, work: Coroutine[Any, Any, None]) -> None:
        self.running.append(asyncio.ensure_future(work))


async def test_a_plain_client_sees_the_plan_and_what_is_tried() -> None:
    editor: Any = Editor()
    progress = Progress(editor, SimpleNamespace())  # type: ignore[arg-type]  # only cancelling needs the agent
    bodies: list[ev.Body] = [
        ev.TaskStarted("t", "Fix it", "ask"),
        ev.ToolStarted("t", "1", "repair", "look", {}),
        ev.ToolProgressed("t", "1", "candidate 1: a → b"),
        ev.TodoChanged("t", TodoList((Todo("i", "Mend it", "running"),))),
        ev.ToolProgressed("t", "1", "candidate 9: b → c"),
        ev.ToolFinished("t", "1", ok=True, summary="9 tried"),
    ]
    for number, body in enumerate(bodies, 1):
        progress.heard(ev.Event("s", number, 0.0, body))
        await asyncio.sleep(0)
    await asyncio.gather(*editor.running)
    assert editor.told[-4:] == ["candidate 1: a → b", "0/1 Mend it", "0/1 Mend it · candidate 9: b → c", "0/1 Mend it"]
