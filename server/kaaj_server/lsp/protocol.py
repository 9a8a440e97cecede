"""JSON-RPC on top of pygls: how one message is taken in, handed on, and answered.

What differs from pygls 2.1.1, and why:

- Document sync goes from plain JSON straight to `Documents`. pygls keeps a second copy of each text, in which more
  characters end a line than the specification allows.
- Handlers get their params as plain JSON. Params that do not fit a class would otherwise get no answer at all.
- Errors are answered without a traceback; a request before `initialize` or after `shutdown` is answered as the
  specification says.
- Requests to the client (`ask`) give plain JSON back, whatever its shape, and are withdrawn when they are cancelled.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import JsonRPCNotification, JsonRPCRequestMessage, LanguageServerProtocol

from kaaj_agent.failures import BadRequestError, KaajError, StaleError
from kaaj_server.lsp.json_values import an_object
from kaaj_server.lsp.transport import MESSAGE_MAX, TOO_LARGE, frame

if TYPE_CHECKING:
    from kaaj_server.lsp.language_server import KaajServer

Json: TypeAlias = Any
_log: Final = logging.getLogger(__name__)

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
NOT_INITIALIZED: Final = -32002
REQUEST_FAILED: Final = -32803
REQUEST_CANCELLED: Final = -32800


OPEN_MAX: Final = 1_000
"""Requests that a client may have open; a further one is refused."""


class InvalidParamsError(JsonRpcException):
    """The params of a request are wrong; `data.field` names the part."""

    CODE = INVALID_PARAMS

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message, INVALID_PARAMS, {"field": field} if field else None)


class RequestFailedError(JsonRpcException):
    """The request was right and could not be done; the message says what happened, was kept, and to do next."""

    CODE = REQUEST_FAILED


def error_of(problem: BaseException) -> types.ResponseError:
    """What a client is answered for an exception. One that is our own fault is logged here with its traceback."""
    match problem:
        case JsonRpcException():
            return problem.to_response_error()
        case BadRequestError():
            data = {"field": problem.field} if problem.field else None
            return types.ResponseError(code=INVALID_PARAMS, message=str(problem), data=data)
        case StaleError():
            stale = {"stale": list(problem.paths)} if problem.paths else None
            return types.ResponseError(code=REQUEST_FAILED, message=str(problem), data=stale)
        case KaajError():
            return types.ResponseError(code=REQUEST_FAILED, message=str(problem))
        case _:
            _log.error("a request failed", exc_info=problem)
            kind = type(problem).__name__
            message = f"Kaaj made a mistake ({kind}: {problem}). Nothing was changed; the server goes on."
            return types.ResponseError(code=INTERNAL_ERROR, message=message)


def _encoded(message: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """JSON in UTF-8. Half a character, which models make and some clients take for a broken message, becomes `?`."""
    return json.dumps(message, default=default, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _is_number(number: Json) -> bool:
    """Whether it can be the id of a request."""
    return isinstance(number, int | str) and not isinstance(number, bool)


class KaajProtocol(LanguageServerProtocol):
    """One connection. `receive` takes each message's body, in order, on the event loop."""

    _server: KaajServer  # pyright: ignore[reportIncompatibleVariableOverride] - it makes this very class
    _sync: dict[str, Callable[[Mapping[str, Json]], None]]

    def __init__(self, server: KaajServer, converter: Any) -> None:
        super().__init__(server, converter)
        self._started = False
        self._asked: dict[str, asyncio.Future[Json]] = {}
        self._numbers = count(1)

    # --- coming in -------------------------------------------------------------------------------------------------

    def receive(self, body: bytes) -> None:
        """One message. Raises nothing: what cannot be understood is answered or logged."""
        if body is TOO_LARGE:
            self.refuse(None, INVALID_REQUEST, f"A message of over {MESSAGE_MAX // 1_048_576} MB was left out.")
            return
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            self.refuse(None, PARSE_ERROR, f"The message is not JSON: {error}")
            return
        if not isinstance(message, dict):
            self.refuse(None, INVALID_REQUEST, "A message must be a JSON object; batches are not part of LSP.")
            return
        try:
            self._take(cast("dict[str, Json]", message))
        except Exception as problem:  # noqa: BLE001 - whatever it is, a request gets its answer and the server goes on
            told = error_of(problem)
            number = cast("dict[str, Json]", message).get("id")
            if "method" in message and _is_number(number):
                self.refuse(number, told.code, told.message, told.data)

    def _take(self, message: dict[str, Json]) -> None:
        method, number = message.get("method"), message.get("id")
        if method is None:
            self._answered(message)
            return
        if number is not None and not _is_number(number):
            self.refuse(None, INVALID_REQUEST, "The id of a request must be a whole number or a string.")
            return
        if not isinstance(method, str):
            self.refuse(number, INVALID_REQUEST, "A method's name must be a string.")
            return
        sync = self._sync.get(method)
        if sync is not None:
            self._synchronise(sync, message)
            if number is not None:  # a notification that was sent as a request wants its answer all the same
                self.send({"jsonrpc": self.VERSION, "id": number, "result": None})
        elif number is None:
            if self._started or method in (types.EXIT, types.INITIALIZED):
                self._handle_notification(method, message.get("params"))
        elif self._shutdown:
            self.refuse(number, INVALID_REQUEST, "The server is shutting down.")
        elif method == types.INITIALIZE:
            self._initialize(number, message.get("params"))
        elif not self._started:
            self.refuse(number, NOT_INITIALIZED, "The first request must be `initialize`.")
        elif number in self._request_futures:
            self.refuse(number, INVALID_REQUEST, "A request with this id is still open.")
        elif len(self._request_futures) >= OPEN_MAX and method != types.SHUTDOWN:
            self.refuse(number, REQUEST_FAILED, f"{OPEN_MAX:,} requests are open already; wait for their answers.")
        else:
            self.handle_message(JsonRPCRequestMessage(number, method, self.VERSION, message.get("params")))

    def _synchronise(self, sync: Callable[[Mapping[str, Json]], None], message: dict[str, Json]) -> None:
        if not self._started:
            return
        try:
            sync(message["params"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            _log.warning("a malformed %s was left out: %r", message["method"], error)

    def _handle_notification(self, method_name: str, params: Any) -> None:
        if method_name == types.CANCEL_REQUEST:
            number = an_object(params).get("id")
            if _is_number(number) and number in self._request_futures:
                self._handle_cancel_notification(number)
            return
        super()._handle_notification(method_name, params)

    def _execute_handler(self, msg_id: Any, handler: Any, callback: Any, args: Any = None, kwargs: Any = None) -> None:
        """A handler is open until it is done, also one of a notification (pygls forgets those of requests alone)."""
        super()._execute_handler(msg_id, handler, callback, args, kwargs)
        future = self._request_futures.get(msg_id)

        def forget(done: Any) -> None:
            if self._request_futures.get(msg_id) is done:
                del self._request_futures[msg_id]

        if future is not None:
            future.add_done_callback(forget)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Params stay as they came (pygls's own transports come this way)."""
        if "id" in data:
            return JsonRPCRequestMessage(data["id"], data["method"], self.VERSION, data.get("params"))
        return JsonRPCNotification(data["method"], self.VERSION, data.get("params"))

    # --- life cycle ------------------------------------------------------------------------------------------------

    def _initialize(self, number: Json, params: Json) -> None:
        if self._started:
            self.refuse(number, INVALID_REQUEST, "`initialize` came twice.")
            return
        given = an_object(params)
        if not isinstance(given.get("capabilities"), dict):
            self.refuse(number, INVALID_PARAMS, "capabilities: this field is required", {"field": "capabilities"})
            return
        problem = self._server.admit(given)
        if problem:
            self.refuse(number, INVALID_REQUEST, problem)
            self._server.finish(1)
            return
        self._server.prepare(given)
        self._started = True
        encoding = types.PositionEncodingKind(self._server.features.encoding)
        process = given.get("processId")
        plain = types.InitializeParams(
            capabilities=types.ClientCapabilities(
                general=types.GeneralClientCapabilities(position_encodings=[encoding])
            ),
            process_id=process if isinstance(process, int) else None,
        )
        self.handle_message(JsonRPCRequestMessage(number, types.INITIALIZE, self.VERSION, plain))

    def _register_builtin_features(self) -> None:
        """In place of pygls's own, which keep a second copy of every text."""
        server = self._server
        self._sync = {
            types.TEXT_DOCUMENT_DID_OPEN: server.documents.opened,
            types.TEXT_DOCUMENT_DID_CHANGE: server.documents.changed,
            types.TEXT_DOCUMENT_DID_SAVE: server.documents.saved,
            types.TEXT_DOCUMENT_DID_CLOSE: server.documents.closed,
        }
        handlers: dict[str, Callable[..., Any]] = {
            **self._sync,
            types.INITIALIZE: self._on_initialize,
            types.INITIALIZED: self._on_initialized,
            types.SHUTDOWN: self._on_shutdown,
            types.EXIT: self._on_exit,
            types.SET_TRACE: self._on_trace,
            types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: server.change_folders,
            types.WORKSPACE_EXECUTE_COMMAND: server.execute,
            types.WINDOW_WORK_DONE_PROGRESS_CANCEL: server.progress_cancelled,
        }
        for method, handler in handlers.items():
            self.fm.add_builtin_feature(method, handler)  # pyright: ignore[reportUnknownMemberType] - pygls

    def _on_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        result = yield from super().lsp_initialize(params)
        result.capabilities.experimental = self._server.experimental
        return result

    def _on_initialized(self, _: Json) -> None:
        self._server.begin()

    def _on_exit(self, _: Json) -> None:
        self._server.finish(0 if self._shutdown else 1)

    def _on_trace(self, _: Json) -> None:
        """Tracing is the log's business."""

    async def _on_shutdown(self, _: Json) -> None:
        self._shutdown = True
        await self._server.stop_work()

    @property
    def is_started(self) -> bool:
        """Whether `initialize` was taken."""
        return self._started

    @property
    def is_shutdown(self) -> bool:
        return self._shutdown

    # --- going out -------------------------------------------------------------------------------------------------

    def send(self, message: Mapping[str, Json]) -> None:
        if self.writer is not None:
            self.writer.write(frame(_encoded(message)))

    def _send_data(self, data: Any) -> None:
        """The way out that pygls takes for answers."""
        if self.writer is not None:
            self.writer.write(frame(_encoded(data, self._serialize_message)))

    def tell(self, method: str, params: Json) -> None:
        """A notification, with params as plain JSON."""
        self.send({"jsonrpc": self.VERSION, "method": method, "params": params})

    def refuse(self, number: Json, code: int, message: str, data: Json = None) -> None:
        error = {"code": code, "message": message} | ({"data": data} if data is not None else {})
        self.send({"jsonrpc": self.VERSION, "id": number, "error": error})

    async def ask(self, method: str, params: Json) -> Json:
        """A request to the client and its result, which may be any JSON. It waits for as long as the client takes;
        when it is cancelled the request is withdrawn. Raises RequestFailedError where the client answers an error.
        """
        number = f"kaaj-{next(self._numbers)}"
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        self.send({"jsonrpc": self.VERSION, "id": number, "method": method, "params": params})
        try:
            return await future
        except asyncio.CancelledError:
            self.tell(types.CANCEL_REQUEST, {"id": number})
            raise
        finally:
            self._asked.pop(number, None)

    def _answered(self, message: dict[str, Json]) -> None:
        future = self._asked.pop(str(message.get("id")), None)
        if future is None or future.done():
            _log.debug("an answer to no open request: %s", message.get("id"))
            return
        error = message.get("error")
        if error is None:
            future.set_result(message.get("result"))
            return
        said = cast("dict[str, Json]", error).get("message") if isinstance(error, dict) else error
        future.set_exception(RequestFailedError(f"The editor answered: {said}"))

    def _send_handler_result(self, future: Future[Any], *, msg_id: Any) -> None:
        self._request_futures.pop(msg_id, None)
        if future.cancelled():
            error = types.ResponseError(code=REQUEST_CANCELLED, message="The request was cancelled.")
        elif (problem := future.exception()) is not None:
            error = error_of(problem)
        else:
            self._send_response(msg_id, result=future.result())
            return
        self._send_response(msg_id, error=error)
