"""A small LSP client: JSON-RPC with a language server that is a child process, over its stdin and stdout."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Self, TypeAlias, cast

from kaaj_agent.failures import KaajError

Json: TypeAlias = Any
OnRequest: TypeAlias = Callable[[Json], Awaitable[Json]]
OnNotification: TypeAlias = Callable[[Json], None]

_STOP_SECONDS: Final = 5.0
_METHOD_NOT_FOUND: Final = -32601
_INTERNAL: Final = -32603


class ServerGoneError(KaajError):
    """The server's process ended, or its output is no LSP."""


class ServerRefusedError(KaajError):
    """The server answered a request with an error."""


@dataclass
class LspClient:
    """One server. Use as an async context manager; set handlers up before requests that lead to them.

    `requests` and `notifications` are handlers by method. A handler of requests may take its time: messages that come
    meanwhile are handled. One without a handler is answered with MethodNotFound.
    """

    process: Process
    log: Path
    requests: dict[str, OnRequest] = field(default_factory=dict[str, OnRequest])
    notifications: dict[str, OnNotification] = field(default_factory=dict[str, OnNotification])
    _waiting: dict[int, asyncio.Future[Json]] = field(default_factory=dict[int, "asyncio.Future[Json]"], init=False)
    _answers: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"], init=False)
    _reader: asyncio.Task[None] | None = field(default=None, init=False)
    _number: int = field(default=0, init=False)
    gone: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set once the server can say nothing more."""

    @classmethod
    async def start(cls, command: Sequence[str], *, cwd: Path, environ: Mapping[str, str], log: Path) -> Self:
        """Start the server; what it says on stderr goes to the file `log`. Raises KaajError where it cannot start.

        The server gets a session of its own, so that Ctrl-C at the terminal reaches the client alone, which then
        ends the server in order.
        """
        try:
            stderr: IO[bytes] = await asyncio.to_thread(log.open, "ab")
            with stderr:
                process = await asyncio.create_subprocess_exec(
                    *command, stdin=PIPE, stdout=PIPE, stderr=stderr, cwd=cwd, env=dict(environ), start_new_session=True
                )
        except OSError as error:
            raise KaajError(f"The server could not be started: {error.strerror}.", kept="Nothing was done.") from error
        return cls(process, log)

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Shut the server down in order; after 5 s it is ended."""
        try:
            with suppress(KaajError, TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await self.request("shutdown", None)
                    await self.notify("exit", None)
                    await self.process.wait()
        finally:
            if self.process.returncode is None:
                with suppress(ProcessLookupError):
                    self.process.kill()
            for task in (*self._answers, *([self._reader] if self._reader else [])):
                task.cancel()
            await self.process.wait()

    async def request(self, method: str, params: Json) -> Json:
        """The result. Raises ServerRefusedError with the server's words, ServerGoneError."""
        self._number += 1
        number = self._number
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._send({"id": number, "method": method, "params": params})
            return await answer
        finally:
            self._waiting.pop(number, None)

    async def command(self, name: str, argument: Json) -> Json:
        """One of Kaaj's commands, with its one argument."""
        return await self.request("workspace/executeCommand", {"command": name, "arguments": [argument]})

    async def notify(self, method: str, params: Json) -> None:
        await self._send({"method": method, "params": params})

    # --- the wire -------------------------------------------------------------------------------------------------

    async def _send(self, message: dict[str, Json]) -> None:
        stdin = self.process.stdin
        if stdin is None or self.gone.is_set():
            raise self.ended()
        body = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode("utf-8")
        try:
            stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await stdin.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self.ended() from error

    async def _read(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None  # noqa: S101 - it was asked for as a pipe
        try:
            while (message := await _message(stdout)) is not None:
                self._take(message)
        except (ValueError, asyncio.IncompleteReadError):
            pass  # the same as the end: what follows could not be trusted
        finally:
            self.gone.set()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(self.ended())

    def _take(self, message: dict[str, Json]) -> None:
        method = message.get("method")
        if method is None:
            answer = self._waiting.get(message.get("id", -1))
            if answer is None or answer.done():
                return
            if (error := message.get("error")) is not None:
                answer.set_exception(ServerRefusedError(str(error.get("message", error))))
            else:
                answer.set_result(message.get("result"))
        elif "id" in message:
            task = asyncio.create_task(self._answer(message["id"], method, message.get("params")))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)
        elif (handler := self.notifications.get(method)) is not None:
            handler(message.get("params"))

    async def _answer(self, number: Json, method: str, params: Json) -> None:
        handler = self.requests.get(method)
        reply: dict[str, Json] = {"id": number}
        if handler is None:
            reply["error"] = {"code": _METHOD_NOT_FOUND, "message": f"{method} is not known here"}
        else:
            try:
                reply["result"] = await handler(params)
            except KaajError as error:
                reply["error"] = {"code": _INTERNAL, "message": str(error)}
        with suppress(ServerGoneError):
            await self._send(reply)

    def ended(self) -> ServerGoneError:
        """What to raise once `gone` is set."""
        return ServerGoneError(
            "The language server ended unexpectedly.", hint=f"Its last words are at the end of {self.log}."
        )


async def _message(stream: asyncio.StreamReader) -> dict[str, Json] | None:
    """The next message, None at the end. Raises ValueError for what is no LSP."""
    length = -1
    while line := await stream.readline():
        name, _, value = line.decode("latin-1").partition(":")
        if name.strip().lower() == "content-length":
            length = int(value)
        if line in (b"\r\n", b"\n"):
            break
    if not line:
        return None
    if length < 0:
        raise ValueError("a message without a length")
    message: object = json.loads(await stream.readexactly(length))
    if not isinstance(message, dict):
        raise ValueError("a message that is no object")  # noqa: TRY004 - the same as any other message that is none
    return cast("dict[str, Json]", message)
