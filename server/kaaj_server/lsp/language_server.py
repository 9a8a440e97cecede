"""The server object: what one connection owns, and the short way to the answer of `initialize`.

Nothing that takes long to import is imported before `initialize` has been answered: the agent, pydantic and the rest
come in by `Engine`, from a thread, once the client has said `initialized`. Requests that need them wait for it.
"""

from __future__ import annotations

import asyncio
import gc
import hmac
import logging
import os
from collections.abc import Collection, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from kaaj_agent.world import Folders, World
from kaaj_protocol import names
from kaaj_protocol.version import PROTOCOL_VERSION
from kaaj_server.lsp.demands import demand_document, demand_range
from kaaj_server.lsp.documents import Documents
from kaaj_server.lsp.features import Features, read
from kaaj_server.lsp.json_values import Json, a_list, a_string, an_object
from kaaj_server.lsp.protocol import InvalidParamsError, KaajProtocol, RequestFailedError
from kaaj_server.uris import Places

if TYPE_CHECKING:
    from kaaj_server.lsp.engine import Engine

_log: Final = logging.getLogger(__name__)
_PARENT_SECONDS: Final = 3.0
_CONFIGURATION_SECONDS: Final = 2.0
"""How long the first request waits for a client that is asked for its settings; a later answer still counts."""
_STOP_SECONDS: Final = 5.0
OPEN: Final = "kaaj.open"
"""The command behind our own lenses that opens a paper; it is offered to clients without the event stream only."""
SEND: Final = "kaaj.send"
"""Likewise, for what is written in the chat at that moment; an editor may show a lens that is older than the words."""
ACTION_KINDS: Final = ("quickfix", "refactor.rewrite", "refactor")


