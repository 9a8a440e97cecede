"""The turn that begins a task: what lasts (rules, skills), what the request is about, the request, what is volatile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kaaj_agent import prompt
from kaaj_agent.attaching import Attaching, room_in
from kaaj_agent.failures import FileError, OutsideError
from kaaj_agent.git_facts import git_facts
from kaaj_agent.ports import Message
from kaaj_agent.repomap.large import is_large
from kaaj_agent.rules import rules_for

if TYPE_CHECKING:
    from kaaj_agent.agent import Agent
    from kaaj_agent.document import Document
    from kaaj_agent.ignore import Ignore
    from kaaj_agent.request import StartRequest
    from kaaj_agent.session import Session
    from kaaj_agent.staging import Staging
    from kaaj_agent.work import Work

GIT_SECONDS: Final = 0.5
"""How long the first request waits for git's facts; without them it is only a little poorer."""

MAP_TOKENS: Final = 600
MAP_WINDOW: Final = 16_384
"""Tokens of a window below which the map takes too much of it."""
MAP_SECONDS: Final = 2.0
"""How long the first request waits for the map: usually some tenths of a second, and some seconds the first time."""


@dataclass(slots=True)
class Opening:
    """Used once. `agentic`: the model looks around by itself."""

    agent: Agent
    session: Session
    request: StartRequest
    staging: Staging
    agentic: bool

    async def begin(self, work: Work) -> None:
        """The system text once a session, then this turn: rules, focus, problems, request, and the volatile tail."""
        session, request, staging = self.session, self.request, self.staging
        if not session.messages:
            session.say(Message("system", prompt.SYSTEM))
        document = None
        if request.path is not None:
            try:
                document = await self._focus(work.bench.ignore, request.path)
            except FileError as error:
                work.notice(str(error), "warning")
        repo_map = "" if session.messages[1:] else await self._map(work)
        restricted = self.agent.settings.restricted  # git too runs what a repository's configuration says
        git = None if restricted else await git_facts(staging.folders.roots[0], seconds=GIT_SECONDS)
        found = () if restricted else await rules_for(staging.snapshot, request.path, work.bench.ignore)
        rules = prompt.rules_text(found)
        lasting = [text for text in (rules, *work.announcements) if text]
        work.rules = "\n\n".join(lasting)
        await self._attach(work)
        text = prompt.opening(
            request.prompt,
            plan_only=request.mode == "plan",
            explain=request.intent == "explain",
            attached=work.attached.text,
            todo=work.hear_plan(),
            focus=await asyncio.to_thread(prompt.focus_text, staging.folders, document, request.span),
            problems=prompt.problems_text(staging.folders, request.diagnostics),
            rules="\n\n".join(text for text in lasting if not self._told(text)),
            repo_map=prompt.map_text(repo_map),
            tail=prompt.tail_text(
                staging.folders,
                self.agent.clock.now(),
                list(staging.snapshot.buffers),
                prompt.git_text(git),
            ),
        )
        if session.feedback:
            text = "\n".join(session.feedback) + "\n\n" + text
            session.feedback.clear()
        work.open_turn(text)

    def _told(self, text: str) -> bool:
        """Whether it stands in the prompt already."""
        return any(text in message.content for message in self.session.messages if message.role == "user")

    async def _map(self, work: Work) -> str:
        """The map of a large workspace, for a model that looks around by itself; empty where it takes too long."""
        request, window = self.request, work.profile.window
        if not self.agentic or self.agent.settings.restricted or window < MAP_WINDOW:
            return ""
        if not await asyncio.to_thread(is_large, work.bench.ignore):
            return ""
        buffers = sorted(self.staging.snapshot.buffers)
        focus = [request.path, *buffers] if request.path is not None else buffers
        try:
            async with asyncio.timeout(MAP_SECONDS):
                return await self.agent.repo_map.outline(
                    focus=focus, mentioned=request.prompt, tokens=MAP_TOKENS, fresh=True
                )
        except TimeoutError:
            return ""  # it is made all the same, for the next task

    async def _attach(self, work: Work) -> None:
        """Read what the person handed along."""
        if self.request.context:
            reading = Attaching(self.staging, work.bench.ignore, self.agent.diagnoser, room_in(work.profile.window))
            work.attached = await reading.read(self.request.context)
            for notice in work.attached.notices:
                work.notice(notice, "warning")

    async def _focus(self, ignore: Ignore, path: Path) -> Document:
        """The file that the request is about. Raises FileError where there is no text for the model."""
        reason = await asyncio.to_thread(ignore.reason, path)
        if reason is not None:
            name = self.staging.folders.name_of(path)
            why = "is outside of the workspace" if reason == "outside" else f"is withheld ({reason})"
            raise OutsideError(f"{name} {why}; the model does not see it.", path=name)
        return await self.staging.read(path)
