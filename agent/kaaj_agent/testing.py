"""Fakes for tests: a model in the process, and a real HTTP endpoint on loopback that plays a script.

`ScriptedModel` stands in for the `Model` port. `ScriptedEndpoint` speaks the OpenAI wire (`/v1/chat/completions`,
streaming or not, and `/v1/models`), so that the whole way from socket to change can be tested, broken streams
included::

    async with ScriptedEndpoint(answer_calls(("read", {"path": "a.py"})), answer("Done.")) as endpoint:
        run_kaaj(env={"KAAJ_BASE_URL": endpoint.base_url, "KAAJ_MODEL": "scripted"})
        assert endpoint.prompts[0]["messages"][0]["role"] == "system"
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Self, TypeAlias

from kaaj_agent.ports import Json, Profile, Reply, Request, StreamItem, TextDelta, ToolCall, Usage

# --- in the process -----------------------------------------------------------------------------------------------

Turn: TypeAlias = "str | Reply | ToolCall | BaseException | Sequence[StreamItem | ToolCall]"
TurnMaker: TypeAlias = Callable[[Request], "Turn | Awaitable[Turn]"]

_ids = count(1)


def call(name: str, /, **arguments: Json) -> ToolCall:
    """A call as a model would make it, with an id of its own."""
    return ToolCall(f"call_{next(_ids)}", name, arguments)


class ScriptedModel:
    """A `Model` that plays `turns` one after another and records what it was asked in `requests`.

    A turn is a text, a `ToolCall` or a list of them, a whole `Reply`, a list of stream items that ends with a
    Reply, an exception to raise, or a callable (async or not) from the request to any of these. When the turns are
    used up, `last` is played; without one the test fails with an AssertionError that tells the request's end.
    """

    def __init__(self, *turns: Turn | TurnMaker, profile: Profile | None = None, last: Turn | None = None) -> None:
        self.requests: list[Request] = []
        self.closed = False
        self._turns: list[Turn | TurnMaker] = list(turns)
        self._profile = profile or Profile(model="scripted")
        self._last = last

    async def profile(self) -> Profile:
        return self._profile

    async def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        self.requests.append(replace(request, messages=tuple(request.messages)))
        turn: Turn | TurnMaker | None = self._turns.pop(0) if self._turns else self._last
        if turn is None:
            end = request.messages[-1].content[-500:] if request.messages else ""
            raise AssertionError(f"the script has no turn {len(self.requests)}; the request ends with: {end!r}")
        made = turn(request) if callable(turn) else turn
        for item in _stream_of(await made if inspect.isawaitable(made) else made):
            await asyncio.sleep(0)
            yield item

    async def close(self) -> None:
        self.closed = True


def _stream_of(turn: Turn) -> Sequence[StreamItem]:
    usage = Usage(prompt=100, cached=0, completion=10, requests=1)
    match turn:
        case BaseException():
            raise turn
        case str():
            return [TextDelta(turn), Reply(turn, (), usage)]
        case ToolCall():
            return [Reply("", (turn,), usage, "calls")]
        case Reply():
            return [TextDelta(turn.text), turn] if turn.text else [turn]
        case _:
            calls = tuple(item for item in turn if isinstance(item, ToolCall))
            if calls:
                return [Reply("", calls, usage, "calls")]
            return [item for item in turn if not isinstance(item, ToolCall)]


# --- over HTTP ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """One scripted answer. Made by `answer`, `answer_calls` and `answer_error`, changed with `dataclasses.replace`.

    `events` are the stream's data lines: a dict is sent as JSON, a str or bytes as it stands (without `data: `). An
    `asyncio.Event` among them is no line: the stream is held there until it is set.
    `finish` None ends the stream without a finish reason; `done` False leaves `[DONE]` out. `delay` is seconds
    before the first byte, `pause` seconds between events. `cut_after` drops the connection after that many events,
    `hang_after` falls silent after that many until the client leaves. `usage` None: estimated from the prompt's
    length, the part shared with an earlier prompt counted as cached. `body` answers with that instead of a stream.
    """

    events: Sequence[Json] = ()
    finish: str | None = "stop"
    usage: Mapping[str, Json] | None = None
    done: bool = True
    delay: float = 0.0
    pause: float = 0.0
    cut_after: int | None = None
    hang_after: int | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None


def answer(text: str, *, chunk: int = 0, finish: str | None = "stop") -> Answer:
    """Content, in pieces of `chunk` characters (0: in one)."""
    size = chunk or max(len(text), 1)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return Answer(events=[_choice({"content": piece}) for piece in pieces], finish=finish)


def answer_calls(*calls: tuple[str, Json], text: str = "", chunk: int = 0, finish: str | None = "tool_calls") -> Answer:
    """Native tool calls, each a name and its arguments (a str is sent as it stands), in pieces of `chunk`."""
    events = list(answer(text).events) if text else []
    for index, (name, arguments) in enumerate(calls):
        raw = arguments if isinstance(arguments, str) else json.dumps(arguments)
        head = {"index": index, "id": f"call_{next(_ids)}", "type": "function"}
        events.append(_choice({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]}))
        size = chunk or max(len(raw), 1)
        for at in range(0, len(raw), size):
            piece = {"index": index, "function": {"arguments": raw[at : at + size]}}
            events.append(_choice({"tool_calls": [piece]}))
    return Answer(events=events, finish=finish)


def answer_error(status: int, message: str, *, headers: Mapping[str, str] | None = None, code: str = "") -> Answer:
    """An HTTP error in OpenAI's form."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": code or None}})
    return Answer(status=status, headers=headers or {}, body=body)


