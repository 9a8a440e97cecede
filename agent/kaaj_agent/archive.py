"""The sessions on disk: where they are, which belong to a workspace, and how one comes back after a crash."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent import events as ev
from kaaj_agent.ports import Clock, Message
from kaaj_agent.session import Session
from kaaj_agent.session_log import Header, SessionLog, header, replay
from kaaj_agent.world import Folders

_log = logging.getLogger(__name__)

RESTORED_MAX: Final = 20
"""Sessions that are brought back, newest first; older ones stay on disk."""


@dataclass(slots=True)
class Archive:
    """`listeners` is the live list of those who hear every session's events."""

    folder: Path
    clock: Clock
    listeners: list[Callable[[ev.Event], None]]

    def create(self, folders: Folders) -> Session:
        """A new, empty session with a log of its own."""
        now = self.clock.now()
        name = time.strftime("%Y%m%d-%H%M%S", time.localtime(now)) + "-" + secrets.token_hex(3)
        log = SessionLog.create(self.folder / f"{name}.jsonl", name, folders.roots, now)
        return Session(name, now, folders.roots, log, self.clock, self.listeners)

    async def load(self, folders: Folders) -> list[Session]:
        """The sessions of these folders, oldest first, without those that another process has open."""
        found = await asyncio.to_thread(self._read, folders)
        sessions: list[Session] = []
        for head, log, records in found:
            session = Session(head.session, head.created, head.roots, log, self.clock, self.listeners)
            session.restore(records)
            _close_interrupted(session)
            sessions.append(session)
        return sessions

    def _read(self, folders: Folders) -> list[tuple[Header, SessionLog, list[ev.Event | Message]]]:
        if not self.folder.is_dir():
            return []
        found: list[tuple[Header, SessionLog, list[ev.Event | Message]]] = []
        for path in sorted(self.folder.glob("*.jsonl"), reverse=True):
            head = header(path)
            if head is None or not set(head.roots).intersection(folders.roots):
                continue
            try:
                log = SessionLog.reopen(path)
                found.append((head, log, list(replay(path))))
            except OSError as error:
                _log.info("session %s is left alone: %s", path.name, error)
                continue
            if len(found) >= RESTORED_MAX:
                break
        return found[::-1]


def _close_interrupted(session: Session) -> None:
    """Tasks that ran when the process died end as stopped; those with a proposal go on waiting for the decision."""
    waiting = {change.task for change in session.proposed()}
    for task in list(session.tasks.values()):
        if task.status is None and task.id not in waiting:
            _answer_open_calls(session)
            summary = "Interrupted: Kaaj was stopped while this ran. Your files were not changed by it."
            session.emit(ev.TaskFinished(task.id, "stopped", summary))


def _answer_open_calls(session: Session) -> None:
    """Every call in the prompt gets a result, also those that the crash cut off."""
    answered = {message.call_id for message in session.messages if message.role == "tool"}
    for message in tuple(session.messages):
        for call in message.calls:
            if call.id not in answered:
                session.say(Message("tool", "Interrupted before it finished.", call_id=call.id, name=call.name))
