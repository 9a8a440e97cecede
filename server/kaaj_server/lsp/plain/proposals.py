"""A proposal put to the person, for clients that show nothing of it themselves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from kaaj_agent.changes import ChangeSet, Proposed
from kaaj_agent.failures import KaajError
from kaaj_server.lsp.board import counted
from kaaj_server.lsp.plain.papers import Papers
from kaaj_server.lsp.plain.proposals_text import question

if TYPE_CHECKING:
    from kaaj_server.lsp.engine import Engine

REJECT: Final = "Reject"
SHOW: Final = "Show diff"


class Proposals:
    """Asks once for each proposal. Left unanswered, it stays proposed: lenses, code actions and commands reach it.

    Someone who decides hunk by hunk is not asked again about what is left.
    """

    def __init__(self, engine: Engine, papers: Papers) -> None:
        self._engine = engine
        self._papers = papers
        self._asked: dict[str, tuple[ChangeSet, asyncio.Task[None]]] = {}

    def changed(self, change: ChangeSet) -> None:
        """A change has a new state: an open question about an older one is withdrawn, a new one takes its place."""
        before, asked = self._asked.get(change.id, (None, None))
        proposed = isinstance(change.state, Proposed)
        if before is not None and asked is not None:
            if proposed and (before.digest == change.digest or asked.done()):
                return
            asked.cancel()
            if proposed and set(change.hunks) < set(before.hunks):
                return  # the person has begun to decide on it
            del self._asked[change.id]
        if proposed and self._wants_a_question(change):
            task = self._engine.server.own(self._put(change))
            self._asked[change.id] = (change, task)

    def _wants_a_question(self, change: ChangeSet) -> bool:
        """Not where another way leads to a decision: automatic approval, or an edit that the client lets confirm."""
        view = self._engine.board.tasks.get(change.task)
        checked = change.check is not None and change.check.ok
        if view is not None and view.mode == "auto" and checked and not change.undoes:
            return False
        applied = {one.id for one in self._engine.board.applied() if one.task == change.task}
        if applied - {change.undoes}:
            return False
        route = self._engine.applier.routes.get(change.task)
        return route is None or not route.confirm

    async def _put(self, change: ChangeSet) -> None:
        engine = self._engine
        apply = f"Apply {counted(change)}"
        titles = [apply, REJECT, SHOW] if engine.server.features.show_document else [apply, REJECT]
        answer = await engine.questions.choose(question(change), titles)
        if answer == SHOW:
            await self._papers.show("diff", focus=True)  # no question over it: it is read, and decided on, there
        if answer in (SHOW, None):
            return  # it can still be decided in every other way
        self._asked.pop(change.id, None)  # from here on this task is the decision, and not to be withdrawn
        try:
            if answer == apply:
                await engine.accept(change.id, change.digest)
            else:
                await engine.reject(change.id, change.digest)
        except KaajError as error:
            engine.server.say("error", str(error))
