"""A whole agent on a small project of real files, with a scripted model and a person who answers as told."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from kaaj_agent import events as ev
from kaaj_agent.agent import Agent
from kaaj_agent.changes import ChangeSet
from kaaj_agent.document import Document
from kaaj_agent.ports import Message, Model
from kaaj_agent.request import StartRequest
from kaaj_agent.session import Session
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.world import Folders, World

CART = "def total(items):\n    return sum(items) - 1\n\n\ndef count(items):\n    return len(items) - 1\n"


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
async def desk(tmp_path: Path, *turns: object, **settings: object) -> AsyncGenerator[Desk]:
    """An agent whose model plays `turns`; `settings` override those of the agent."""
    root = tmp_path / "shop"
    root.mkdir(exist_ok=True)
    if not (root / "cart.py").exists():
        (root / "cart.py").write_text(CART)
    world = World(Folders.of(root))
    model = ScriptedModel(*turns)  # type: ignore[arg-type]  # turns of any kind
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
