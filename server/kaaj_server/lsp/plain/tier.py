"""The plain tier, put together: what a client without the event stream sees of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaaj_agent import events as ev
from kaaj_agent.changes import Proposed
from kaaj_server.lsp.plain.papers import Papers
from kaaj_server.lsp.plain.progress import Progress
from kaaj_server.lsp.plain.proposals import Proposals

if TYPE_CHECKING:
    from kaaj_server.lsp.engine import Engine


class Plain:
    """Progress, questions and papers, and messages for what a person must not miss."""

    def __init__(self, engine: Engine) -> None:
        server = engine.server
        self._engine = engine
        self.progress = Progress(server, engine.agent)
        self.papers = Papers(engine)
        self.proposals = Proposals(engine, self.papers)

    def heard(self, event: ev.Event) -> None:
        body = event.body
        if not isinstance(body, ev.TextAdded):
            self.progress.heard(event)
        self.papers.heard(event)
        match body:
            case ev.ChangeChanged(change=change):
                self.proposals.changed(change)
            case ev.Noticed(level="warning" | "error" as level, text=text):
                self._engine.server.say(level, text)
            case ev.TaskFinished(task, status, summary) if status in ("failed", "stopped"):
                if not self._decided(task):
                    self._engine.server.say("error" if status == "failed" else "warning", summary)
            case ev.TaskFinished(task, "done", summary):
                view = self._engine.board.tasks.get(task)
                if summary and view is not None and (view.mode == "auto" or not self._decided(task)):
                    self._engine.server.say("info", summary)
            case _:
                pass

    def _decided(self, task: str) -> bool:
        """Whether the task ended by the person's own decision, which needs no message."""
        return any(
            change.task == task and not isinstance(change.state, Proposed)
            for change in self._engine.board.changes.values()
        )

    async def close(self) -> None:
        await self.papers.close()
