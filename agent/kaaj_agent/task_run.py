"""One task from its request to its proposal: connect, open the turn, loop, check, propose, and end honestly."""

from __future__ import annotations

import asyncio
import importlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kaaj_agent import events as ev
from kaaj_agent.changes import ChangeSet, Checked, CheckResult, FileChange, Proposed, Rejected, Stale
from kaaj_agent.disguise import warnings_of
from kaaj_agent.embedded.borrowing import Borrowing
from kaaj_agent.failures import KaajError
from kaaj_agent.ignore import GUARDED, Ignore
from kaaj_agent.limits import LimitReachedError, Limits
from kaaj_agent.mcp_servers import McpServers
from kaaj_agent.opening import Opening
from kaaj_agent.ports import Model, Profile, Question
from kaaj_agent.refusals import SUPERSEDED
from kaaj_agent.skills import Skills
from kaaj_agent.tools.bench import Bench
from kaaj_agent.work import Outcome, Work
from kaaj_agent.workshop import Workshop

if TYPE_CHECKING:
    from kaaj_agent.agent import Agent
    from kaaj_agent.request import StartRequest
    from kaaj_agent.session import Session
    from kaaj_agent.staging import Staging

_log = logging.getLogger(__name__)

CHECKS_MAX: Final = 3
"""How often a change is checked anew because its texts were edited during the check."""