class KaajServer(LanguageServer):
    """One connection: its documents, its world, and, after `initialized`, its engine.

    `environ` and `state_dir` come from `__main__`. `token`: what a TCP client must show in
    `initializationOptions.token`; None on stdio.
    """

    protocol: KaajProtocol  # pyright: ignore[reportIncompatibleVariableOverride] - made by `protocol_cls`

    def __init__(
        self, environ: Mapping[str, str], state_dir: Path, token: str | None = None, version: str = ""
    ) -> None:
        self.environ = environ
        self.state_dir = state_dir
        self.world = World()
        self.places = Places()
        self.documents = Documents(self.places.locate, self.world.put, self.world.drop)
        self.features = Features()
        self.options: Json = None
        self.ended = asyncio.Event()
        self.exit_code = 1
        self.others: Collection[KaajServer] = ()
        """The clients that a listener has admitted before this one."""
        self._token = token
        self._closing = False
        self._engine: asyncio.Task[Engine] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        super().__init__("kaaj", version, protocol_cls=KaajProtocol)  # pyright: ignore[reportUnknownMemberType] - pygls
        for name in names.COMMANDS:
            self._offer(name)
        self._serve(
            types.TEXT_DOCUMENT_CODE_ACTION, self._actions, types.CodeActionOptions([*ACTION_KINDS], None, True)
        )
        self._serve(types.CODE_ACTION_RESOLVE, self._resolve)
        self._serve(types.TEXT_DOCUMENT_CODE_LENS, self._lenses)
        self._serve(types.WORKSPACE_DID_CHANGE_CONFIGURATION, self._configured)
        self._serve(types.TEXT_DOCUMENT_DID_SAVE, _by_dispatch)

    def _serve(self, method: str, handler: Any, options: Any = None) -> None:
        wrapped = partial(handler)  # pygls leaves a mark on what it is given, and a bound method takes none
        self.protocol.fm.feature(method, options)(wrapped)  # pyright: ignore[reportUnknownMemberType] - pygls

    def _offer(self, command: str) -> None:
        """Advertise a command; `execute` does it."""
        self.protocol.fm.command(command)(_by_dispatch)  # pyright: ignore[reportUnknownMemberType] - pygls

    # --- the way to `initialize` -----------------------------------------------------------------------------------

    def admit(self, params: Mapping[str, Json]) -> str:
        """Why this client is turned away, or nothing."""
        if self._token is None:
            return ""
        options = params.get("initializationOptions")
        shown = a_string(an_object(options).get("token"))
        if hmac.compare_digest(shown.encode(errors="surrogatepass"), self._token.encode(errors="surrogatepass")):
            return "This server serves another client; the connection is closed." if self.others else ""
        return "This server wants its token in `initializationOptions.token`; the connection is closed."

    def prepare(self, params: Mapping[str, Json]) -> None:
        """Take in what `initialize` says."""
        self.features = read(params["capabilities"])
        self.documents.encoding = self.features.encoding
        self.options = params.get("initializationOptions")
        uris = _uris(params.get("workspaceFolders"))
        if not uris and isinstance(params.get("rootUri"), str):
            uris = [params["rootUri"]]
        if not uris and isinstance(params.get("rootPath"), str) and params["rootPath"]:
            uris = [Path(params["rootPath"]).as_uri()]
        self._set_folders(uris)
        process = params.get("processId")
        if isinstance(process, int) and process > 0 and os.name == "posix":
            self.own(self._watch_parent(process))
        if not self.features.events:
            self._offer(OPEN)
            self._offer(SEND)

    @property
    def experimental(self) -> Json:
        return {names.SECTION: {"version": PROTOCOL_VERSION}}

    def begin(self) -> None:
        """The client has said `initialized`: get the agent ready in the background."""
        if self._engine is not None or self._closing:
            return
        self._engine = asyncio.create_task(self._start_engine())
        if self.features.version_complaint:
            self.say("warning", self.features.version_complaint)

    async def _start_engine(self) -> Engine:
        from kaaj_server.lsp.warm_up import import_engine  # noqa: PLC0415 - what this is about

        configuration = self.own(self.ask_configuration())
        try:
            module = await asyncio.to_thread(import_engine)
        finally:
            gc.freeze()  # what is imported stays: no collection needs to walk it again
            gc.enable()
        engine: Engine = module.Engine(self)
        await asyncio.wait([configuration], timeout=0 if self._closing else _CONFIGURATION_SECONDS)
        if configuration.done():
            await engine.settings.take(configuration.result())
        else:
            configuration.add_done_callback(lambda late: self.own(engine.settings.take_late(late)))
        engine.start()
        if self.features.dynamic_configuration:
            self.own(self._register_configuration())
        return engine

    async def _register_configuration(self) -> None:
        """Ask to be told when the settings change; some clients do not tell otherwise."""
        row: dict[str, Json] = {"id": "kaaj-settings", "method": types.WORKSPACE_DID_CHANGE_CONFIGURATION}
        row["registerOptions"] = {"section": names.SECTION}
        try:
            await self.protocol.ask(types.CLIENT_REGISTER_CAPABILITY, {"registrations": [row]})
        except RequestFailedError as error:
            _log.info("registering for changed settings: %s", error)

    async def ask_configuration(self) -> Json:
        """The section `kaaj` as the client has it now, None where it cannot be asked or answers an error."""
        if not self.features.configuration:
            return None
        try:
            rows = await self.protocol.ask(types.WORKSPACE_CONFIGURATION, {"items": [{"section": names.SECTION}]})
        except RequestFailedError as error:
            _log.warning("workspace/configuration: %s", error)
            return None
        found = a_list(rows)
        return found[0] if found else None

    async def engine(self) -> Engine:
        """The engine, once it is there."""
        if self._engine is None:
            self.begin()
        if self._engine is None:
            raise RequestFailedError("The server is shutting down.")
        return await asyncio.shield(self._engine)

    @property
    def ready(self) -> Engine | None:
        """The engine, if it is there already."""
        task = self._engine
        return (
            task.result()
            if task is not None and task.done() and not task.cancelled() and not task.exception()
            else None
        )

    # --- folders ---------------------------------------------------------------------------------------------------

    def _set_folders(self, uris: list[str]) -> None:
        roots = self.places.set_roots(uris)
        self.world.folders = Folders(tuple(roots))

    def change_folders(self, params: Json) -> None:
        event = an_object(an_object(params).get("event"))
        gone = _uris(event.get("removed"))
        uris = [uri for uri in self.places.root_uris if uri not in gone]
        uris += [uri for uri in _uris(event.get("added")) if uri not in uris]
        self._set_folders(uris)
        if self.ready is not None:
            self.own(self.ready.outside.watch())

    # --- what is handed on to the engine ---------------------------------------------------------------------------

    async def execute(self, params: Json) -> Json:
        command = a_string(an_object(params).get("command"))
        if command not in (*names.COMMANDS, OPEN, SEND):
            known = ", ".join(names.COMMANDS)
            raise InvalidParamsError(f"command: there is no {command!r}; there are {known}", "command")
        arguments = params.get("arguments")
        if arguments is not None and not isinstance(arguments, list):
            raise InvalidParamsError("arguments: must be a list", "arguments")
        return await (await self.engine()).commands.execute(command, a_list(arguments))

    async def _actions(self, params: Json) -> Json:
        demand_document(params)
        demand_range(params)
        context = an_object(params.get("context"))
        context = {**context, "diagnostics": a_list(context.get("diagnostics"))}
        return await (await self.engine()).actions.offer({**params, "context": context})

    async def _resolve(self, params: Json) -> Json:
        return await (await self.engine()).actions.resolve(params)

    async def _lenses(self, params: Json) -> Json:
        demand_document(params)
        return (await self.engine()).lenses.of(params)

    async def _configured(self, params: Json) -> None:
        await (await self.engine()).settings.changed(params)

    def progress_cancelled(self, params: Json) -> None:
        engine = self.ready
        if engine is not None and engine.plain is not None:
            engine.plain.progress.cancelled(an_object(params).get("token"))

    # --- words to the person ---------------------------------------------------------------------------------------

    def say(self, level: str, text: str) -> None:
        """One message in the editor's own way of showing them."""
        kinds = {"error": 1, "warning": 2, "info": 3}
        self.protocol.tell(types.WINDOW_SHOW_MESSAGE, {"type": kinds.get(level, 4), "message": text})

    # --- tasks and the end -----------------------------------------------------------------------------------------

    def own(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something on the side; it is cancelled with the server, and a failure of it is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.error("work on the side failed", exc_info=problem)

    async def _watch_parent(self, process: int) -> None:
        """End with the process that started us, as the specification asks."""
        while True:
            await asyncio.sleep(_PARENT_SECONDS)
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                _log.warning("the editor's process %d is gone; ending", process)
                self.finish(0 if self.protocol.is_shutdown else 1)
                return
            except PermissionError:
                pass

    async def stop_work(self) -> None:
        """Cancel what runs and save what is to be saved; at most a few seconds. Nothing new is begun after that."""
        self._closing = True
        task, self._engine = self._engine, None
        if task is None:
            return
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                engine = await task
                await engine.close()
        except TimeoutError:
            _log.warning("the work did not stop within %.0f s; ending without it", _STOP_SECONDS)
        except Exception:  # noqa: BLE001 - the server ends in any case; what went wrong is told in the log
            _log.exception("stopping the work")

    def finish(self, code: int) -> None:
        """The server ends; the first reason given is the one that counts."""
        if not self.ended.is_set():
            self.exit_code = code
        self.ended.set()

    async def close(self) -> None:
        """Everything is let go, in an order that lets tasks say their last."""
        await self.stop_work()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _uris(folders: Json) -> list[str]:
    """The URIs of workspace folders as a client lists them."""
    return [uri for row in a_list(folders) if (uri := a_string(an_object(row).get("uri")))]


def _by_dispatch(*_: Json) -> None:
    """Registered for its capability alone: the protocol handles it before."""
