"""Everything behind the wire of one connection, put together once the client has said `initialized`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kaaj_agent.agent import Agent
from kaaj_agent.changes import ChangeSet
from kaaj_agent.events import Event
from kaaj_server.convert import Convert
from kaaj_server.lsp.actions import Actions
from kaaj_server.lsp.apply import ClientApplier
from kaaj_server.lsp.board import Board
from kaaj_server.lsp.commands import Commands
from kaaj_server.lsp.diagnostics import EditorDiagnostics
from kaaj_server.lsp.event_stream import EventStream
from kaaj_server.lsp.lenses import Lenses
from kaaj_server.lsp.outside import Outside
from kaaj_server.lsp.plain.questions import Questions
from kaaj_server.lsp.plain.tier import Plain
from kaaj_server.lsp.settings import EditorSettings

if TYPE_CHECKING:
    from kaaj_server.lsp.language_server import KaajServer

_log: Final = logging.getLogger(__name__)


class Engine:
    """The agent and all that listens to it. `plain` is None for a client with the event stream."""

    def __init__(self, server: KaajServer) -> None:
        protocol, features = server.protocol, server.features
        self.server = server
        self.convert = Convert(server.places, server.documents)
        self.board = Board()
        asks = features.events and features.tells_problems
        self.diagnostics = EditorDiagnostics(server.world, self.convert, protocol.ask if asks else None)
        self.applier = ClientApplier(server.world, self.convert, features, protocol.ask)
        self.settings = EditorSettings(
            server.environ,
            server.options,
            server.ask_configuration,
            lambda settings: self.agent.configure(settings),  # noqa: PLW0108 - the agent is made below
            server.say,
        )
        self.questions = Questions(protocol.ask)
        self.agent = Agent(
            world=server.world,
            settings=self.settings.current,
            approver=self.questions,
            applier=self.applier,
            diagnoser=self.diagnostics,
            state_dir=server.state_dir,
        )
        self.commands = Commands(self)
        self.lenses = Lenses(self)
        self.actions = Actions(self)
        self.stream = EventStream(self.convert, protocol.tell) if features.events else None
        self.plain = None if features.events else Plain(self)
        self.agent.subscribe(self._heard)
        self.agent.rested = self.forget
        self.outside = Outside(server.world, lambda text: server.say("info", text))
        self._restored: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._restored = self.server.own(self._restore())
        self.server.own(self.outside.watch())

    async def restored(self) -> None:
        """Wait until what an earlier process left is there."""
        if self._restored is not None:
            await asyncio.wait([self._restored])

    async def _restore(self) -> None:
        """Bring back what an earlier process left, so that its proposals can be decided on."""
        self.board.seed(await self.agent.overview())
        for text in self.agent.untold:
            self.server.say("warning", text)
        self.lenses.refresh()

    def _heard(self, event: Event) -> None:
        """One event of the agent. A listener that fails must not stop the task that it listens to."""
        self.board.heard(event)
        for listener in (self.stream, self.plain, self.lenses):
            if listener is None:
                continue
            try:
                listener.heard(event)
            except Exception:  # noqa: BLE001 - whatever it is, it is logged, and the task goes on
                _log.exception("telling the client of %s", type(event.body).__name__)

    def forget(self, session: str) -> None:
        """A session is gone from the history, and so from all that is drawn."""
        self.board.forget(session)
        self.lenses.refresh()

    # --- decisions: one that comes does not wait for a preview that was perhaps closed long ago -----------------------

    async def accept(self, change: str, digest: str, hunks: Sequence[str] | None = None) -> ChangeSet:
        self.applier.give_way()
        return await self.agent.accept(change, digest, hunks)

    async def reject(self, change: str, digest: str, hunks: Sequence[str] | None = None, reason: str = "") -> ChangeSet:
        self.applier.give_way()
        return await self.agent.reject(change, digest, hunks, reason)

    async def undo(self, change: str, path: Path | None = None, *, merge: bool = False) -> ChangeSet:
        self.applier.give_way()
        return await self.agent.undo(change, path, merge=merge)

    async def cancel(self, task: str) -> None:
        self.applier.give_way()
        await self.agent.cancel(task)

    async def close(self) -> None:
        await self.outside.close()
        await self.agent.close()
        if self.plain is not None:
            await self.plain.close()
