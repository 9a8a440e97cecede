"""Plan, chat and diff as real files in the state folder, one set for each set of workspace folders and each
server that has them open at the same time.

A paper that the client has open is changed by an edit, as any text of the person's is; else its file is replaced
atomically. None is ever opened unless the person asked for it, save the plan, once per task, without the focus.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from kaaj_agent import events as ev
from kaaj_agent.changes import ChangeSet, Draft
from kaaj_agent.disguise import warnings_of
from kaaj_server.lsp.plain.chat import chat_text, plan_text, prompt_in
from kaaj_server.lsp.plain.paper_edits import PaperEdits
from kaaj_server.lsp.plain.paper_folder import PaperFolder
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
        self._folder = PaperFolder(engine.server.state_dir / "papers")
        self._edits = PaperEdits(engine, self._later)
        self._review: tuple[ChangeSet, tuple[str, dict[int, str]]] | None = None
        self._written: dict[Path, str] = {}
        self._sent = ""
        """The prompt that was sent, until it is taken out of the chat."""
        self._draft = ""
        self._planned: set[str] = set()

    # --- what and where --------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        return self._folder.of(self._engine.server.world.folders.roots)

    def path(self, paper: Paper) -> Path:
        return self.folder / _NAMES[paper]

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
        if self._review is None or self._review[0] is not change:
            folders = self._engine.server.world.folders
            self._review = change, review(change, folders.name_of, warnings_of(change, folders))
        return self._review[1]

    def is_open(self, paper: Paper) -> bool:
        """Whether the client has it open and tells the server so."""
        return self._open(self.path(paper)) is not None

    def prompt(self) -> str:
        """What the person has written below the chat's mark: in the open chat, else in its file as of `look`."""
        text = self._open(self.path("chat"))
        return prompt_in(text).strip() if text is not None else self._draft

    async def written(self) -> str:
        """The same, as of now, where it was not sent already."""
        await self.look()
        prompt = self.prompt()
        return "" if prompt == self._sent else prompt

    async def look(self) -> None:
        """Read the chat's file, where the client does not tell what it does with it."""
        path = self.path("chat")
        draft = "" if self.is_open("chat") else prompt_in(await asyncio.to_thread(_read, path)).strip()
        self._draft = "" if draft == self._sent else draft

    # --- when ------------------------------------------------------------------------------------------------------

    def heard(self, event: ev.Event) -> None:
        body = event.body
        match body:
            case ev.TaskStarted(prompt=prompt):
                self._sent = prompt.strip()
                self._draft = ""
            case ev.UsageAdded():
                return
            case ev.TodoChanged(task, todo, _) if todo.items and task not in self._planned:
                self._planned.add(task)
                self._engine.server.own(self._offer_plan())
            case _:
                pass
        self._edits.renew()
        self._later()

    def _later(self) -> None:
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
            params: dict[str, Json] = {"uri": self._engine.convert.uri(path), "external": False, "takeFocus": focus}
            if paper == "chat" and focus:
                params["selection"] = await self._writing_place(path)
            server.own(self._ask("window/showDocument", params))
        else:
            server.say("info", f"Kaaj: the {paper} is {path}")

    async def _writing_place(self, path: Path) -> Json:
        """The end of the chat, where the next prompt is written."""
        open_text = self._open(path)
        text = open_text if open_text is not None else await asyncio.to_thread(_read, path)
        end = {"line": max(0, text.count("\n") - 1), "character": 0}
        return {"start": end, "end": end}

    async def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            await self.flush()
        self._folder.close()

    # --- writing ---------------------------------------------------------------------------------------------------

    async def flush(self) -> str:
        """Bring every paper up to date; what the disk says where it refuses. The papers are a view, not a record."""
        async with self._lock:
            try:
                await self._put(self.path("plan"), self.plan()[0])
                await self._put(self.path("diff"), self.diff()[0])
                await self._put_chat(self.path("chat"))
            except OSError as error:
                _log.warning("writing the papers: %s", error)
                return error.strerror or str(error)
        return ""

    async def _put_chat(self, path: Path) -> None:
        """The conversation, and below the mark what the person has written so far."""
        engine = self._engine
        session = engine.board.session
        found = await engine.agent.overview(session) if session is not None else ()
        base = self._open(path)
        prompt = prompt_in(base if base is not None else await asyncio.to_thread(_read, path))
        if prompt.strip() == self._sent:
            prompt = ""
        else:
            self._sent = ""  # taken out: the same words may be sent again
        events = found[0].events if found else ()
        text = await asyncio.to_thread(lambda: chat_text(entries(events), prompt))
        if self._open(path) != base:
            self._later()  # the person is typing in it
        else:
            await self._put(path, text)

    def _open(self, path: Path) -> str | None:
        """The text of a paper that the client has open."""
        buffer = self._engine.server.documents.at(path)
        return buffer.text if buffer is not None else None

    async def _put(self, path: Path, text: str) -> None:
        """Replace what stands there now."""
        base = self._open(path)
        if base is None:
            if self._written.get(path) != text:
                await asyncio.to_thread(_write, path, text)
                self._written[path] = text
            return
        self._written.pop(path, None)
        if base != text and self._engine.server.features.apply_edit:
            await self._edits.offer(path, base, text)

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
