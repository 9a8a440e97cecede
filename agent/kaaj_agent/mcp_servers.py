"""MCP servers: tools of other programs, announced by a server's name alone, listed and called when they are needed.

Only the user's own settings name servers. One is started at its first use in a task, as the user's own program: with a
small environment, outside of the workspace, and not in the sandbox, which has no network. Each call is asked for,
unless the user's settings allow that tool. What a server answers is data.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

from kaaj_agent.command_policy.shown import visible
from kaaj_agent.cutting import around, clip
from kaaj_agent.failures import BadRequestError, KaajError
from kaaj_agent.ports import Question
from kaaj_agent.settings import McpServer
from kaaj_agent.tools.bench import ToolResult, refusal

_log = logging.getLogger(__name__)

START_SECONDS: Final = 30.0
CALL_SECONDS: Final = 120.0
ANSWER_MAX: Final = 16_384
"""Characters of an answer that the model reads."""
ANSWERED: Final = range(-32700, -32599)
"""JSON-RPC's codes for a request that was read and refused; with any other the connection is in doubt."""
ALLOW: Final = "Run it"
REFUSE: Final = "Do not run it"
_CALL: Final = re.compile(r"mcp:([\w-]+)\.([\w./-]+)\s*(\{.*\})?\s*", re.DOTALL)
_FORM: Final = "A call is `mcp:SERVER.TOOL {…}`, with its arguments as one JSON object."


class McpError(KaajError):
    """A server could not be started, or does not answer."""


@dataclass(slots=True)
class _Running:
    """A server that was started; `task` owns its connection until `stop` is set."""

    client: asyncio.Future[Any]
    stop: asyncio.Event
    task: asyncio.Task[None]


