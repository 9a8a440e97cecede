"""The commands of `workspace/executeCommand`: arguments checked, handed to the agent, answered at once.

What is wrong with an argument is answered with InvalidParams and the field's name; what the world refuses
(KaajError) becomes RequestFailed with its sentence. The work of a task is told by events, never by an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kaaj_agent.changes import Applied, ChangeSet, Proposed
from kaaj_agent.failures import KaajError, StaleError
from kaaj_agent.request import Intent, StartRequest
from kaaj_protocol import names
from kaaj_protocol.commands import (
    Argument,
    CancelArgument,
    DecideArgument,
    FixArgument,
    ForgetArgument,
    InvalidArgumentError,
    SnapshotArgument,
    StartArgument,
    TodoArgument,
    UndoArgument,
    parse_argument,
)
from kaaj_server.convert import todo_rows
from kaaj_server.lsp.board import counted
from kaaj_server.lsp.json_values import an_object
from kaaj_server.lsp.language_server import OPEN, SEND
from kaaj_server.lsp.plain.merging import offer_merge
from kaaj_server.lsp.protocol import InvalidParamsError
from kaaj_server.transcript import Standing, snapshot

if TYPE_CHECKING:
    from kaaj_server.lsp.engine import Engine

Json: TypeAlias = Any
_TEXT_SECONDS: Final = 0.5
"""From the client's word that it has made an edit to the text that shows it, for the most part."""

EXPLAIN: Final = "Explain what the selected code does."
TESTS: Final = "Write tests for the selected code."
COMMENT: Final = "Do what the comment in the selected lines asks for, then take that comment out."
INTENTS: Final[dict[str, Intent]] = {EXPLAIN: "explain", TESTS: "tests", COMMENT: "comment"}
"""The prompts of our own code actions, by which `kaaj.start` knows what is meant."""


