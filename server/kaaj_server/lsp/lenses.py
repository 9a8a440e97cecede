"""Code lenses: a verb where it belongs, in the papers and on files that a change touches.

A client with the event stream has places of its own for most of these, and gets what belongs into a file: the verbs
of a change that waits, at the top and at each hunk.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kaaj_agent import events as ev
from kaaj_agent.changes import Applied, ChangeSet, Draft, Proposed
from kaaj_protocol import names
from kaaj_server.lsp.board import TaskView, counted
from kaaj_server.lsp.language_server import SEND
from kaaj_server.lsp.plain.chat import mark_line
from kaaj_server.lsp.protocol import RequestFailedError

if TYPE_CHECKING:
    from kaaj_server.lsp.engine import Engine

Json: TypeAlias = Any
_REFRESH: Final = 0.1
"""Seconds in which several reasons to refresh become one request."""


def lens(line: int, title: str, command: str, argument: Json) -> Json:
    place = {"line": line, "character": 0}
    return {"range": {"start": place, "end": place}, "command": verb(title, command, argument)}


def verb(title: str, command: str, argument: Json) -> Json:
    """A command of ours with its one argument, as lenses and code actions carry it."""
    return {"title": title, "command": command, "arguments": [argument]}


def decision(change: ChangeSet, *hunks: str) -> Json:
    """The argument of `kaaj.accept` and `kaaj.reject`."""
    return {"change": change.id, "digest": change.digest} | ({"hunks": list(hunks)} if hunks else {})


class Lenses:
    """Made anew for each request, out of the board."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timer: asyncio.TimerHandle | None = None

    def heard(self, event: ev.Event) -> None:
        body = event.body
        if self._engine.server.features.events:  # their lenses are of what waits alone, and a draft does not
            if isinstance(body, ev.ChangeChanged) and not isinstance(body.change.state, Draft):
                self.refresh()
        elif isinstance(body, (ev.TaskStarted, ev.TaskFinished, ev.ChangeChanged, ev.TodoChanged)):
            self.refresh()

    def refresh(self) -> None:
        """Ask the client to fetch its lenses anew, where it can be asked."""
        features = self._engine.server.features
        if features.lens_refresh and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_REFRESH, self._due)

    def _due(self) -> None:
        self._timer = None
        self._engine.server.own(self._ask())

    async def _ask(self) -> None:
        try:
            await self._engine.server.protocol.ask("workspace/codeLens/refresh", None)
        except RequestFailedError:
            return

    def of(self, params: Json) -> list[Json]:
        """The lenses of one document."""
        path = self._engine.server.places.locate(params["textDocument"]["uri"])
        return self._of_path(path) if path is not None else []

    def _of_path(self, path: Path) -> list[Json]:
        plain = self._engine.plain
        if plain is None:
            return self._waiting(path)
        match plain.papers.at(path):
            case "chat":
                return self._chat(path)
            case "plan":
                return self._plan(path)
            case "diff":
                return self._diff(path)
            case None:
                return self._file(path)

    def near(self, path: Path, first: int, last: int) -> list[Json]:
        """What the lenses of a paper say to someone at these lines (from 0, `last` not included), for clients that
        show none: those of the lines, in the diff those of the hunk around them, then those of the whole paper.
        """
        plain = self._engine.plain
        paper = plain.papers.at(path) if plain is not None else None
        rows = self._of_path(path)
        if paper == "chat":
            return rows
        lines = {row["range"]["start"]["line"] for row in rows}
        here = {line for line in lines if first <= line < last}
        if paper == "diff":
            here.add(max((line for line in lines if line < last), default=0))
        found = [row for row in rows if row["range"]["start"]["line"] in here | {0}]
        return sorted(found, key=lambda row: row["range"]["start"]["line"] == 0)

    # --- papers ----------------------------------------------------------------------------------------------------

    def _chat(self, path: Path) -> list[Json]:
        rows = [_cancel(0, task) for task in self._engine.board.running()]
        buffer = self._engine.server.documents.at(path)
        line = mark_line(buffer.lines) if buffer is not None else None
        if line is not None:
            rows.append(lens(line, "Kaaj: send", SEND, {}))
        return rows

    def _plan(self, path: Path) -> list[Json]:
        plain, task = self._engine.plain, self._engine.board.latest_task()
        if plain is None or task is None:
            return []
        text, places = plain.papers.plan()
        rows = [_cancel(0, task)] if task.running else []
        if task.running and self._is_current(path, text):
            for line, item_id in places.items():
                item = task.todo.get(item_id)
                if item is not None and item.status in ("pending", "running"):
                    rows.append(lens(line, "Kaaj: skip", names.TODO, _skipping(task, item_id)))
        return rows

    def _diff(self, path: Path) -> list[Json]:
        plain = self._engine.plain
        change = plain.papers.shown_change() if plain is not None else None
        if plain is None or change is None:
            return []
        rows = self._verbs(0, change)
        text, places = plain.papers.diff()
        if isinstance(change.state, Proposed) and len(change.hunks) > 1 and self._is_current(path, text):
            for line, hunk in places.items():
                rows.append(lens(line, "Kaaj: apply this hunk", names.ACCEPT, decision(change, hunk)))
                rows.append(lens(line, "Kaaj: reject this hunk", names.REJECT, decision(change, hunk)))
        return rows

    def _is_current(self, path: Path, text: str) -> bool:
        """Whether the lines of a paper are those that its places count."""
        buffer = self._engine.server.documents.at(path)
        return buffer is None or buffer.text == text

    # --- files -----------------------------------------------------------------------------------------------------

    def _file(self, path: Path) -> list[Json]:
        board = self._engine.board
        rows = [_cancel(0, task) for task in board.running(path)]
        for change in board.proposed(path):
            rows += self._verbs(0, change)
            if len(change.hunks) > 1:
                rows += self._hunks(path, change)
        for change in board.applied(path)[:1]:
            if self._still(path, change):
                rows += self._verbs(0, change)
        return rows

    def _waiting(self, path: Path) -> list[Json]:
        """For a client with the event stream: what waits for a decision in this file."""
        rows: list[Json] = []
        for change in self._engine.board.proposed(path):
            rows += self._verbs(0, change) + self._hunks(path, change)
        return rows

    def _hunks(self, path: Path, change: ChangeSet) -> list[Json]:
        """Lenses at the hunks of one file, while its text is the one that they were made for."""
        now = self._engine.server.world.buffer(path)
        rows: list[Json] = []
        for file in change.files:
            if file.path != path or file.before is None or now is None or now.text != file.before.text:
                continue
            for hunk in file.hunks:
                line = hunk.line - 1
                rows.append(lens(line, "Kaaj: apply this hunk", names.ACCEPT, decision(change, hunk.id)))
                rows.append(lens(line, "Kaaj: reject this hunk", names.REJECT, decision(change, hunk.id)))
        return rows

    def _still(self, path: Path, change: ChangeSet) -> bool:
        """Whether the text is what the change made it, so that an undo can work."""
        now = self._engine.server.world.buffer(path)
        return isinstance(change.state, Applied) and now is not None and change.state.after.get(path) == now.digest

    def _verbs(self, line: int, change: ChangeSet) -> list[Json]:
        match change.state:
            case Proposed():
                return [
                    lens(line, f"Kaaj: apply {counted(change)}", names.ACCEPT, decision(change)),
                    lens(line, "Kaaj: reject", names.REJECT, decision(change)),
                ]
            case Applied():
                return [lens(line, "Kaaj: undo", names.UNDO, {"change": change.id})]
            case _:
                return []


def _cancel(line: int, task: TaskView) -> Json:
    return lens(line, "Kaaj: cancel", names.CANCEL, {"task": task.id})


def _skipping(task: TaskView, item_id: str) -> Json:
    """The whole list with one item skipped."""
    items = [
        {"id": item.id, "title": item.title} | ({"status": "skipped"} if item.id == item_id else {})
        for item in task.todo.items
    ]
    return {"task": task.id, "items": items}
