"""The facade that a front end drives: sessions, tasks, decisions. One `Agent` per running front end."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kaaj_agent import events as ev
from kaaj_agent.approvals import Approvals
from kaaj_agent.archive import Archive
from kaaj_agent.changes import Applied, ChangeSet, CheckResult, Proposed
from kaaj_agent.clock import SystemClock
from kaaj_agent.connecting import Connecting
from kaaj_agent.failures import BadRequestError
from kaaj_agent.history import History, Kept, load
from kaaj_agent.journaled import Journaled
from kaaj_agent.ports import Applier, Approver, Clock, Diagnoser, Model, Question
from kaaj_agent.request import Started, StartRequest
from kaaj_agent.resting import LIVE_MAX, TASKS_MAX, resting
from kaaj_agent.reviews import Reviews
from kaaj_agent.session import Session, TaskState
from kaaj_agent.settings import AgentSettings
from kaaj_agent.staging import Staging
from kaaj_agent.staleness import Staleness
from kaaj_agent.todo import Todo, TodoList
from kaaj_agent.world import World

if TYPE_CHECKING:
    from kaaj_agent.connect import Connection
    from kaaj_agent.repomap.map import RepoMap
    from kaaj_agent.warm_shadow import WarmShadow

_log = logging.getLogger(__name__)
PROMPT_MAX: Final = 200_000
"""Characters of a request."""

SETTLE_SECONDS: Final = 5.0
"""How long closing waits for a change that is just being applied."""


@dataclass(frozen=True, slots=True)
class SessionOverview:
    """A session as a client draws it anew. `seq` is the number of its last event."""

    id: str
    created: float
    seq: int
    tasks: tuple[TaskState, ...]
    changes: tuple[ChangeSet, ...]
    events: tuple[ev.Event, ...]
    questions: tuple[Question, ...]


@dataclass
class Agent:
    """Everything a front end may ask for. Methods are called on one event loop.

    `model` gives the model on first use (an endpoint, or the embedded one); None connects by the settings.
    """

    world: World
    settings: AgentSettings
    approver: Approver
    applier: Applier
    diagnoser: Diagnoser
    state_dir: Path
    model: Callable[[], Awaitable[Model]] | None = None
    clock: Clock = field(default_factory=SystemClock)
    _listeners: list[Callable[[ev.Event], None]] = field(default_factory=list[Callable[[ev.Event], None]])
    _sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    _runners: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])

    def __post_init__(self) -> None:
        self.approvals = Approvals(self.approver, self.clock)
        self.history = History(self.state_dir / "history")
        journaled = Journaled(
            self.applier,
            self.history,
            self.world,
            lambda task: self._session_of_task(task).id,
            lambda task, text: self._session_of_task(task).emit(ev.Noticed(task, "warning", text)),
        )
        self.reviews = Reviews(self.world, journaled)
        self.untold: list[str] = []
        """What is to be said of the last process and belongs to none of the sessions that were brought back."""
        self.archive = Archive(self.state_dir / "sessions", self.clock, self._listeners)
        self.connecting = Connecting(self._connect)
        self._restoring: asyncio.Task[None] | None = None
        self.staleness = Staleness(self.world, self.proposals_touching)
        self._unlisten = self.world.listen(self.staleness.touched)
        self._repo_map: RepoMap | None = None
        self._warm: WarmShadow | None = None
        self.rested: Callable[[str], None] | None = None
        """Hears of a session that left the memory; it comes back when it is asked for."""
        self._used: dict[str, int] = {}
        self._uses = count(1)

    # --- listening -------------------------------------------------------------------------------------------------

    def subscribe(self, listener: Callable[[ev.Event], None]) -> Callable[[], None]:
        """Hear every event of every session, in order; the returned function ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def overview(self, session: str | None = None) -> tuple[SessionOverview, ...]:
        """All sessions of these folders, or one. Raises BadRequestError for an unknown one."""
        await self.restore()
        chosen = [await self._session(session)] if session else list(self._sessions.values())
        return tuple(self._overview(one) for one in chosen)

    def _overview(self, session: Session) -> SessionOverview:
        questions = tuple(q for q in self.approvals.pending.values() if q.task in session.tasks)
        return SessionOverview(
            session.id,
            session.created,
            session.seq,
            tuple(session.tasks.values()),
            tuple(session.changes.values()),
            tuple(session.events),
            questions,
        )

    # --- tasks -----------------------------------------------------------------------------------------------------

    async def start(self, request: StartRequest) -> Started:
        """Begin a task and return at once. Raises BadRequestError."""
        if not request.prompt.strip():
            raise BadRequestError("The prompt is empty.", field="prompt")
        if len(request.prompt) > PROMPT_MAX:
            raise BadRequestError(f"The prompt is over {PROMPT_MAX:,} characters.", field="prompt")
        if not self.world.folders.roots:
            raise BadRequestError("No workspace folder is open.", hint="Open a folder first.")
        if self.settings.restricted:
            request = replace(request, mode="plan")
        if len(self._runners) >= TASKS_MAX:
            raise BadRequestError(f"{TASKS_MAX} tasks are at work already; wait for one to end, or cancel one.")
        snapshot = self.world.snapshot()
        session = await self._session(request.session) if request.session else self._new_session()
        inherited = await self._goes_on_from(session)
        task = "task-" + secrets.token_hex(5)
        model = self.settings.model
        session.emit(ev.TaskStarted(task, request.prompt, request.mode, request.path, model, request.context))
        if request.todo:
            session.set_todo(task, TodoList(request.todo), "user")
        runner = asyncio.create_task(self._run(session, task, request, Staging(snapshot), inherited), name=task)
        self._runners[task] = runner
        session.continued = inherited.id if inherited else ""
        runner.add_done_callback(lambda _: self._ended(session, task))
        return Started(session.id, task)

    async def _goes_on_from(self, session: Session) -> ChangeSet | None:
        """The proposal that the next task of a session begins with. Raises BadRequestError while it is busy."""
        running = session.running
        waiting = session.proposed()
        if running is not None and running.id in self._runners and waiting and waiting[-1].task == running.id:
            if waiting[-1].id not in self.reviews.deciding:
                await self.wait(running.id)  # it has proposed, and only clears its workshop away
            running, waiting = session.running, session.proposed()
        waiting = tuple(change for change in waiting if change.id not in self.reviews.abandoned)
        if any(change.id in self.reviews.deciding for change in waiting):
            raise BadRequestError("The last change is just being applied; try again in a moment.", field="session")
        if running is not None:
            if running.id in self._runners:
                raise BadRequestError("This session is busy with a task; cancel it first.", field="session")
            session.emit(ev.TaskFinished(running.id, "stopped", "Continued by the next task."))
        return waiting[-1] if waiting else None

    async def _run(
        self, session: Session, task: str, request: StartRequest, staging: Staging, inherited: ChangeSet | None
    ) -> None:
        try:
            from kaaj_agent.task_run import TaskRun  # noqa: PLC0415 - the loops and tools are only needed now

            await TaskRun(self, session, task, request, staging, inherited).run()
        except Exception:  # noqa: BLE001 - one task fails, the server lives
            _log.exception("task %s", task)
            if session.tasks[task].status is None:
                session.close_turn("Kaaj failed inside.")
                session.emit(ev.TaskFinished(task, "failed", "Kaaj failed inside; your files were not changed."))

    def _ended(self, session: Session, task: str) -> None:
        """After a task's runner, also where it was cancelled before its first step."""
        self._runners.pop(task, None)
        session.continued = ""
        waits = any(change.task == task for change in session.proposed())
        if session.tasks[task].status is None and not waits:
            session.emit(ev.TaskFinished(task, "cancelled", "Cancelled; nothing was changed."))

    async def cancel(self, task: str) -> None:
        """End a task; its open calls are closed and what it staged is dropped. A waiting proposal is refused.

        What is just being applied is not torn, and a task whose editor does not answer ends without it. Raises
        BadRequestError for an unknown task; cancelling a finished one does nothing.
        """
        session = self._session_of_task(task)
        runner = self._runners.get(task)
        if runner is not None:
            if not runner.cancelling():  # a second time would cut its clearing up short
                runner.cancel()
            await asyncio.wait([runner])
        await self.reviews.cancel(session, task)

    async def wait(self, task: str) -> None:
        """Until the task has ended or waits for a decision."""
        runner = self._runners.get(task)
        if runner is not None:
            await asyncio.wait([runner])

    def edit_todo(self, task: str, items: Sequence[Todo]) -> TodoList:
        """The user's edit of the list, whole; of an ended task only while it is the newest of its session.

        Raises BadRequestError for an unknown or older task, or a double id.
        """
        session = self._session_of_task(task)
        if session.tasks[task].status is not None and next(reversed(session.tasks)) != task:
            raise BadRequestError("The task has ended, and another one came after it.", field="task")
        if len({item.id for item in items}) != len(items):
            raise BadRequestError("Two items have the same id.", field="items")
        todo = TodoList(tuple(items))
        session.set_todo(task, todo, "user")
        return todo

    # --- decisions -------------------------------------------------------------------------------------------------

    async def accept(self, change: str, digest: str, hunks: Sequence[str] | None = None) -> ChangeSet:
        """Raises BadRequestError, StaleError, ApplyError."""
        self._not_restricted()
        return await self.reviews.accept(await self._session_of_change(change), change, digest, hunks)

    async def reject(self, change: str, digest: str, hunks: Sequence[str] | None = None, reason: str = "") -> ChangeSet:
        """Raises BadRequestError, StaleError."""
        return await self.reviews.reject(await self._session_of_change(change), change, digest, hunks, reason)

    async def undo(self, change: str, path: Path | None = None, *, merge: bool = False) -> ChangeSet:
        """Take a change back, or what it did to one file, at any later time; `merge`: propose it around later edits.

        Raises BadRequestError, StaleError, ApplyError.
        """
        self._not_restricted()
        return await self.reviews.undo(await self._session_of_change(change), change, path, merge=merge)

    def _not_restricted(self) -> None:
        if self.settings.restricted:
            raise BadRequestError("This workspace is not trusted, so nothing is written; trust it first.")

    # --- the model -------------------------------------------------------------------------------------------------

    async def connect(self) -> Connection:
        """The model, connected once; a connection that failed is tried anew the next time. Raises ModelError."""
        return await self.connecting.connect()

    async def _connect(self) -> Connection:
        from kaaj_agent.connect import Connection, connect  # noqa: PLC0415 - heavy, and only needed now

        if self.model is not None:
            return Connection(await self.model())
        return await connect(self.settings, self.state_dir)

    async def configure(self, settings: AgentSettings) -> None:
        """New settings, for tasks that start from now on."""
        before, self.settings = self.settings, settings
        if _model_settings(before) != _model_settings(settings):
            await self.connecting.let_go(tuple(self._runners.values()))

    # --- the workspace ---------------------------------------------------------------------------------------------

    @property
    def repo_map(self) -> RepoMap:
        """The map of the workspace; asking it for something starts it."""
        if self._repo_map is None:
            from kaaj_agent.repomap.map import RepoMap  # noqa: PLC0415 - only large workspaces need it

            self._repo_map = RepoMap(self.world, self.state_dir, names=self.settings.secret_files)
        return self._repo_map

    @property
    def warm(self) -> WarmShadow:
        """The shadow workspace that is kept from one task to the next."""
        if self._warm is None:
            from kaaj_agent.warm_shadow import WarmShadow  # noqa: PLC0415 - only where something runs

            self._warm = WarmShadow()
        return self._warm

    # --- sessions --------------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """Bring back this workspace's sessions from the log, once. What a crash interrupted is closed as such."""
        if self._restoring is None:
            self._restoring = asyncio.create_task(self._restore())
        await asyncio.shield(self._restoring)

    async def _restore(self) -> None:
        for session in await self.archive.load(self.world.folders):
            self._sessions.setdefault(session.id, session)
        from kaaj_agent.recovery import reconcile  # noqa: PLC0415 - once, and not on the way to the first answer

        self.untold += await reconcile(self.reviews, self.history, self._sessions)

    async def close(self) -> None:
        """Cancel everything that runs and let go of the model. Proposals stay in the log."""
        self._unlisten()
        self.staleness.close()
        runners = list(self._runners.values())
        for runner in runners:
            runner.cancel()
        if runners:
            await asyncio.wait(runners)
        await self.reviews.close(SETTLE_SECONDS)
        await self.connecting.close()
        if self._repo_map is not None:
            await self._repo_map.close()
        if self._warm is not None:
            await self._warm.close()
        if self._restoring is not None:
            await asyncio.wait([self._restoring])
        for session in self._sessions.values():
            session.log.close()

    async def forget(self, session: str) -> bool:
        """Delete a session from the history; whether the disk let it go. Raises BadRequestError, also while it runs."""
        found = await self._session(session)
        if any(task in self._runners for task in found.tasks) or self.reviews.deciding.intersection(found.changes):
            raise BadRequestError("This session is at work; cancel its task first.", field="session")
        del self._sessions[session]
        self._used.pop(session, None)
        await asyncio.to_thread(self.history.forget, session)
        return await asyncio.to_thread(found.log.delete)

    def _new_session(self) -> Session:
        self._rest()
        return self._live(self.archive.create(self.world.folders))

    def _live(self, session: Session) -> Session:
        self._sessions[session.id] = session
        self._used[session.id] = next(self._uses)
        return session

    def _rest(self) -> None:
        """Make room for one more session: idle ones beyond the newest leave the memory, and only that."""
        busy = self._runners.keys() | {question.task for question in self.approvals.pending.values()}
        for session in resting(self._sessions.values(), busy, self.reviews.deciding, self._used, LIVE_MAX - 1):
            del self._sessions[session.id]
            self._used.pop(session.id, None)
            session.log.close()
            if self.rested is not None:
                self.rested(session.id)

    async def _session(self, session: str) -> Session:
        if session not in self._sessions:
            await self.restore()
        found = self._sessions.get(session) or await self._from_log(session)
        if found is None:
            raise BadRequestError(f"There is no session {session} in this workspace.", field="session")
        return self._live(found)

    async def _from_log(self, name: str) -> Session | None:
        """A session of these folders that is not in memory; None where there is none."""
        if name != Path(name).name or "\0" in name:
            return None
        try:
            found = await self.archive.open(name)
        except (OSError, ValueError) as error:
            _log.info("session %s is left alone: %s", name, error)
            return None
        if found is not None and (found.id != name or not set(found.roots).intersection(self.world.folders.roots)):
            found.log.close()
            return None
        return found

    def _session_of_task(self, task: str) -> Session:
        for session in self._sessions.values():
            if task in session.tasks:
                return session
        raise BadRequestError(f"There is no task {task}.", field="task")

    async def _session_of_change(self, change: str) -> Session:
        for _ in range(2):
            for session in self._sessions.values():
                if change in session.changes:
                    return self._live(session)
            await self.restore()
        return await self._older_session_of(change)

    async def _older_session_of(self, change: str) -> Session:
        """The session of a change that was applied too long ago to be brought back at the start. Raises
        BadRequestError.
        """
        for kept in reversed(await asyncio.to_thread(self.history.of_change, change)):
            try:
                session = await self.archive.open(kept.session)
                if session is None or change not in session.changes:
                    session = await self._adopt(kept)
            except (OSError, ValueError) as error:
                raise BadRequestError(f"The change {change} cannot be read: {error}.", field="change") from error
            return self._live(session)
        raise BadRequestError(f"There is no change {change}.", field="change")

    async def _adopt(self, kept: Kept) -> Session:
        """A change whose session is gone, in a session of its own. Raises OSError, ValueError."""
        change = await asyncio.to_thread(load, kept)
        hunks = frozenset(hunk.id for hunk in change.hunks)
        session = self._new_session()
        session.emit(ev.TaskStarted(change.task, change.summary or "A change of an earlier session.", "ask"))
        session.emit(ev.ChangeChanged(change.task, change.to(Applied(CheckResult("none"), hunks, change.after))))
        session.emit(ev.TaskFinished(change.task, "done", change.summary))
        return session

    def proposals_touching(self, path: Path) -> tuple[tuple[Session, ChangeSet], ...]:
        """The changes that wait for a decision and touch `path`, each with its session."""
        return tuple(
            (session, change)
            for session in self._sessions.values()
            for change in session.proposed()
            if isinstance(change.state, Proposed) and any(path in (f.path, f.target) for f in change.files)
        )


def _model_settings(settings: AgentSettings) -> tuple[object, ...]:
    """What a connection depends on."""
    return (
        settings.base_urls,
        settings.api_key,
        settings.model,
        settings.embedded_model,
        settings.window,
        settings.loop,
        settings.temperature,
        settings.top_p,
        settings.top_k,
        settings.repetition_penalty,
        settings.tool_calls,
        settings.seed,
    )
