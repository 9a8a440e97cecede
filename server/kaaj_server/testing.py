"""A fake editor for tests: it starts the real server, keeps buffers as an editor does, and remembers the wire.

::

    async with FakeEditor(workspace, NEOVIM_11, env=endpoint_env) as editor:
        uri = await editor.open("cart.py")
        started = await editor.command("kaaj.start", {"prompt": "Fix it.", "uri": uri})
        await editor.eventually(lambda: editor.questions)

Every wait is bounded, and one that fails shows the last messages of the wire and the server's stderr.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Protocol, Self, TypeAlias

from kaaj_server.lsp.transport import Frames, frame
from kaaj_server.testing_clients import EGLOT, NEOVIM_07, NEOVIM_11, VSCODE, with_events
from kaaj_server.testing_texts import edited, path_of

__all__ = [
    "EGLOT",
    "NEOVIM_07",
    "NEOVIM_11",
    "VSCODE",
    "FakeEditor",
    "NewEditor",
    "Obeys",
    "RpcError",
    "edited",
    "path_of",
    "unanswered",
    "with_events",
]

Json: TypeAlias = Any
Obeys: TypeAlias = Literal["applies", "refuses", "never answers", "lies", "answers late", "tells when idle"]
"""What the editor does with `workspace/applyEdit`. `lies`: says applied, and does nothing. `tells when idle`: does not
tell of its new text while it waits for an answer, as eglot.
"""

_WAIT: Final = 20.0


def unanswered(_: Sequence[str]) -> None:
    """A person who never answers a question."""


class NewEditor(Protocol):
    """What the fixture `new_editor` gives: an editor for the test's workspace and endpoint."""

    def __call__(
        self,
        *,
        capabilities: Json = NEOVIM_11,
        settings: Json = None,
        options: Json = None,
        obeys: Obeys = "applies",
        answer: Callable[[Sequence[str]], str | None] = unanswered,
        answers_configuration: bool = True,
    ) -> FakeEditor: ...