@dataclass(slots=True)
class TaskRun:
    """Owned by one asyncio task; `run` ends with `TaskFinished`, or with a proposal that waits."""

    agent: Agent
    session: Session
    task: str
    request: StartRequest
    staging: Staging
    inherited: ChangeSet | None

    async def run(self) -> None:
        """Raises only CancelledError, after the session was told."""
        try:
            await self._look_away()
            async with self._workshop() as workshop, self._mcp(workshop) as mcp:
                await self._work(workshop, mcp)
        except asyncio.CancelledError:
            if not self._waits():
                self._finish("cancelled", "Cancelled; nothing of it reached your files.")
            raise
        except KaajError as error:
            _log.info("task %s failed: %s", self.task, error)
            self._finish("failed", str(error))

    def _workshop(self) -> Workshop:
        agent = self.agent
        limits = Limits(agent.settings, agent.clock)
        return Workshop(
            agent.settings,
            agent.state_dir,
            agent.approvals,
            self.session,
            self.task,
            self.request,
            limits,
            self.staging,
            self._ignore(),
            agent.warm,
        )

    async def _look_away(self) -> None:
        """Take out of the request what points at secrets and the like: no loop comes upon them that way."""
        request, ignore = self.request, self._ignore()
        pointed = {one.path for one in request.diagnostics} | ({request.path} if request.path else set[Path]())
        reasons = await asyncio.to_thread(lambda: {path: ignore.reason(path) for path in pointed})
        hidden = {path: reason for path, reason in reasons.items() if reason in GUARDED and reason != "outside"}
        for path, reason in hidden.items():
            text = f"{self.staging.folders.name_of(path)} is withheld ({reason}); the model does not see it."
            self.session.emit(ev.Noticed(self.task, "warning", text))
        if hidden:
            left = tuple(one for one in request.diagnostics if one.path not in hidden)
            self.request = replace(request, diagnostics=left)
            if request.path in hidden:
                self.request = replace(self.request, path=None, span=None)

    def _ignore(self) -> Ignore:
        settings = self.agent.settings
        own = [folder.resolve() for folder in (self.agent.state_dir, settings.config_dir) if folder is not None]
        hidden = settings.hide_secrets
        return Ignore(self.staging.folders, secrets=not hidden, names=settings.secret_files, private=own)

    def _mcp(self, workshop: Workshop) -> McpServers:
        """The user's MCP servers; none in a workspace that is not trusted."""
        agent = self.agent
        servers = () if agent.settings.restricted else agent.settings.mcp

        async def ask(question: Question) -> str | None:
            return await agent.approvals.ask(self.session, workshop.limits, question)

        return McpServers(servers, self.task, ask, agent.state_dir / "mcp")

    async def _work(self, workshop: Workshop, mcp: McpServers) -> None:
        agent = self.agent
        if self.inherited is not None:
            await self._go_on_from(self.inherited)
        connection = await agent.connect()
        profile = agent.connecting.profile = await connection.model.profile()
        settings = agent.settings
        skills = await Skills.find(settings.config_dir, () if settings.restricted else self.staging.folders.roots)
        borrowing = Borrowing(connection.scorer, connection.beside, agent.state_dir)
        work = self._bench_up(workshop, connection.model, profile, borrowing)
        work.announcements = (skills.announcement, mcp.announcement)
        work.bench.named = {"output": self.session.outputs.read, "skill": skills.read, "mcp": mcp.describe}
        work.bench.mcp = mcp.call if mcp.servers else None
        agentic = self._loop_name(profile) == "agentic"
        await Opening(agent, self.session, self.request, self.staging, agentic).begin(work)
        try:
            outcome = await self._loop(profile)(work)
        except LimitReachedError as reached:
            outcome = Outcome("stopped", str(reached))
        finally:
            await borrowing.close()
        await self._conclude(work, outcome)

    async def _go_on_from(self, earlier: ChangeSet) -> None:
        """Begin with what an earlier task proposed, as far as it still fits the texts."""
        staging = self.staging
        staging.load(_without_todos(earlier.files))
        stale = await staging.rebase(staging.snapshot)
        if stale:
            staging.load(tuple(file for file in staging.files if file.path not in stale))
            names = ", ".join(staging.folders.name_of(path) for path in stale)
            self.session.feedback.append(f"[The user edited {names} where you had; your edits of it are not staged.]")
            text = f"{names} changed where the proposal edits it; the work goes on without that part."
            self.session.emit(ev.Noticed(self.task, "warning", text))

    def _bench_up(self, workshop: Workshop, model: Model, profile: Profile, borrowing: Borrowing) -> Work:
        agent = self.agent
        change = "change-" + secrets.token_hex(5)
        work: Work
        bench = Bench(
            staging=self.staging,
            ignore=workshop.ignore,
            diagnoser=agent.diagnoser,
            command=lambda command: work.command(command),  # noqa: PLW0108 - `work` is bound below
            get_todo=lambda: work.todo,
            set_todo=lambda todo: work.set_todo(todo, "model"),
            get_removed=lambda: self.session.tasks[self.task].removed,
            ordered=lambda: self.session.tasks[self.task].edits > 0,
            plan_only=self.request.mode == "plan" or self.request.intent == "explain",
            repo_map=lambda: agent.repo_map,
            shown=self.session.shown,
            outputs=self.session.outputs,
            explore=lambda question: work.exploring.explore(question),  # noqa: PLW0108 - as above
            refused=lambda: self.session.refused,
            permit=workshop.permit,
        )
        work = Work(
            self.session,
            self.task,
            change,
            self.staging,
            self.request,
            model,
            profile,
            workshop,
            bench,
            workshop.limits,
            borrowing.lend,
        )
        return work

    def _loop(self, profile: Profile) -> Callable[[Work], Awaitable[Outcome]]:
        module = importlib.import_module(f"kaaj_agent.loops.{self._loop_name(profile)}")
        loop: Callable[[Work], Awaitable[Outcome]] = module.run
        return loop

    def _loop_name(self, profile: Profile) -> str:
        chosen = self.agent.settings.loop
        return profile.loop if chosen == "auto" else chosen

    # --- the end ---------------------------------------------------------------------------------------------------

    async def _conclude(self, work: Work, outcome: Outcome) -> None:
        if not outcome.keep or self.request.mode == "plan":
            self._finish(outcome.status, outcome.summary)
            return
        made = bool(self.staging.files)
        check = await self._check(work)
        if not self.staging.files:
            self._supersede()
            if made:
                self._finish("stopped", "Nothing is left to propose: you took off the list what it was for.")
            else:
                self._finish(outcome.status, outcome.summary)
            return
        if isinstance(check, Stale):
            names = ", ".join(self.staging.folders.name_of(path) for path in check.paths)
            self.session.emit(ev.ChangeChanged(self.task, work.change(outcome.summary).to(check)))
            self._finish("stopped", f"{names} changed where the work edits it; nothing was written. Start it again.")
            return
        warnings = await asyncio.to_thread(warnings_of, work.change(outcome.summary), self.staging.folders)
        if warnings:
            work.notice("\n".join(warnings), "warning")
        work.settle(check)
        change = work.change(outcome.summary)
        self.session.close_turn(outcome.summary)
        self.session.emit(ev.ChangeChanged(self.task, change.to(Checked(check))))
        self._supersede()
        self.session.emit(ev.ChangeChanged(self.task, change.to(Proposed(check))))
        if outcome.status == "stopped":
            work.notice(outcome.summary, "warning")
        if self.request.mode == "auto":
            await self._apply(work, change, check, outcome, warned=bool(warnings) or self._is_in_part())

    def _is_in_part(self) -> bool:
        """Whether what is staged is only a part of what a command did: the files of a folder go, nothing comes."""
        return any(file.path.is_relative_to(place) for file in self.staging.files for place in self.session.in_part)

    async def _check(self, work: Work) -> CheckResult | Stale:
        """What is staged, without what the user does not want any more, on the texts as they are now, checked."""
        check: CheckResult | Stale = CheckResult("none")
        for _ in range(CHECKS_MAX):  # somebody who types all the time gets a proposal, too
            self._drop(work)
            if not self.staging.files:
                break
            revision = self.staging.revision
            check = await self._fresh() or await work.check()
            self._drop(work)
            stale = await self._fresh()
            if stale or isinstance(check, Stale) or self.staging.revision == revision:
                return stale or check
        return check

    async def _fresh(self) -> Stale | None:
        """Carry what is staged over to the texts as they are now."""
        stale = await self.staging.rebase(self.agent.world.snapshot())
        return Stale(stale) if stale else None

    def _drop(self, work: Work) -> None:
        if dropped := work.drop_unwanted():
            self.session.feedback.append(f"[Taken out, as the user does not want it: {', '.join(dropped)}.]")

    def _waits(self) -> bool:
        """Whether a proposal of this task waits for a decision."""
        return any(change.task == self.task for change in self.session.proposed())

    def _supersede(self) -> None:
        old = self.inherited
        if old is not None and isinstance(self.session.changes[old.id].state, Proposed):
            self.session.emit(ev.ChangeChanged(old.task, old.to(Rejected(SUPERSEDED))))

    async def _apply(
        self, work: Work, change: ChangeSet, check: CheckResult, outcome: Outcome, *, warned: bool
    ) -> None:
        if warned:
            work.notice("Not applied by itself, because it has to be looked at closely. It waits for you.", "warning")
            return
        if not check.ok or work.unchecked or outcome.status != "done":
            work.notice("Not applied by itself, because the work is not done and checked. It waits for you.", "warning")
            return
        try:
            await self.agent.accept(change.id, change.digest)
        except KaajError as error:
            if self._waits():  # else the task has ended, and its end says why
                work.notice(f"Not applied by itself: {error} It waits for you.", "warning")

    def _finish(self, status: ev.Ending, summary: str) -> None:
        state = self.session.tasks[self.task]
        if state.status is None:
            if state.todo.running is not None:  # nobody works on it any more
                self.session.set_todo(self.task, state.todo.mark(state.todo.running.id, "pending"), "harness")
            self.session.close_turn(summary)
            self.session.emit(ev.TaskFinished(self.task, status, summary))


def _without_todos(files: tuple[FileChange, ...]) -> tuple[FileChange, ...]:
    """An earlier task's files: the items that its hunks served are not this task's, though they be called the same."""
    return tuple(replace(file, hunks=tuple(replace(hunk, todo=None) for hunk in file.hunks)) for file in files)