@dataclass(slots=True)
class McpServers:
    """One task's servers. An async context; leaving it ends those that were started. `ask` puts a question."""

    servers: Sequence[McpServer]
    task: str
    ask: Callable[[Question], Awaitable[str | None]]
    folder: Path
    _running: dict[str, _Running] = field(default_factory=dict[str, _Running])
    _ending: list[_Running] = field(default_factory=list[_Running])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        running, self._running, self._ending = [*self._running.values(), *self._ending], {}, []
        for one in running:
            one.stop.set()
        if running:
            _done, late = await asyncio.wait([one.task for one in running], timeout=5.0)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    @property
    def announcement(self) -> str:
        """One line for the prompt; empty where there is none."""
        names = ", ".join(server.name for server in self.servers)
        return f"MCP servers ({names}): `read` path `mcp:NAME` lists one's tools and how to call them." if names else ""

    async def describe(self, name: str) -> str | None:
        """A server's tools, as the model reads them; None for an unknown server."""
        server = self._server(name.strip())
        if server is None:
            return None
        try:
            tools = await self._tools(server)
        except McpError as error:
            return str(error)
        rows = [f"Tools of {server.name}. Call one with the tool `run`: command `mcp:{server.name}.TOOL {{JSON}}`"]
        for tool in tools:
            said = " ".join((tool.description or tool.title or "").split())
            rows.append(f"{tool.name}({_parameters(tool.input_schema)}): {clip(said, 300)}")
        return "\n".join(rows)

    async def call(self, command: str) -> ToolResult:
        """What `mcp:SERVER.TOOL {JSON}` answers. Raises BadRequestError for what is no such call."""
        found = _CALL.fullmatch(command.strip())
        server = self._server(found[1]) if found else None
        if found is None or server is None:
            names = ", ".join(one.name for one in self.servers) or "none"
            raise BadRequestError(f"{_FORM} The servers are: {names}. Nothing was called.", field="command")
        try:
            arguments: Any = json.loads(found[3] or "{}", strict=False)
        except ValueError as error:
            raise BadRequestError(f"The arguments are not valid JSON ({error}). {_FORM}", field="command") from error
        tool = found[2]
        if not {tool, "*"} & set(server.allow):
            detail = visible(clip(json.dumps(arguments, ensure_ascii=False, indent=1), 2_000))
            question = Question("command", self.task, f"Let {server.name} do `{tool}`?", detail, (ALLOW, REFUSE))
            if await self.ask(question) != ALLOW:
                return refusal(
                    f"The user did not allow `{tool}` of {server.name}; it was not called. Go on without it."
                )
        try:
            client = await self._client(server)
            answer = await client.call_tool(tool, arguments, read_timeout_seconds=CALL_SECONDS)
        except McpError as error:
            return refusal(str(error))
        except Exception as error:  # noqa: BLE001 - any server's any error is an answer to the model
            self._let_go(server, error)
            return refusal(f"{server.name} failed: {clip(_said(error), 1_000)}")
        text = _text(answer) or "(no output)"
        return ToolResult(around(text, ANSWER_MAX), "failed" if answer.is_error else "answered", ok=not answer.is_error)

    def _server(self, name: str) -> McpServer | None:
        return next((server for server in self.servers if server.name == name), None)

    async def _tools(self, server: McpServer) -> list[Any]:
        client = await self._client(server)
        try:
            listed = await client.list_tools()
        except Exception as error:
            self._let_go(server, error)
            raise McpError(f"{server.name} does not list its tools: {_said(error)}") from error
        return list(listed.tools)

    def _let_go(self, server: McpServer, error: Exception) -> None:
        """After a failure that is no answer of the server's own, the next use starts it anew."""
        if (
            getattr(error, "code", None) not in ANSWERED
            and (running := self._running.pop(server.name, None)) is not None
        ):
            running.stop.set()
            self._ending.append(running)

    async def _client(self, server: McpServer) -> Any:
        """The connection, made at first use. Raises McpError; the next use tries anew."""
        running = self._running.get(server.name)
        if running is None or running.task.done():
            ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            stop = asyncio.Event()
            task = asyncio.create_task(self._hold(server, ready, stop), name=f"mcp {server.name}")
            running = self._running[server.name] = _Running(ready, stop, task)
        try:
            async with asyncio.timeout(START_SECONDS):
                return await asyncio.shield(running.client)
        except TimeoutError:
            raise McpError(f"{server.name} did not answer within {START_SECONDS:.0f} s.") from None

    async def _hold(self, server: McpServer, ready: asyncio.Future[Any], stop: asyncio.Event) -> None:
        """Own the connection: the library wants it closed by the task that opened it."""
        try:
            mcp = await asyncio.to_thread(_library)
            async with AsyncExitStack() as held:
                way = await self._way(mcp, server, held)
                ready.set_result(await held.enter_async_context(mcp.Client(way)))
                await stop.wait()
        except Exception as error:  # noqa: BLE001 - whatever it is, this server cannot be used
            _log.info("mcp server %s: %s", server.name, error)
            if not ready.done():
                ready.set_exception(_cannot_start(server, error))
                ready.exception()  # it is told to whoever waits, if anyone does
        finally:
            if not ready.done():
                ready.cancel()

    async def _way(self, mcp: Any, server: McpServer, held: AsyncExitStack) -> Any:
        """The transport; what it needs is `held` as long as the connection is."""
        if server.url:
            if not server.headers:
                return server.url
            http: Any = await asyncio.to_thread(importlib.import_module, "mcp.client.streamable_http")
            asked = await held.enter_async_context(http.create_mcp_http_client(headers=dict(server.headers)))
            return http.streamable_http_client(server.url, http_client=asked)  # it follows no redirect elsewhere
        await asyncio.to_thread(self.folder.mkdir, 0o700, parents=True, exist_ok=True)
        device = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, ASYNC230, SIM115 - a device; `held` closes it
        nowhere = held.enter_context(device)
        given = mcp.StdioServerParameters(
            command=server.command, args=list(server.args), env=dict(server.env), cwd=str(self.folder)
        )
        return mcp.stdio_client(given, errlog=nowhere)


def _library() -> Any:
    """The optional library; its import takes a moment."""
    return importlib.import_module("mcp")


def _cannot_start(server: McpServer, error: Exception) -> McpError:
    if isinstance(error, ModuleNotFoundError):
        return McpError("MCP servers need the extra `mcp`.", hint="The user can install it: pip install 'kaaj[mcp]'.")
    return McpError(f"The MCP server {server.name} could not be started: {clip(_said(error), 500)}")


def _said(error: BaseException) -> str:
    """The innermost words of an error that may be a group of others."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return str(error) or type(error).__name__


def _parameters(schema: Any) -> str:
    """A tool's arguments in a line: `title: string, body?: string`."""
    given = _mapping(schema)
    needed: list[Any] = given.get("required") or []
    rows: list[str] = []
    for name, about in _mapping(given.get("properties")).items():
        kind: Any = _mapping(about).get("type", "any")
        rows.append(f"{name}{'' if name in needed else '?'}: {kind if isinstance(kind, str) else 'any'}")
    return ", ".join(rows)


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _text(answer: Any) -> str:
    parts = [
        part.text if getattr(part, "type", "") == "text" else f"[{getattr(part, 'type', 'something')} left out]"
        for part in answer.content or ()
    ]
    if not parts and answer.structured_content is not None:
        parts = [json.dumps(answer.structured_content, ensure_ascii=False)]
    return "\n".join(parts)
