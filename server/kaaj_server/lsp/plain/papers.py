"""Plan, chat and diff as real files in the state folder, one set for each set of workspace folders.

A paper that the client has open is changed by an edit, as any text of the person's is; else its file is replaced
atomically. None is ever opened unless the person asked for it, save the plan, once per task, without the focus.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from kaaj_agent import events as ev
from kaaj_agent.changes import ChangeSet, Draft, Proposed
from kaaj_agent.document import Document
from kaaj_agent.hunks import diff
from kaaj_server.lsp.plain.chat import chat_text, plan_text, prompt_in
from kaaj_server.lsp.plain.review import review
from kaaj_server.lsp.protocol import RequestFailedError
from kaaj_server.transcript import entries

if TYPE_CHECKING:
    from kaaj_server.lsp.engine import Engine

Json: TypeAlias = Any
Paper: TypeAlias = Literal["chat", "plan", "diff"]
_NAMES: Final[dict[Paper, str]] = {"chat": "chat.md", "plan": "plan.md", "diff": "change.diff"}
_DEBOUNCE: Final = 0.3
"""Seconds from an event to the papers that show it."""
_log: Final = logging.getLogger(__name__)


class Papers:
    """The owner of the files. `places` of a paper are what lenses stand at."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timer: asyncio.TimerHandle | None = None
        self._lock = asyncio.Lock()
        self._written: dict[Path, str] = {}
        self._sent = ""
        self._planned: set[str] = set()

    # --- what and where --------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        server = self._engine.server
        seed = "\0".join(map(str, server.world.folders.roots)).encode("utf-8", "surrogatepass")
        return server.state_dir / "papers" / hashlib.sha256(seed).hexdigest()[:12]

    def path(self, paper: Paper) -> Path:
        return (self.folder / _NAMES[paper]).resolve()

    def at(self, path: Path) -> Paper | None:
        """Which paper a path is."""
        return next((paper for paper in _NAMES if path.name == _NAMES[paper] and path == self.path(paper)), None)

    def plan(self) -> tuple[str, dict[int, str]]:
        task = self._engine.board.latest_task()
        if task is None:
            return "# Plan\n\nThere is no task yet.\n", {}
        return plan_text(task.prompt, task.todo)

    def shown_change(self) -> ChangeSet | None:
        """The change that the diff shows: the newest that waits for a decision, else the newest."""
        board = self._engine.board
        waiting = board.proposed()
        newest = waiting[0] if waiting else board.latest_change()
        return None if newest is None or isinstance(newest.state, Draft) else newest

    def diff(self) -> tuple[str, dict[int, str]]:
        change = self.shown_change()
        if change is None:
            return "# Kaaj: there is no change yet.\n", {}
        return review(change, self._engine.server.world.folders.name_of)

    def prompt(self) -> str:
        """What the person has written below the chat's mark, in the open chat."""
        buffer = self._engine.server.documents.at(self.path("chat"))
        return prompt_in(buffer.text).strip() if buffer is not None else ""

    # --- when ------------------------------------------------------------------------------------------------------

    def heard(self, event: ev.Event) -> None:
        body = event.body
        match body:
            case ev.TaskStarted(prompt=prompt):
                self._sent = prompt.strip()
            case ev.UsageAdded():
                return
            case ev.TodoChanged(task, todo, _) if todo.items and task not in self._planned:
                self._planned.add(task)
                self._engine.server.own(self._offer_plan())
            case ev.ChangeChanged(change=change) if isinstance(change.state, Proposed):
                pass
            case _:
                pass
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DEBOUNCE, self._due)

    def _due(self) -> None:
        self._timer = None
        self._engine.server.own(self.flush())

    async def _offer_plan(self) -> None:
        """Beside the person's text, never in front of it."""
        if self._engine.server.features.show_document:
            await self.show("plan")

    async def show(self, paper: Paper, *, focus: bool = False) -> None:
        """Open a paper in the client; where it cannot, say where the file is. It does not wait for the client."""
        problem = await self.flush()
        server = self._engine.server
        path = self.path(paper)
        if problem and server.documents.at(path) is None:
            server.say(
                "warning", f"Kaaj cannot write the {paper} to {path}: {problem}. The session goes on without it."
            )
        elif server.features.show_document:
            params = {"uri": self._engine.convert.uri(path), "external": False, "takeFocus": focus}
            server.own(self._ask("window/showDocument", params))
        else:
            server.say("info", f"Kaaj: the {paper} is {path}")

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            await self.flush()

    # --- writing ---------------------------------------------------------------------------------------------------

    async def flush(self) -> str:
        """Bring every paper up to date; what the disk says where it refuses. The papers are a view, not a record."""
        async with self._lock:
            try:
                await self._put(self.path("plan"), self.plan()[0])
                await self._put(self.path("diff"), self.diff()[0])
                await self._put(self.path("chat"), await self._chat())
            except OSError as error:
                _log.warning("writing the papers: %s", error)
                return error.strerror or str(error)
        return ""

    async def _chat(self) -> str:
        engine = self._engine
        session = engine.board.session
        found = await engine.agent.overview(session) if session is not None else ()
        path = self.path("chat")
        buffer = engine.server.documents.at(path)
        now = buffer.text if buffer is not None else await asyncio.to_thread(_read, path)
        prompt = prompt_in(now)
        if prompt.strip() == self._sent:
            prompt = ""
        events = found[0].events if found else ()
        return await asyncio.to_thread(lambda: chat_text(entries(events), prompt))

    async def _put(self, path: Path, text: str) -> None:
        buffer = self._engine.server.documents.at(path)
        if buffer is None:
            if self._written.get(path) != text:
                await asyncio.to_thread(_write, path, text)
                self._written[path] = text
            return
        self._written.pop(path, None)
        if buffer.text == text or not self._engine.server.features.apply_edit:
            return
        before = Document(path, buffer.text, buffer.version)
        convert = self._engine.convert
        edits = [
            {"range": convert.range(before, hunk.start, hunk.end), "newText": hunk.new}
            for hunk in diff("", before.text, text)
        ]
        if self._engine.server.features.document_changes:
            target = {"uri": buffer.uri, "version": buffer.version}
            edit: Json = {"documentChanges": [{"textDocument": target, "edits": edits}]}
        else:
            edit = {"changes": {buffer.uri: edits}}
        self._engine.server.own(self._ask("workspace/applyEdit", {"label": "Kaaj", "edit": edit}))

    async def _ask(self, method: str, params: Json) -> None:
        try:
            await self._engine.server.protocol.ask(method, params)
        except RequestFailedError as error:
            _log.info("%s: %s", method, error)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
