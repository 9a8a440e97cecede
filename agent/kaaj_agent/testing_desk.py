"""A whole agent on a small project of real files, with a scripted model and a person who answers as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kaaj_agent import events as ev
from kaaj_agent.agent import Agent
from kaaj_agent.changes import ChangeSet
from kaaj_agent.document import Document
from kaaj_agent.ports import Message, Model, Profile, Written
from kaaj_agent.request import StartRequest
from kaaj_agent.session import Session
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel, call
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.todo import Todo
from kaaj_agent.world import Folders, World

CART = "def total(items):\n    return sum(items) - 1\n\n\ndef count(items):\n    return len(items) - 1\n"
FIX_TOTAL = call("edit", path="cart.py", old="sum(items) - 1", new="sum(items)")
FIX_COUNT = call("edit", path="cart.py", old="len(items) - 1", new="len(items)")
PLAN = call("todo", items=[{"title": "Mend total", "status": "running"}, {"title": "Mend count", "status": "pending"}])
NEXT = call("todo", items=[{"title": "Mend total", "status": "done"}, {"title": "Mend count", "status": "running"}])
SECONDS = 5.0
"""After which something that should happen is taken never to."""


@dataclass
class Desk:
    """The agent and everything around it; `events` is what a listener heard."""

    agent: Agent
    world: World
    model: ScriptedModel
    applier: BufferApplier
    answers: Answers
    events: list[ev.Event]
    root: Path

    @property
    def cart(self) -> Path:
        return self.root / "cart.py"

    def type(self, text: str, version: int = 2) -> None:
        self.world.put(Document(self.cart, text, version))

    def text(self) -> str:
        buffer = self.world.buffer(self.cart)
        return buffer.text if buffer else self.cart.read_text()

    async def run(self, prompt: str = "Mend it", **more: object) -> str:
        started = await self.agent.start(StartRequest(prompt, **more))  # type: ignore[arg-type]  # tests pass any field
        await self.agent.wait(started.task)
        return started.task

    def session(self) -> Session:
        return next(iter(self.agent._sessions.values()))  # noqa: SLF001 - the owner of what is looked at

    def change(self) -> ChangeSet:
        if not self.session().changes:
            raise AssertionError([event.body for event in self.events])
        return list(self.session().changes.values())[-1]

    def ending(self) -> ev.TaskFinished:
        body = self.events[-1].body
        if isinstance(body, ev.TaskFinished):
            return body
        raise AssertionError(body)

    def heard(self, request: int = -1) -> list[Message]:
        return list(self.model.requests[request].messages)


@asynccontextmanager
async def desk(
    tmp_path: Path, *turns: object, profile: Profile | None = None, **settings: object
) -> AsyncGenerator[Desk]:
    """An agent whose model plays `turns`; `settings` override those of the agent."""
    root = tmp_path / "shop"
    root.mkdir(exist_ok=True)
    if not (root / "cart.py").exists():
        (root / "cart.py").write_text(CART)
    world = World(Folders.of(root))
    model = ScriptedModel(*turns, profile=profile)  # type: ignore[arg-type]  # turns of any kind
    applier, answers = BufferApplier(world), Answers()

    async def connect() -> Model:
        return model

    made = AgentSettings(**({"check": "none"} | settings))  # type: ignore[arg-type]  # tests set any field
    agent = Agent(world, made, answers, applier, Problems(), tmp_path / "state", connect)
    events: list[ev.Event] = []
    agent.subscribe(events.append)
    try:
        yield Desk(agent, world, model, applier, answers, events, root)
    finally:
        await agent.close()


# --- what tests of the agent share ---------------------------------------------------------------------------------


def endings(d: Desk) -> list[tuple[str, str]]:
    return [(e.body.task, e.body.status) for e in d.events if isinstance(e.body, ev.TaskFinished)]


def assert_whole(d: Desk) -> None:
    """What holds of every stream of events: no gaps, every tool that began ended, one ending a task."""
    for session in {event.session for event in d.events}:
        rows = [event for event in d.events if event.session == session]
        assert [event.seq for event in rows] == list(range(rows[0].seq, rows[0].seq + len(rows)))
    begun = sorted(e.body.call for e in d.events if isinstance(e.body, ev.ToolStarted))
    assert begun == sorted(e.body.call for e in d.events if isinstance(e.body, ev.ToolFinished))
    ended = [task for task, _ in endings(d)]
    assert len(ended) == len(set(ended))


def assert_legal(messages: list[Message]) -> None:
    """What the strictest templates ask for: user (or results) and assistant in turn, calls answered, no empty text."""
    assert messages[0].role == "system"
    before = "system"
    waiting: list[str] = []
    for message in messages[1:]:
        if message.role == "tool":
            assert message.call_id in waiting
            waiting.remove(message.call_id)
            before = "user"
            continue
        assert not waiting, waiting
        assert message.role != before, (message, before)
        assert message.content.strip() or message.calls
        waiting = [call.id for call in message.calls]
        before = message.role
    assert not waiting


def without(d: Desk, task: str, *ids: str) -> list[Todo]:
    return [item for item in d.session().tasks[task].todo.items if item.id not in ids]


class Gate:
    """A turn of the model that says when it is asked, and answers once it may."""

    def __init__(self, answer: object) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self._answer = answer

    async def __call__(self, _: object) -> object:
        self.reached.set()
        await self.open.wait()
        return self._answer


class SlowApplier:
    """An applier that waits at a gate before it hands on, or fails with `error`."""

    def __init__(self, apply: Callable[[ChangeSet], Awaitable[Written]], error: Exception | None = None) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()
        self._apply = apply
        self._error = error

    async def apply(self, change: ChangeSet) -> Written:
        self.reached.set()
        await self.open.wait()
        if self._error is not None:
            raise self._error
        return await self._apply(change)