class RpcError(Exception):
    """An error that the server answered."""

    def __init__(self, error: Mapping[str, Json]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Json = error.get("data")


@dataclass
class FakeEditor:
    """One editor with one server. `answer` chooses a title of a question, None leaves it unanswered for ever."""

    workspace: Path
    capabilities: Json = field(default_factory=lambda: NEOVIM_11)
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Json = None
    options: Json = None
    obeys: Obeys = "applies"
    answer: Callable[[Sequence[str]], str | None] = unanswered
    answers_configuration: bool = True
    command_line: Sequence[str] = (sys.executable, "-m", "kaaj_server", "serve", "--stdio")

    def __post_init__(self) -> None:
        self.buffers: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.wire: list[str] = []
        self.events: list[Json] = []
        self.questions: list[Json] = []
        self.messages: list[Json] = []
        self.progress: list[Json] = []
        self.shown: list[Json] = []
        self.edits: list[Json] = []
        self.withdrawn: list[Json] = []
        self.diagnosed: list[Json] = []
        self.diagnose: Callable[[str | None], Json] = lambda _: {"files": []}
        """What is answered to `kaaj/diagnostics`, None: nothing, ever."""
        self.refreshed = 0
        self.encoding = "utf-16"
        self.initialized: Json = None
        self.stderr: list[str] = []
        self._typed: dict[str, list[Json]] = {}
        self._numbers = count(1)
        self._open: dict[int, asyncio.Future[Json]] = {}
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- the server's life -----------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.launch()
        await self.initialize()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.returncode is None and kind is None:
            await self.shut_down()
        await self.kill()
        if isinstance(error, (AssertionError, TimeoutError, RpcError)):
            error.add_note(self.report())

    async def launch(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *self.command_line,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(self.env),
            cwd=self.workspace,
        )
        self._own(self._read())
        self._own(self._read_stderr())

    async def initialize(self) -> Json:
        params = {
            "processId": None,
            "rootUri": self.workspace.as_uri(),
            "workspaceFolders": [{"uri": self.workspace.as_uri(), "name": self.workspace.name}],
            "capabilities": self.capabilities,
        }
        self.initialized = await self.request(
            "initialize", params | ({} if self.options is None else {"initializationOptions": self.options})
        )
        self.encoding = self.initialized["capabilities"].get("positionEncoding", "utf-16")
        self.notify("initialized", {})
        return self.initialized

    async def shut_down(self) -> int:
        await self.request("shutdown", None)
        self.notify("exit", None)
        return await asyncio.wait_for(self.process.wait(), _WAIT)

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        transport = getattr(self.process, "_transport", None)  # closes the pipes' ends, or they warn when collected
        if transport is not None:
            transport.close()

    # --- asking ----------------------------------------------------------------------------------------------------

    async def request(self, method: str, params: Json, wait: float = _WAIT) -> Json:
        """Raises RpcError where the server answers one."""
        number, future = self.send_request(method, params)
        try:
            return await asyncio.wait_for(future, wait)
        except TimeoutError:
            raise AssertionError(f"no answer to {method} ({number}) in {wait} s") from None

    def send_request(self, method: str, params: Json) -> tuple[int, asyncio.Future[Json]]:
        number = next(self._numbers)
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._open[number] = future
        self._send({"id": number, "method": method, "params": params})
        return number, future

    def notify(self, method: str, params: Json) -> None:
        self._send({"method": method, "params": params})

    async def command(self, name: str, *arguments: Json, wait: float = _WAIT) -> Json:
        return await self.request("workspace/executeCommand", {"command": name, "arguments": list(arguments)}, wait)

    async def eventually(self, happened: Callable[[], Any], what: str = "", wait: float = _WAIT) -> Any:
        """The first true value of `happened`, which is looked at after each message."""
        deadline = time.monotonic() + wait
        while not (value := happened()):
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"it never happened: {what or 'the condition'}")
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), min(left, 0.2))
            except TimeoutError:
                continue
        return value

    def event(self, kind: str, **fields: Json) -> Json | None:
        """The newest event of a type, with these fields."""
        return next(
            (e for e in reversed(self.events) if e["type"] == kind and all(e.get(k) == v for k, v in fields.items())),
            None,
        )

    def change(self, state: str) -> Json | None:
        """The newest change, if its state is this one."""
        newest = self.event("change")
        return newest["change"] if newest is not None and newest["change"]["state"] == state else None

    # --- buffers ---------------------------------------------------------------------------------------------------

    def uri(self, name: str) -> str:
        return (self.workspace / name).as_uri()

    async def open(self, name: str, text: str | None = None) -> str:
        """Open a file of the workspace; `text` is what stands in the buffer where that is not what is on disk."""
        path = self.workspace / name
        if text is None:
            text = await asyncio.to_thread(lambda: path.read_bytes().decode())
        self.open_uri(path.as_uri(), text)
        return path.as_uri()

    def open_uri(self, uri: str, text: str) -> None:
        self.buffers[uri], self.versions[uri] = text, 1
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def edit(self, uri: str, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """One incremental change, as typing makes it."""
        place = {
            "start": {"line": start[0], "character": start[1]},
            "end": {"line": end[0], "character": end[1]},
        }
        self.buffers[uri] = edited(self.buffers[uri], [{"range": place, "newText": text}], self.encoding)
        self.versions[uri] += 1
        document = {"uri": uri, "version": self.versions[uri]}
        changes = [{"range": place, "text": text}]
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def type_key(self, uri: str, line: int, character: int, text: str) -> None:
        """As `edit`, in no time for a long text: the buffer is put together when `text` asks for it."""
        place = {"line": line, "character": character}
        span = {"start": place, "end": place}
        self._typed.setdefault(uri, []).append({"range": span, "newText": text})
        self.versions[uri] += 1
        document = {"uri": uri, "version": self.versions[uri]}
        changes = [{"range": span, "text": text}]
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def text(self, uri: str) -> str:
        """The buffer, with what `type_key` typed."""
        for one in self._typed.pop(uri, ()):
            self.buffers[uri] = edited(self.buffers[uri], [one], self.encoding)
        return self.buffers[uri]

    def close(self, uri: str) -> None:
        del self.buffers[uri], self.versions[uri]
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    # --- what the server asks --------------------------------------------------------------------------------------

    async def _asked(self, number: Json, method: str, params: Json) -> None:
        match method:
            case "workspace/configuration":
                if not self.answers_configuration:
                    return
                result: Json = [self.settings if row.get("section") == "kaaj" else None for row in params["items"]]
            case "window/showMessageRequest":
                self.questions.append(params)
                title = self.answer([action["title"] for action in params.get("actions") or ()])
                if title is None:
                    return
                result = {"title": title}
            case "workspace/applyEdit":
                self.edits.append(params)
                applied = await self._obey(params["edit"])
                if applied is None:
                    return
                result = {"applied": applied} | ({} if applied else {"failureReason": "no"})
            case "kaaj/diagnostics":
                self.diagnosed.append(params)
                result = self.diagnose(params.get("uri"))
                if result is None:
                    return
            case "workspace/codeLens/refresh":
                self.refreshed += 1
                result = None
            case "window/showDocument":
                self.shown.append(params)
                result = {"success": True}
            case _:
                result = None
        self._send({"id": number, "result": result})

    async def _obey(self, edit: Json) -> bool | None:
        match self.obeys:
            case "applies" | "tells when idle":
                return await self.apply(edit)
            case "refuses":
                return False
            case "lies":
                return True
            case "never answers":
                return None
            case "answers late":
                await asyncio.sleep(0.5)
                return await self.apply(edit)

    async def apply(self, edit: Json) -> bool:
        """Do a WorkspaceEdit as an editor does: all of it, or nothing where a version is not the buffer's."""
        rows: list[Json] = list(edit.get("documentChanges") or ())
        changes: dict[str, Json] = edit.get("changes") or {}
        for uri, edits in changes.items():
            rows.append({"textDocument": {"uri": uri, "version": None}, "edits": edits})
        for row in rows:
            version = row.get("textDocument", {}).get("version")
            if version is not None and version != self.versions.get(row["textDocument"]["uri"]):
                return False
        for row in rows:
            await self._apply_row(row)
        return True

    async def _apply_row(self, row: Json) -> None:
        match row.get("kind"):
            case None:
                uri = row["textDocument"]["uri"]
                if uri not in self.buffers:
                    text = await asyncio.to_thread(lambda: path_of(uri).read_bytes().decode())
                    self.open_uri(uri, text)
                self._replace(uri, edited(self.buffers[uri], row["edits"], self.encoding))
            case "create":
                path = path_of(row["uri"])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            case "delete":
                if row["uri"] in self.buffers:
                    self.close(row["uri"])
                path_of(row["uri"]).unlink()
            case _:
                held = self.buffers.get(row["oldUri"])
                if held is not None:
                    self.close(row["oldUri"])
                path_of(row["oldUri"]).rename(path_of(row["newUri"]))
                if held is not None:
                    self.open_uri(row["newUri"], held)

    def _replace(self, uri: str, text: str) -> None:
        self.buffers[uri] = text
        self.versions[uri] += 1
        document = {"uri": uri, "version": self.versions[uri]}
        changed = {"textDocument": document, "contentChanges": [{"text": text}]}
        if self.obeys == "tells when idle":
            self._own(self._tell_when_idle(changed))
        else:
            self.notify("textDocument/didChange", changed)

    async def _tell_when_idle(self, changed: Json) -> None:
        while self._open:
            self._changed.clear()
            await self._changed.wait()
        self.notify("textDocument/didChange", changed)

    # --- the wire --------------------------------------------------------------------------------------------------

    def _send(self, message: dict[str, Json]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message})
        self.wire.append(f"→ {body[:400]}")
        self.send_bytes(frame(body.encode()))

    def send_bytes(self, data: bytes) -> None:
        """Anything, as it stands, onto the server's input."""
        pipe = self.process.stdin
        if pipe is not None and not pipe.is_closing():
            pipe.write(data)

    async def _read(self) -> None:
        pipe = self.process.stdout
        frames = Frames()
        while pipe is not None and (data := await pipe.read(65_536)):
            for body in frames.feed(data):
                self.wire.append(f"← {body[:400].decode(errors='replace')}")
                self._take(json.loads(body))
                self._changed.set()
        for future in self._open.values():
            if not future.done():
                future.set_exception(AssertionError("the server is gone"))
                future.exception()
        self._changed.set()

    def _take(self, message: Json) -> None:
        method = message.get("method")
        if method is None:
            future = self._open.pop(message.get("id"), None)
            if future is not None and not future.done():
                if "error" in message:
                    future.set_exception(RpcError(message["error"]))
                else:
                    future.set_result(message["result"])
        elif "id" in message:
            self._own(self._asked(message["id"], method, message.get("params")))
        else:
            kept = {
                "kaaj/event": self.events,
                "window/showMessage": self.messages,
                "$/progress": self.progress,
                "$/cancelRequest": self.withdrawn,
            }.get(method)
            if kept is not None:
                kept.append(message["params"])

    async def _read_stderr(self) -> None:
        pipe = self.process.stderr
        while pipe is not None and (line := await pipe.readline()):
            self.stderr.append(line.decode(errors="replace").rstrip())

    def _own(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def report(self) -> str:
        """The end of the wire and of stderr, for a test that fails."""
        return "\n".join(["", "--- wire", *self.wire[-60:], "--- stderr", *self.stderr[-40:]])
