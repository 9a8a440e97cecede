"""One task on the command line: the agent in this process, drawn on a terminal or told as JSON lines."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast

from rich.text import Text

from kaaj_agent import disk
from kaaj_agent.agent import Agent
from kaaj_agent.changes import ChangeSet, Proposed
from kaaj_agent.disguise import visible
from kaaj_agent.events import ChangeChanged, Event, TaskFinished
from kaaj_agent.failures import BadRequestError, FileError
from kaaj_agent.journal import DiskApplier
from kaaj_agent.ports import Question
from kaaj_agent.recovery import recover_all
from kaaj_agent.redaction import WITHHELD
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.world import Folders, World
from kaaj_protocol import events as wire
from kaaj_protocol.shapes import Change, FileChange
from kaaj_server.cli.asking import Asker
from kaaj_server.cli.changeview import ChangeView
from kaaj_server.cli.context import DONE, FAILED, INTERRUPTED, Context
from kaaj_server.cli.run_job import Job, NoEditor
from kaaj_server.cli.view import TaskView
from kaaj_server.convert import Convert
from kaaj_server.lsp.documents import Documents
from kaaj_server.uris import Places

UNTOUCHED: Final = "Your files are as they were."


@dataclass
class RunTask:
    """One task. `run` returns the exit code; it is also the agent's `Approver`."""

    context: Context
    job: Job
    _change: ChangeSet | None = field(default=None, init=False)
    _wire_change: Change | None = field(default=None, init=False)
    _finished: TaskFinished | None = field(default=None, init=False)
    _usage: dict[str, Any] = field(default_factory=dict[str, Any], init=False)
    _session: str = field(default="", init=False)
    _reader_gone: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _begun: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        self._console = self.context.console(stderr=self.job.as_json)
        self._view = TaskView(self._console)
        self._changes = ChangeView(self._console, self.job.root, self._base)
        self._asker = Asker(self._console, self.context.stdin)
        places = Places()
        self._convert = Convert(places, Documents(places.locate, _no_buffer, _no_buffer))
        self._can_ask = self.context.interactive and not self.job.as_json and not self.job.yes

    async def run(self) -> int:
        """Raises BadRequestError, KaajError, BrokenPipeError where the reader of the output has gone."""
        for sentence in await recover_all(self.context.state_dir, Folders.of(self.job.root)):
            self._view.notice("warning", sentence)
        agent = self._agent()
        agent.subscribe(self._hear)
        try:
            request = StartRequest(self.job.prompt, self.job.mode, session=self.job.session, check=self.job.check)
            started = await agent.start(request)
            self._session = started.session
            self._title()
            await self._until_quiet(agent, started.task)
            decided = await self._decide(agent)
            return self._conclude(decided=decided)
        finally:
            self._view.close()
            await agent.close()

    def say_interrupted(self) -> None:
        """After Ctrl-C: what was kept."""
        with suppress(OSError):
            if self._console.is_terminal and not self.job.as_json:
                self._console.print()  # the terminal shows ^C on the line of the question
            if self.applied or self._stands():
                self._say("Interrupted, but the change was applied already.", "yellow")
            else:
                self._say(f"Interrupted. {UNTOUCHED}", "yellow")
            self._result("cancelled", INTERRUPTED)

    @property
    def applied(self) -> bool:
        return self._wire_change is not None and self._wire_change.state == "applied"

    def _stands(self) -> bool:
        """Whether the proposal is in the files: an interruption may come between the writing and the word of it."""
        change = self._change
        if change is None or not isinstance(change.state, Proposed):
            return False
        try:
            for file in change.files:
                if file.after is None:
                    if file.path.exists():
                        return False
                elif disk.read(file.target).digest != file.after_digest:
                    return False
        except FileError:
            return False
        return True

    # --- the agent ------------------------------------------------------------------------------------------------

    def _agent(self) -> Agent:
        world = World(Folders.of(self.job.root))
        settings = self.job.settings(AgentSettings.from_env(self.context.environ))
        state = self.context.state_dir
        return Agent(world, settings, self, DiskApplier(world, state), NoEditor(), state)

    def _hear(self, event: Event) -> None:
        """One event, as soon as it happens. It must not raise: the agent is in the middle of something."""
        body = event.body
        if isinstance(body, ChangeChanged):
            self._change = body.change
        elif isinstance(body, TaskFinished):
            self._finished = body
        row = self._convert.event(event)
        told = wire.parse_event(row)
        if isinstance(told, wire.ChangeEvent):
            self._wire_change = told.change
        elif isinstance(told, wire.UsageEvent):
            self._usage = told.usage.to_wire()
        try:
            if self.job.as_json:
                self.context.plain(json.dumps(row, ensure_ascii=False))
            else:
                self._view.show(told if isinstance(told, wire.ChangeEvent) else wire.parse_event(_shown(row)))
        except BrokenPipeError:
            self._reader_gone.set()

    async def _until_quiet(self, agent: Agent, task: str) -> None:
        """Until the task has ended or waits for a decision, or nobody reads what it says."""
        if not self.job.as_json:
            self._view.resume()
        done = asyncio.create_task(agent.wait(task))
        gone = asyncio.create_task(self._reader_gone.wait())
        try:
            await asyncio.wait((done, gone), return_when=asyncio.FIRST_COMPLETED)
            if self._reader_gone.is_set():
                await agent.cancel(task)
                raise BrokenPipeError
        finally:
            done.cancel()
            gone.cancel()
        self._view.close()

    async def ask(self, question: Question) -> str | None:
        """The port `Approver`: a command that would run outside of a sandbox, or the check that was found.

        Raises BadRequestError for a check that mode `auto` alone cannot agree to.
        """
        if not self._can_ask:
            agreed = question.kind == "check" and (self.job.yes or self.job.mode == "auto")
            if agreed and question.unboxed and not self.job.yes:
                raise BadRequestError(
                    f"There is no sandbox, and nobody to ask: {question.title}",
                    field="check",
                    kept="It was not run; nothing was written.",
                    hint='Agree to it with --check "…" and its words, or run none with --check none.',
                )
            return question.choices[0] if agreed else None
        self._view.pause()
        try:
            self._console.print()
            self._console.print(Text(visible(question.title), style="bold"))
            self._console.print(Text(visible(question.detail)))
            choices = [(str(number), words) for number, words in enumerate(question.choices, 1)]
            answer = await self._asker.choose("Your answer?", choices)
            return None if answer is None else question.choices[int(answer) - 1]
        finally:
            self._view.resume()

    async def _decide(self, agent: Agent) -> bool:
        """Put the proposal, if there is one, to the person. Whether it was decided."""
        change, shown = self._change, self._wire_change
        if change is None or shown is None:
            return True
        if not isinstance(change.state, Proposed):
            if self.applied and not self.job.as_json:
                self._console.print()
                self._changes.show(shown)
            return True
        if not self.job.as_json:
            self._console.print()
            self._changes.show(shown)
        chosen: list[str] | None
        if self._can_ask:
            chosen = await self._asker.decide(shown, self._changes)
            if chosen is None:
                await agent.reject(change.id, change.digest, reason="not wanted")
                return True
        elif self.job.yes and self.job.mode == "ask" and change.state.check.ok:
            chosen = [hunk.id for hunk in change.hunks]
        else:
            return False
        writing = asyncio.create_task(agent.accept(change.id, change.digest, chosen))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])  # there is no half of it: what is told afterwards shall be true
            raise
        return True

    # --- words ----------------------------------------------------------------------------------------------------

    def _title(self) -> None:
        if not self.job.as_json:
            prompt = WITHHELD.text(" ".join(self.job.prompt.split()))
            self._console.print(Text(visible(prompt), style="bold"), no_wrap=True, overflow="ellipsis", crop=True)
            self._console.print()

    def _conclude(self, *, decided: bool) -> int:
        finished = self._finished
        status = finished.status if finished else "stopped"
        if not decided:
            status = "stopped"
            why = "Its check fails." if self._wire_change and not _ok(self._wire_change) else "Nobody was asked."
            self._say(f"Not applied. {why} {UNTOUCHED}", "yellow")
            if _ok(self._wire_change):
                self._say("To apply it: the same with --yes, or on a terminal.", "dim")
        elif self.applied:
            self._say(f"Applied. {self._view.cost()}", "green")
            if not _ok(self._wire_change):
                self._say("Its check fails: you applied it all the same.", "yellow")
        else:
            words = finished.summary if finished else ""
            style = "" if status == "done" else "yellow"
            self._say(words if status == "done" else f"{words} {UNTOUCHED}", style)
            self._say(self._view.cost(), "dim")
        good = status == "done" and (not self.applied or _ok(self._wire_change))
        code = DONE if good else FAILED
        self._result(status, code)
        return code

    def _say(self, words: str, style: str) -> None:
        if words and not self.job.as_json:
            self._console.print(Text(visible(words), style=style))

    def _result(self, status: str, code: int) -> None:
        if not self.job.as_json:
            return
        change = self._wire_change
        row: dict[str, Any] = {
            "type": "result",
            "session": self._session,
            "status": status,
            "exit": code,
            "applied": self.applied,
            "summary": self._finished.summary if self._finished else "",
            "seconds": round(time.monotonic() - self._begun, 3),
            "usage": self._usage,
        }
        if change is not None:
            row["change"] = {"id": change.id, "state": change.state, "hunks": sum(len(f.hunks) for f in change.files)}
        self.context.plain(json.dumps(row, ensure_ascii=False))

    def _base(self, file: FileChange) -> str:
        """The text that a file's change was made for, out of the change itself."""
        for mine in self._change.files if self._change else ():
            if mine.before is not None and mine.path.as_uri() == file.uri:
                return mine.before.text
        return ""


def _shown(value: Any) -> Any:
    """An event's JSON with every text as a terminal may print it: what a model or a repository says moves no cursor."""
    match value:
        case str():
            return visible(value)
        case dict():
            return {key: _shown(one) for key, one in cast("dict[str, Any]", value).items()}
        case list():
            return [_shown(one) for one in cast("Iterable[Any]", value)]
        case _:
            return value


def _no_buffer(_: object) -> None:
    """No editor, no buffers."""


def _ok(change: Change | None) -> bool:
    """Whether no check speaks against the change."""
    check = change.check if change else None
    return check is None or (check.parsed and check.status != "failed")
