"""The demo's conversation with the language server: what an editor would say, and what it shows of the answers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from kaaj_agent.failures import KaajError
from kaaj_protocol import events as ev
from kaaj_protocol import names
from kaaj_protocol.shapes import Change, FileChange
from kaaj_server.cli.asking import Asker
from kaaj_server.cli.changeview import ChangeView
from kaaj_server.cli.editor import Editor
from kaaj_server.cli.lsp_client import LspClient
from kaaj_server.cli.view import TaskView

PROMPT: Final = "test_ten_pieces_are_ten_percent_off fails. Find the cause and fix it."
OPEN_FILE: Final = "shop/prices.py"
UNSAVED: Final = "\n\n# An unsaved line: ask Meera whether the tax changes in January.\n"


@dataclass
class Talk:
    """From `initialize` to the applied change.

    `check` is the command that runs the tests. `yes`: every question is answered by itself, with yes.
    """

    console: Console
    asker: Asker
    project: Path
    client: LspClient
    check: str
    yes: bool
    seed: int | None = None
    waited: float = field(default=0.0, init=False)
    """Seconds that the person took to decide."""
    view: TaskView = field(init=False)
    _editor: Editor = field(init=False)
    _changes: ChangeView = field(init=False)
    _events: asyncio.Queue[ev.Event] = field(default_factory=asyncio.Queue["ev.Event"], init=False)
    _base: dict[str, str] = field(default_factory=dict[str, str], init=False)

    def __post_init__(self) -> None:
        self.view = TaskView(self.console)
        self._editor = Editor(self.client)
        self._changes = ChangeView(self.console, self.project, self._text_before)

    @property
    def unsaved_kept(self) -> bool:
        """Whether the line that stood only in the editor is still there."""
        buffer = self._editor.buffers.get((self.project / OPEN_FILE).as_uri())
        return buffer is not None and UNSAVED.strip() in buffer.text

    async def run(self) -> bool:
        """Whether a change was applied. Raises KaajError."""
        client, editor = self.client, self._editor
        client.requests.update(
            {
                "workspace/applyEdit": editor.apply,
                "workspace/configuration": self._configuration,
                "window/showMessageRequest": self._question,
                "window/workDoneProgress/create": _nothing,
                "client/registerCapability": _nothing,
                "client/unregisterCapability": _nothing,
                "window/showDocument": _not_shown,
                "workspace/codeLens/refresh": _nothing,
                "workspace/diagnostic/refresh": _nothing,
            }
        )
        client.notifications[names.EVENT] = self._take
        try:
            answer = await client.request("initialize", self._initialize())
            capabilities: dict[str, Any] = answer["capabilities"]
            editor.encoding = capabilities.get("positionEncoding", "utf-16")
            await client.notify("initialized", {})
            path = self.project / OPEN_FILE
            saved = await asyncio.to_thread(path.read_text, "utf-8")
            await editor.open(path, saved + UNSAVED)
            self._line(f"{OPEN_FILE} is open with an unsaved line, which has to survive")
            self.console.print()
            self.view.resume()
            started = await client.command(names.START, {"prompt": PROMPT, "mode": "ask", "uri": path.as_uri()})
            return await self._follow(started["task"])
        finally:
            self.view.close()

    def _initialize(self) -> dict[str, Any]:
        return {
            "processId": os.getpid(),
            "clientInfo": {"name": "kaaj demo"},
            "rootUri": self.project.as_uri(),
            "workspaceFolders": [{"uri": self.project.as_uri(), "name": "shop"}],
            "initializationOptions": self._settings(),
            "capabilities": {
                "general": {"positionEncodings": ["utf-32", "utf-16"]},
                "workspace": {
                    "applyEdit": True,
                    "configuration": True,
                    "workspaceFolders": True,
                    "workspaceEdit": {"documentChanges": True},
                },
                "textDocument": {"synchronization": {"didSave": True}},
                "window": {"workDoneProgress": True, "showMessage": {}},
                "experimental": {"kaaj": {"version": 1}},
            },
        }

    def _settings(self) -> dict[str, Any]:
        """What an editor would have in its section `kaaj`."""
        settings: dict[str, Any] = {"check": self.check}
        if self.seed is not None:
            settings["seed"] = self.seed
        return settings

    async def _configuration(self, params: Any) -> Any:
        return [self._settings() if item.get("section") == names.SECTION else None for item in params["items"]]

    async def _question(self, params: Any) -> Any:
        """A question of the server's: about the change it is answered below, by the command; else here."""
        titles = [str(action["title"]) for action in params.get("actions") or ()]
        if not titles or any(title.startswith("Apply") for title in titles):
            return None
        if self.yes:
            return {"title": titles[0]}
        self.view.pause()
        try:
            self.console.print(Text(str(params["message"])))
            choices = [(str(number), title) for number, title in enumerate(titles, 1)]
            answer = await self.asker.choose("Your answer?", choices)
            return {"title": titles[int(answer) - 1]} if answer else None
        finally:
            self.view.resume()

    def _take(self, params: Any) -> None:
        with suppress(ValidationError):  # an event of a later version: a client skips what it does not know
            self._events.put_nowait(ev.parse_event(params))

    async def _next(self) -> ev.Event:
        """The next event. Raises ServerGoneError where none can come any more."""
        event = asyncio.create_task(self._events.get())
        gone = asyncio.create_task(self.client.gone.wait())
        try:
            await asyncio.wait((event, gone), return_when=asyncio.FIRST_COMPLETED)
            if event.done():
                return event.result()
            raise self.client.ended()
        finally:
            for task in (event, gone):
                task.cancel()

    async def _follow(self, task: str) -> bool:
        """Show what happens until the task has ended and its change is decided."""
        change: Change | None = None
        decided: set[str] = set()
        ended: ev.TaskFinished | None = None
        while ended is None or (change is not None and change.state == "proposed"):
            event = await self._next()
            if isinstance(event, ev.TaskFinished) and event.task == task:
                ended = event
            self.view.show(event)
            if isinstance(event, ev.ChangeEvent):
                change = event.change
                if change.state == "proposed" and change.digest not in decided:
                    decided.add(change.digest)
                    if not await self._decide(change):
                        return False
        if change is not None and change.state == "applied":
            await self._editor.save_all()
            self.view.pause()
            return True
        self.view.close()
        self.console.print(Text(f"\n{ended.summary or 'No change came of it.'}", style="yellow"))
        self.console.print(Text("Small models do not always find it: try again, or give --seed.", style="dim"))
        return False

    async def _decide(self, change: Change) -> bool:
        for file in change.files:
            buffer = self._editor.buffers.get(file.uri)
            if buffer is not None:
                self._base[file.uri] = buffer.text
        self.view.close()
        self.console.print()
        self._changes.show(change)
        chosen: list[str] | None
        if self.yes:
            chosen = [hunk.id for file in change.files for hunk in file.hunks]
        else:
            asked = time.monotonic()
            chosen = await self.asker.decide(change, self._changes)
            self.waited += time.monotonic() - asked
        decision: dict[str, Any] = {"change": change.id, "digest": change.digest}
        if chosen is None:
            await self.client.command(names.REJECT, {**decision, "reason": "not wanted"})
            return False
        count = sum(len(file.hunks) for file in change.files)
        if len(chosen) < count:
            decision["hunks"] = chosen
        answer = await self.client.command(names.ACCEPT, decision)
        if answer["state"] != "applied":
            raise KaajError(answer["message"], kept="The project is as it was.")
        self.console.print()
        self._line("applied in the editor's buffer by workspace/applyEdit, checked, and saved")
        return True

    def _text_before(self, file: FileChange) -> str:
        if file.kind == "create":
            return ""
        return self._base.get(file.uri) or (self.project / OPEN_FILE).read_text("utf-8")

    def _line(self, words: str) -> None:
        self.console.print(Text(f"   {words}", style="dim"))


async def _nothing(_: Any) -> None:
    return None


async def _not_shown(_: Any) -> Mapping[str, bool]:
    return {"success": False}