class Commands:
    """What each command does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def execute(self, command: str, arguments: Sequence[Json] | None) -> Json:
        """Raises InvalidParamsError and KaajError."""
        if command == OPEN:
            return await self._open(arguments)
        if command == SEND:
            return await self._send()
        try:
            argument = parse_argument(command, arguments)
        except InvalidArgumentError as error:
            raise InvalidParamsError(str(error), error.field) from None
        if not isinstance(argument, (StartArgument, FixArgument)) or getattr(argument, "session", None) is not None:
            await self._engine.restored()
        return await self._do(command, argument)

    async def _do(self, command: str, argument: Argument) -> Json:
        engine = self._engine
        if isinstance(argument, (StartArgument, FixArgument)):
            await engine.settings.settled()
        mode = engine.settings.current.mode
        match argument:
            case StartArgument():
                intent = INTENTS.get(argument.prompt, "task")
                return await self._start(engine.convert.start(argument, mode, intent))
            case FixArgument():
                path = engine.convert.path(argument.uri)
                if engine.server.world.folders.roots and engine.server.world.folders.root_of(path) is None:
                    raise InvalidParamsError(f"uri: {path} is outside of the workspace; nothing was changed.", "uri")
                if argument.diagnostics is None:
                    await engine.diagnostics.refresh(path)
                request = engine.convert.fix(argument, engine.diagnostics.of(path), mode)
                engine.diagnostics.tell(path, request.diagnostics)
                return await self._start(request)
            case CancelArgument(task=task):
                view = engine.board.tasks.get(task)
                ran = view is not None and not view.ended
                await engine.cancel(task)
                return {"task": task, "cancelled": ran}
            case DecideArgument() if command == names.ACCEPT:
                accepting = engine.accept(argument.change, argument.digest, argument.hunks)
                return await self._write(accepting, argument.change)
            case DecideArgument():
                reason = argument.reason or ""
                change = await engine.reject(argument.change, argument.digest, argument.hunks, reason)
                return _decided(change, argument.change)
            case UndoArgument():
                only = engine.convert.path(argument.uri) if argument.uri is not None else None
                undoing = engine.undo(argument.change, only, merge=bool(argument.merge))
                try:
                    return await self._write(undoing, argument.change)
                except StaleError as refused:
                    if engine.plain is None or argument.merge:
                        raise
                    engine.server.own(offer_merge(engine, argument.change, only, refused))
                    return {"change": argument.change, "state": "applied", "message": str(refused)}
            case TodoArgument(task=task):
                view = engine.board.tasks.get(task)
                before = view.todo if view is not None else None
                items = engine.convert.todo(argument.items, before) if before is not None else ()
                return {"task": task, "items": todo_rows(engine.agent.edit_todo(task, items))}
            case SnapshotArgument(session=session):
                return await self._snapshot(session)
            case ForgetArgument(session=session):
                gone = await engine.agent.forget(session)
                engine.forget(session)
                return {"session": session, "forgotten": gone}

    async def _write(self, work: Coroutine[Any, Any, ChangeSet], asked: str) -> Json:
        """What changes the person's texts. It is answered when it is done, or soon after the client says that it has
        made the edit: some (eglot) tell of the new text only once the command that they wait for is answered. What
        goes wrong after that is told in a message.
        """
        engine = self._engine
        if engine.plain is None:
            return _decided(await work, asked)
        engine.applier.answered.clear()
        outcome = engine.server.own(_outcome(work))
        answered = asyncio.ensure_future(engine.applier.answered.wait())
        try:
            await asyncio.wait({outcome, answered}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({outcome}, timeout=_TEXT_SECONDS)
        finally:
            answered.cancel()
            if not outcome.done():
                outcome.add_done_callback(self._tell)
        if not outcome.done():
            return {"change": asked, "state": "applying", "message": "The editor is at it."}
        found = outcome.result()
        if isinstance(found, KaajError):
            raise found
        return _decided(found, asked)

    def _tell(self, outcome: asyncio.Task[ChangeSet | KaajError]) -> None:
        found = None if outcome.cancelled() or outcome.exception() else outcome.result()
        if isinstance(found, KaajError):
            self._engine.server.say("error", str(found))

    async def _start(self, request: StartRequest) -> Json:
        started = await self._engine.agent.start(request)
        return {"session": started.session, "task": started.task}

    async def _snapshot(self, session: str | None) -> Json:
        engine = self._engine
        if session is not None:
            await engine.agent.overview(session)  # refuses a session that is not there
        settings, profile = engine.settings.current, engine.agent.connecting.profile
        standing = Standing(_version(), settings.mode, settings.restricted, profile)
        return snapshot(await engine.agent.overview(), session, engine.convert, standing)

    async def _send(self) -> Json:
        """What stands in the chat goes on with the session, or begins one of its own beside a task that runs."""
        plain, board = self._engine.plain, self._engine.board
        prompt = await plain.papers.written() if plain is not None else ""
        if plain is None or not prompt:
            self._engine.server.say("info", "The chat holds no prompt: write it below the last line of the chat.")
            return None
        busy = any(task.session == board.session for task in board.running())
        argument = {"prompt": prompt} | ({"session": board.session} if board.session and not busy else {})
        return await self.execute(names.START, [argument])

    async def _open(self, arguments: Sequence[Json] | None) -> Json:
        document = an_object(arguments[0] if arguments else None).get("document")
        plain = self._engine.plain
        if plain is None or document not in ("chat", "plan", "diff"):
            raise InvalidParamsError("document: must be chat, plan or diff", "document")
        await plain.papers.show(document, focus=True)
        return None


async def _outcome(work: Coroutine[Any, Any, ChangeSet]) -> ChangeSet | KaajError:
    try:
        return await work
    except KaajError as error:
        return error


def _decided(change: ChangeSet, asked: str) -> Json:
    match change.state:
        case Applied():
            message = f"Applied {counted(change)}."
        case Proposed() if change.undoes and change.id != asked:
            asked = change.id
            message = "The way back is proposed, with later edits kept; decide on it as on any change."
            if change.check is not None and not change.check.parsed:
                message = f"{message} Where both meet, both texts stand between marks."
        case Proposed():
            message = f"Taken out; {counted(change)} still wait for you."
        case state:
            message = f"The change is {type(state).__name__.lower()}; nothing was written."
            if type(state).__name__ == "Undone":
                message = "Taken back: the files are as before the change."
    return {"change": asked, "state": type(change.state).__name__.lower(), "message": message}


def _version() -> str:
    try:
        return version("kaaj")
    except PackageNotFoundError:
        return "unknown"
