"""The sessions on disk: where they are, which belong to a workspace, and how one comes back after a crash."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent import events as ev
from kaaj_agent.ports import Clock, Message, ToolCall
from kaaj_agent.session import Session
from kaaj_agent.session_log import Header, Record, SessionLog, header, replay
from kaaj_agent.world import Folders

_log = logging.getLogger(__name__)

RESTORED_MAX: Final = 20
"""Sessions that are brought back, newest first; older ones stay on disk."""

_STAMP: Final = len("20260101-120000")
_NAMED: Final = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}\.jsonl$")

INTERRUPTED: Final = "Interrupted: Kaaj was stopped while this ran. Your files were not changed by it."


@dataclass(slots=True)
class Archive:
    """`listeners` is the live list of those who hear every session's events."""

    folder: Path
    clock: Clock
    listeners: list[Callable[[ev.Event], None]]

    def create(self, folders: Folders) -> Session:
        """A new, empty session with a log of its own."""
        now = self.clock.now()
        name = self._stamp(now) + "-" + secrets.token_hex(3)
        log = SessionLog.create(self.folder / f"{name}.jsonl", name, folders.roots, now)
        return Session(name, now, folders.roots, log, self.clock, self.listeners)

    def _stamp(self, now: float) -> str:
        """The beginning of a session's name. Names order the sessions, also where the clock went back meanwhile."""
        try:
            last = max((file.name[:_STAMP] for file in os.scandir(self.folder) if _NAMED.match(file.name)), default="")
        except OSError:
            last = ""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
        if stamp > last:
            return stamp
        day, seconds = last.split("-")
        return f"{day}-{int(seconds) + 1:06}"  # not a time any more, but behind the last one

    async def load(self, folders: Folders) -> list[Session]:
        """The sessions of these folders, oldest first, without those that another process has open."""
        return [self._restored(*found) for found in await asyncio.to_thread(self._read, folders)]

    async def open(self, name: str) -> Session | None:
        """One session, however old; None where its log is gone. Raises OSError (BlockingIOError where it is in use)."""
        found = await asyncio.to_thread(self._read_one, self.folder / f"{name}.jsonl")
        return None if found is None else self._restored(*found)

    def _restored(self, head: Header, log: SessionLog, records: list[Record]) -> Session:
        session = Session(head.session, head.created, head.roots, log, self.clock, self.listeners)
        session.restore(records)
        _close_interrupted(session)
        return session

    def _read_one(self, path: Path) -> tuple[Header, SessionLog, list[Record]] | None:
        head = header(path) if path.is_file() else None
        if head is None:
            return None
        log = SessionLog.reopen(path)
        try:
            return head, log, list(replay(path))
        except OSError:
            log.close()
            raise

    def _read(self, folders: Folders) -> list[tuple[Header, SessionLog, list[Record]]]:
        if not self.folder.is_dir():
            return []
        found: list[tuple[Header, SessionLog, list[Record]]] = []
        for path in sorted(self.folder.glob("*.jsonl"), reverse=True):
            head = header(path)
            if head is None:
                _clear_stillborn(path)
                continue
            if not set(head.roots).intersection(folders.roots):
                continue
            try:
                log = SessionLog.reopen(path)
            except OSError as error:
                _log.info("session %s is left alone: %s", path.name, error)
                continue
            try:
                found.append((head, log, list(replay(path))))
            except OSError as error:
                _log.warning("session %s cannot be read: %s", path.name, error)
                log.close()
            if len(found) >= RESTORED_MAX:
                break
        return found[::-1]


def _clear_stillborn(path: Path) -> None:
    """A log that was killed before its first line was whole holds nothing, and would never be looked at again."""
    try:
        with path.open("rb") as file:
            if b"\n" in file.read(65_536):
                return
        SessionLog.reopen(path).delete()
    except OSError as error:
        _log.info("%s is left alone: %s", path.name, error)


def _close_interrupted(session: Session) -> None:
    """What ran when the process died ends as stopped; tasks with a proposal go on waiting for the decision."""
    _close_open(session)
    _answer_open_calls(session)
    waiting = {change.task for change in session.proposed()}
    for task in list(session.tasks.values()):
        if task.status is None and task.id not in waiting:
            session.emit(ev.TaskFinished(task.id, "stopped", INTERRUPTED))


def _close_open(session: Session) -> None:
    """Tools that had begun have ended, and questions are not asked any more."""
    tools: dict[str, ev.ToolStarted] = {}
    questions: dict[str, ev.ApprovalAsked] = {}
    for event in session.events:
        match event.body:
            case ev.ToolStarted(call=call) as body:
                tools[call] = body
            case ev.ToolFinished(call=call):
                tools.pop(call, None)
            case ev.ApprovalAsked(question=question) as body:
                questions[question.id] = body
            case ev.ApprovalAnswered(question=name):
                questions.pop(name, None)
            case _:
                pass
    for name, asked in questions.items():
        session.emit(ev.ApprovalAnswered(asked.task, name, None))
    for call, begun in tools.items():
        session.emit(ev.ToolFinished(begun.task, call, ok=False, summary="interrupted"))


def _answer_open_calls(session: Session) -> None:
    """Every call in the prompt gets a result, also those that the crash cut off, and the turn gets its end."""
    waiting: list[ToolCall] = []
    for message in session.messages:
        if message.role == "tool":
            waiting = [call for call in waiting if call.id != message.call_id]
        else:
            waiting = list(message.calls)
    for call in waiting:
        session.say(Message("tool", "Interrupted before it finished.", call_id=call.id, name=call.name))
    session.close_turn(INTERRUPTED)
