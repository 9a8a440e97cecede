"""`$/progress` for each task: a server-created token, cancellable, the running to-do item as its message.

A client without it is told of each item by a message.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from kaaj_agent import events as ev
from kaaj_agent.agent import Agent
from kaaj_agent.changes import Proposed
from kaaj_agent.failures import KaajError
from kaaj_agent.todo import TodoList
from kaaj_server.lsp.protocol import RequestFailedError

if TYPE_CHECKING:
    from kaaj_server.lsp.language_server import KaajServer

Json: TypeAlias = Any


@dataclass(slots=True)
class Bar:
    """One progress. `opened` once the client knows its token; what comes before then is told when it does."""

    token: str
    title: str
    message: str = "starting"
    percentage: int = 0
    standing: str = ""
    """How the plan stands; empty where there is none."""
    opened: bool = False
    ended: str | None = None


class Progress:
    """One bar for each running task; it ends when the task ends or waits for the person's decision."""

    def __init__(self, server: KaajServer, agent: Agent) -> None:
        self._server = server
        self._agent = agent
        self._bars: dict[str, Bar] = {}
        self._said = ""

    def heard(self, event: ev.Event) -> None:
        body = event.body
        if not self._server.features.progress:
            self._say(body)
            return
        bar = self._bars.get(body.task)
        if isinstance(body, ev.TaskStarted):
            bar = Bar(str(uuid.uuid4()), f"Kaaj: {_line(body.prompt, 60)}")
            self._bars[body.task] = bar
            self._server.own(self._open(bar))
            return
        if bar is None:
            return
        match body:
            case ev.TodoChanged(todo=todo):
                self._todo(bar, todo)
            case ev.ToolStarted(title=title) if not bar.standing:
                self._report(bar, title, bar.percentage)
            case ev.ToolProgressed(note=note):
                self._report(bar, f"{bar.standing} · {note}" if bar.standing else note, bar.percentage)
            case ev.ToolFinished() if bar.standing and bar.message != bar.standing:
                self._report(bar, bar.standing, bar.percentage)
            case ev.ChangeChanged(change=change) if isinstance(change.state, Proposed):
                self._end(body.task, bar, "waiting for your decision")
            case ev.TaskFinished(status=status, summary=summary):
                self._end(body.task, bar, _line(summary, 80) or status)
            case _:
                pass

    def cancelled(self, token: Json) -> None:
        """The person pressed cancel."""
        task = next((task for task, bar in self._bars.items() if bar.token == token), None)
        if task is not None:
            self._server.own(self._cancel(task))

    async def _cancel(self, task: str) -> None:
        try:
            await self._agent.cancel(task)
        except KaajError as error:
            self._server.say("warning", str(error))

    def _say(self, body: ev.Body) -> None:
        match body:
            case ev.TodoChanged(todo=todo) if todo.running is not None and self._said != (said := _standing(todo)):
                self._said = said
                self._server.say("info", f"Kaaj: {said}")
            case ev.TaskFinished(status="cancelled", summary=summary):
                self._server.say("info", f"Kaaj: {summary}")
            case _:
                pass

    def _todo(self, bar: Bar, todo: TodoList) -> None:
        total = len(todo.items)
        bar.standing = _standing(todo) if total else ""
        self._report(bar, _standing(todo), 100 * todo.finished // total if total else 0)

    def _report(self, bar: Bar, message: str, percentage: int) -> None:
        bar.message, bar.percentage = message, max(bar.percentage, percentage)
        if bar.opened:
            self._tell(bar, {"kind": "report", "message": message, "percentage": bar.percentage, "cancellable": True})

    def _end(self, task: str, bar: Bar, message: str) -> None:
        bar.ended = message
        del self._bars[task]
        if bar.opened:
            self._tell(bar, {"kind": "end", "message": message})

    async def _open(self, bar: Bar) -> None:
        try:
            await self._server.protocol.ask("window/workDoneProgress/create", {"token": bar.token})
        except RequestFailedError:
            return  # the client wants none
        bar.opened = True
        head = {"kind": "begin", "title": bar.title, "cancellable": True}
        self._tell(bar, head | {"message": bar.message, "percentage": bar.percentage})
        if bar.ended is not None:
            self._tell(bar, {"kind": "end", "message": bar.ended})

    def _tell(self, bar: Bar, value: Json) -> None:
        self._server.protocol.tell("$/progress", {"token": bar.token, "value": value})


def _standing(todo: TodoList) -> str:
    running = todo.running
    return f"{todo.finished}/{len(todo.items)}" + (f" {running.title}" if running else "")


def _line(text: str, limit: int) -> str:
    first = text.strip().partition("\n")[0]
    return first if len(first) <= limit else first[: limit - 1] + "…"