def _choice(delta: Mapping[str, Json], finish: str | None = None) -> dict[str, Json]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came: header names in lower case, `body` parsed from JSON (None for a GET)."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Json


AnswerMaker: TypeAlias = "Callable[[Json], Answer | Awaitable[Answer]]"


class ScriptedEndpoint:
    """An OpenAI-compatible server on 127.0.0.1 that plays `answers`, one for each chat completion.

    An answer may be a callable from the request's body (async or not). When they are used up `last` is given, or
    a 400 that says so. `models` is what `/v1/models` lists; `routes` maps further paths (`/props`, `/api/show`) to
    the JSON that they answer with. `received` records every request, `prompts` the bodies of the completions, and
    `left` counts the clients that closed the connection before the answer was complete.
    """

    def __init__(
        self,
        *answers: Answer | AnswerMaker,
        models: Sequence[str | Mapping[str, Json]] = ("scripted",),
        routes: Mapping[str, Json] | None = None,
        last: Answer | AnswerMaker | None = None,
        port: int = 0,
    ) -> None:
        self.received: list[Received] = []
        self.left = 0
        self._answers: list[Answer | AnswerMaker] = list(answers)
        self._models = models
        self._routes = dict(routes or {})
        self._last = last
        self._port = port
        self._seen: list[str] = []
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """What goes into KAAJ_BASE_URL; ends with `/v1`."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def prompts(self) -> list[Json]:
        return [request.body for request in self.received if request.path.endswith("/chat/completions")]

    def add(self, *answers: Answer | AnswerMaker) -> None:
        """Append to the script while it plays."""
        self._answers.extend(answers)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port, limit=1 << 26)
        self._port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
            for client in tuple(self._clients):
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._clients.add(task)
        try:
            await self._one_request(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left += 1
        except asyncio.CancelledError:
            return  # only `close` cancels; asyncio would log a cancelled client of its own as an error
        finally:
            if task is not None:
                self._clients.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])
        }
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        path = target.partition("?")[0]
        body: Json = json.loads(raw) if raw else None
        self.received.append(Received(method, path, headers, body))
        if path.endswith("/chat/completions"):
            await self._complete(reader, writer, body)
        elif path in self._routes:
            await self._send(writer, Answer(body=json.dumps(self._routes[path])))
        elif path == "/v1/models":
            data = [entry if isinstance(entry, Mapping) else {"id": entry} for entry in self._models]
            listed = {"object": "list", "data": [{"object": "model", **entry} for entry in data]}
            await self._send(writer, Answer(body=json.dumps(listed)))
        else:
            await self._send(writer, answer_error(404, f"no such route: {path}"))

    async def _complete(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: Json) -> None:
        taken = self._answers.pop(0) if self._answers else self._last
        if taken is None:
            taken = answer_error(400, "the script has no more answers")
        made = taken(body) if callable(taken) else taken
        reply = await made if inspect.isawaitable(made) else made
        await asyncio.sleep(reply.delay)
        if reply.body is not None:
            await self._send(writer, reply)
        else:
            await self._stream(reader, writer, reply, body)

    async def _send(self, writer: asyncio.StreamWriter, reply: Answer) -> None:
        body = (reply.body or "").encode()
        headers = {"content-type": "application/json", **reply.headers, "content-length": str(len(body))}
        writer.write(_head(reply.status, headers) + body)
        await writer.drain()

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: Answer, body: Json
    ) -> None:
        headers = {"content-type": "text/event-stream", **reply.headers, "transfer-encoding": "chunked"}
        writer.write(_head(reply.status, headers))
        for number, event in enumerate(self._events(reply, body)):
            if number == reply.cut_after:
                writer.transport.abort()
                return
            if number == reply.hang_after:
                await writer.drain()
                await reader.read()
                raise ConnectionResetError
            if isinstance(event, asyncio.Event):
                await event.wait()
                continue
            data = event if isinstance(event, bytes | str) else json.dumps(event)
            payload = data if isinstance(data, bytes) else data.encode()
            line = b"data: " + payload + b"\n\n"
            writer.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            await writer.drain()
            if reply.pause:
                await asyncio.sleep(reply.pause)
            if reader.at_eof():
                raise ConnectionResetError
        if reply.cut_after is not None:
            writer.transport.abort()
            return
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _events(self, reply: Answer, body: Json) -> Iterable[Json]:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": body.get("model")}
        events: list[Json] = [{**head, **event} if isinstance(event, dict) else event for event in reply.events]
        if reply.finish is not None:
            events.append({**head, **_choice({}, reply.finish)})
        usage = reply.usage if reply.usage is not None else self._estimate(reply, body)
        options: Json = body.get("stream_options")
        if options and options.get("include_usage") and usage:
            events.append({**head, "choices": [], "usage": usage})
        if reply.done:
            events.append("[DONE]")
        return events

    def _estimate(self, reply: Answer, body: Json) -> dict[str, Json]:
        prompt = json.dumps([body.get("tools"), body["messages"]])[:-2]
        shared = max((_shared(prompt, earlier) for earlier in self._seen), default=0)
        self._seen.append(prompt)
        completion = len(json.dumps(list(reply.events), default=str)) // 16
        total = len(prompt) // 4
        return {
            "prompt_tokens": total,
            "completion_tokens": completion,
            "total_tokens": total + completion,
            "prompt_tokens_details": {"cached_tokens": shared // 4},
        }


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join([*lines, "connection: close", "", ""])).encode("latin-1")


def _shared(one: str, other: str) -> int:
    """How many leading characters are the same, by bisection."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low
