"""The server's wire without manners, for tests: a raw connection, and messages that no client should send.

`Odd(seed, uri)` makes them; the same seed makes the same. Their shapes come from lsprotocol and `kaaj_protocol`, so
that a new method or command is fuzzed without a word here.
"""

from __future__ import annotations

import asyncio
import enum
import json
import random
import re
import sys
import types as builtin_types
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

import attrs
from lsprotocol import types
from pydantic import BaseModel

from kaaj_protocol.commands import ARGUMENTS
from kaaj_server.lsp.json_values import a_list, an_object
from kaaj_server.lsp.transport import Frames, frame

Json: TypeAlias = Any
WAIT: Final = 60.0
TOKEN: Final = "a-token-of-the-test"  # noqa: S105 - of a server that lives for one test
SERVED: Final = (
    *("textDocument/didOpen", "textDocument/didChange", "textDocument/didSave", "textDocument/didClose"),
    *("textDocument/codeAction", "codeAction/resolve", "textDocument/codeLens", "workspace/executeCommand"),
    *("workspace/didChangeConfiguration", "workspace/didChangeWorkspaceFolders", "window/workDoneProgress/cancel"),
    *("initialized", "$/setTrace", "workspace/didChangeWatchedFiles"),
)
"""What Kaaj does something about; the others it only has to answer."""

_UNTOUCHED: Final = frozenset({types.INITIALIZE, types.SHUTDOWN, types.EXIT})
_TYPES: Final = cast("dict[str, tuple[Json, Json, Json, Json]]", types.METHOD_TO_TYPES)  # pyright: ignore[reportUnknownMemberType] - bare in lsprotocol
"""By method: the classes of its message, of its answer (None for a notification), of its params, of its options."""

METHODS: Final[tuple[str, ...]] = tuple(
    method
    for method in _TYPES
    if str(types.message_direction(method)) != "serverToClient" and method not in _UNTOUCHED  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - as above
)
"""Whatever a client may send while a server is up."""


def memory_of(process: int) -> tuple[int, int]:
    """Bytes of memory that a process holds now, and the most it ever held. Linux alone tells."""
    status = Path(f"/proc/{process}/status").read_text()
    now, most = (re.search(rf"{name}:\s+(\d+) kB", status) for name in ("VmRSS", "VmHWM"))
    if now is None or most is None:
        raise FileNotFoundError(f"process {process} has ended")
    return int(now[1]) * 1024, int(most[1]) * 1024


class Wire:
    """One server process and one connection to it. What it answers is counted by id."""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self.env = dict(env)
        self.folder = folder
        self.answers: dict[str, list[Json]] = {}
        self.nameless: list[Json] = []
        self.events: list[Json] = []
        self.stderr: list[str] = []
        self.reads_stderr = True
        self.ended = asyncio.Event()
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, AssertionError):
            error.add_note("\n".join(["--- stderr", *self.stderr[-30:]]))
        self.hang_up()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        transport = getattr(self.process, "_transport", None)
        if transport is not None:
            transport.close()

    # --- the two ways in -------------------------------------------------------------------------------------------

    async def over_stdio(self, *, listens: bool = True) -> Self:
        await self._launch("--stdio", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        assert self.process.stdin is not None and self.process.stdout is not None
        self.reader, self.writer = self.process.stdout, self.process.stdin
        if listens:
            self.listen()
        if self.reads_stderr:
            self.read_log()
        return self

    async def over_tcp(self, *, listens: bool = True) -> Self:
        self.env["KAAJ_TCP_TOKEN"] = TOKEN
        await self._launch("--tcp", "0")
        assert self.process.stderr is not None
        line = (await asyncio.wait_for(self.process.stderr.readline(), WAIT)).decode()
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
        assert found is not None, line
        self.port = int(found[1])
        self.read_log()
        await self.connect(listens=listens)
        return self

    async def connect(self, *, listens: bool = True) -> None:
        """A new connection to a server that listens."""
        self.ended.clear()
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        if listens:
            self.listen()

    async def _launch(self, *arguments: str, stdin: int | None = None, stdout: int | None = None) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kaaj_server", "serve", *arguments),
            stdin=stdin,
            stdout=stdout,
            stderr=asyncio.subprocess.PIPE,
            env=self.env,
            cwd=self.folder,
        )

    # --- sending and hearing ---------------------------------------------------------------------------------------

    def listen(self) -> None:
        self._tasks.append(asyncio.create_task(self._read(self.reader)))

    def read_log(self) -> None:
        self._tasks.append(asyncio.create_task(self._read_stderr()))

    async def send(self, data: bytes, wait: float = WAIT) -> bool:
        """Bytes as they stand; whether the other side took them. Raises TimeoutError where it takes nothing."""
        try:
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), wait)
        except (ConnectionError, RuntimeError):
            return False
        return True

    async def tell(self, *messages: Json) -> bool:
        return await self.send(b"".join(frame(json.dumps(one).encode()) for one in messages))

    async def ask(self, method: str, params: Json, number: str, wait: float = WAIT) -> Json:
        """The whole answer. Raises AssertionError where none comes."""
        await self.tell({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        await self.eventually(lambda: number in self.answers or self.ended.is_set(), f"an answer to {method}", wait)
        assert number in self.answers, f"the connection ended instead of an answer to {method}"
        return self.answers[number][0]

    async def begin(self, capabilities: Json) -> None:
        """`initialize` with a token, and `initialized`."""
        folder = {"uri": self.folder.as_uri(), "name": "w"}
        params = {"processId": None, "capabilities": capabilities, "workspaceFolders": [folder]}
        told = await self.ask("initialize", params | {"initializationOptions": {"token": TOKEN}}, "begin")
        assert "result" in told, told
        await self.tell({"jsonrpc": "2.0", "method": "initialized", "params": {}})

    async def is_well(self, number: str) -> None:
        """A client with manners still gets its answer."""
        told = await self.ask("workspace/executeCommand", {"command": "kaaj.snapshot", "arguments": [{}]}, number)
        assert "sessions" in told["result"], told

    async def eventually(self, happened: Callable[[], bool], what: str, wait: float = WAIT) -> None:
        try:
            async with asyncio.timeout(wait):
                while not happened():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"it never came: {what}") from None

    async def gone(self, wait: float = WAIT) -> int:
        """The exit code, once the server has ended."""
        return await asyncio.wait_for(self.process.wait(), wait)

    def hang_up(self) -> None:
        if not self.writer.is_closing():
            self.writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        frames = Frames()
        try:
            while data := await reader.read(1_048_576):
                for body in frames.feed(data):
                    await self._take(json.loads(body))
                self._changed.set()
        except ConnectionError:
            pass
        self.ended.set()
        self._changed.set()

    async def _take(self, message: Json) -> None:
        number = message.get("id")
        if "method" in message:
            if number is not None:
                await self.tell({"jsonrpc": "2.0", "id": number, "result": None})
            elif message["method"] == "kaaj/event":
                self.events.append(message["params"])
        elif number is None:
            self.nameless.append(message)
        else:
            self.answers.setdefault(str(number), []).append(message)

    async def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.stderr.append(line.decode(errors="replace").rstrip())
            del self.stderr[:-2_000]


# --- messages that no client should send ---------------------------------------------------------------------------


DEEP: Final = 100_000
_VALUES: Final[list[Json]] = json.loads(
    """[null, true, false, 0, -1, 7, 2147483648, 9223372036854775808, -1000000000000000000000000000000, 1.5, 1e308,
    NaN, Infinity, "", "x", "\\u0000", "\\ud800", "\\u202e", "file:///", "file://%zz/%00", "file://host/share",
    "untitled:1", "../../../../etc/passwd", "kaaj.start", [], {}, [[]], [null], {"": {}}, {"uri": 5}]"""
)
_VALUES.extend(["x" * 10_000, [{}] * 50])
_METHODS: Final[list[Json]] = json.loads(
    """["", "x", "$/x", "textDocument/", "kaaj/event", "workspace/applyEdit", 5, [], {}, true, "\\ud800"]"""
)
_IDS: Final[list[Json]] = json.loads("""[[], {}, [[]], true, 1.5, {"id": 1}]""")
_ANSWERED: Final[list[Json]] = json.loads("""["kaaj-1", "kaaj-2", 1, null, [], {}, "x"]""")
_NO_OBJECTS: Final[list[Json]] = json.loads(
    """[5, "x", null, true, [], [{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}]]"""
)


class Odd:
    """Messages of one seed. `sent` counts the ids that are to be answered."""

    def __init__(self, seed: int, uri: str) -> None:
        self.random = random.Random(seed)
        self.uri = uri
        self.sent: Counter[str] = Counter()
        self._seed = seed
        self._numbers: list[str] = []

    def bodies(self, count: int) -> list[bytes]:
        """The bodies of so many messages, each of which is framed well."""
        return [self._body() for _ in range(count)]

    def _body(self) -> bytes:
        kind = self.random.choices(
            (self._method, self._command, self._no_method, self._answer, self._cancel, self._no_json, self._no_object),
            (50, 30, 6, 4, 4, 4, 2),
        )[0]
        made = kind()
        return made if isinstance(made, bytes) else json.dumps(made).encode()

    def _method(self) -> Json:
        method = self.random.choice(SERVED if self.random.random() < 0.7 else METHODS)
        row = _TYPES[method]
        params = self.spoiled(self.shape(row[2])) if row[2] is not None else self.random.choice(_VALUES)
        # What has no answer type is a notification, and is sent as one for the most part.
        return self._message(method, params, asks=(row[1] is not None) is (self.random.random() < 0.95))

    def _command(self) -> Json:
        command = self.random.choice(list(ARGUMENTS))
        arguments: Json = [self.spoiled(self.shape(ARGUMENTS[command]))]
        if self.random.random() < 0.1:
            arguments = self.random.choice(_VALUES)
        return self._message("workspace/executeCommand", {"command": command, "arguments": arguments}, asks=True)

    def _no_method(self) -> Json:
        return self._message(self.random.choice(_METHODS), self.random.choice(_VALUES), asks=self.random.random() < 0.7)

    def _message(self, method: Json, params: Json, *, asks: bool) -> Json:
        message: dict[str, Json] = {"jsonrpc": "2.0", "method": method, "params": params}
        if not asks:
            return message
        draw = self.random.random()
        if draw < 0.05:
            return message | {"id": self.random.choice(_IDS)}
        number = f"{self._seed}-{len(self._numbers)}"
        if draw < 0.15 and self._numbers:
            number = self.random.choice(self._numbers)
        self._numbers.append(number)
        self.sent[number] += 1
        return message | {"id": number}

    def _answer(self) -> Json:
        return {
            "jsonrpc": "2.0",
            "id": self.random.choice(_ANSWERED),
            self.random.choice(("result", "error")): self.random.choice(_VALUES),
        }

    def _cancel(self) -> Json:
        number = self.random.choice([*_VALUES, *self._numbers[-5:]])
        return {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": self.random.choice(({"id": number}, number))}

    def _no_json(self) -> bytes:
        return self.random.choice(
            (
                b"", b"{", b"nonsense", b"\xff\xfe{}", b'{"jsonrpc": "2.0", "id": 1, "method": "\xc3"}', b"\0" * 100,
                b"[" * DEEP, b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"9" * 10_000,
                b'{"id": ' + b"[" * 900 + b"]" * 900 + b', "method": "x"}', b'{"method": "x", "params": 1e999999}',
                self.random.randbytes(self.random.randrange(3_000)),
            )
        )  # fmt: skip

    def _no_object(self) -> Json:
        return self.random.choice(_NO_OBJECTS)

    # --- shapes ----------------------------------------------------------------------------------------------------

    def spoiled(self, value: Json) -> Json:
        """The value with none to three places in it replaced, taken out or added."""
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 3))):
            value = self._spoil(value)
        return value

    def _spoil(self, value: Json) -> Json:
        copy: Json = {**an_object(value)} if isinstance(value, dict) else a_list(value)
        inner: list[Json] = list(copy) if isinstance(value, dict) else list(range(len(copy)))
        if not inner or self.random.random() < 0.15:
            return self.random.choice(_VALUES)
        key = self.random.choice(inner)
        draw = self.random.random()
        if draw < 0.1:
            del copy[key]
        elif draw < 0.2 and isinstance(value, dict):
            copy["unheardOf"] = self.random.choice(_VALUES)
        else:
            copy[key] = self._spoil(copy[key])
        return copy

    def shape(self, kind: Any, depth: int = 0) -> Json:
        """JSON that a type allows."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self.shape(inner[0], depth)
        if origin is Literal:
            return self.random.choice(inner)
        if origin in (Union, builtin_types.UnionType):
            return self.shape(self.random.choice(inner), depth)
        if origin is not None and issubclass(origin, Mapping):
            return {"a": self.shape(inner[1], depth + 1)}
        if origin is not None and issubclass(origin, Sequence):
            return [self.shape(inner[0], depth + 1) for _ in range(self.random.randrange(3) if depth < 8 else 0)]
        return self._plain(kind, depth)

    def _plain(self, kind: Any, depth: int) -> Json:
        if kind is str:
            return self.random.choice((self.uri, "cart.py", "x"))
        if kind is int:
            return self.random.randrange(4)
        if kind is bool:
            return self.random.random() < 0.5
        if kind is float:
            return self.random.random()
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return self.random.choice(list(kind)).value
        if isinstance(kind, type) and attrs.has(kind):
            hints = get_type_hints(kind)
            names: list[str] = [field.name for field in attrs.fields(kind)]
            return {_camel(name): self.shape(hints[name], depth + 1) for name in names if self._put(depth)}
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = kind.model_fields.items()
            return {field.alias or name: self.shape(field.annotation, depth + 1) for name, field in fields}
        return None if kind is type(None) else self.random.choice(_VALUES)

    def _put(self, depth: int) -> bool:
        return depth < 8 and self.random.random() < 0.9


def _camel(name: str) -> str:
    first, *rest = name.strip("_").split("_")
    return first + "".join(part.title() for part in rest)


def broken_streams(seed: int) -> list[tuple[str, bytes]]:
    """Bytes after which no message can be found any more, by name."""
    chance = random.Random(seed)
    noise = chance.randbytes(chance.randrange(9_000, 200_000)).replace(b"\r\n\r\n", b"")
    return [
        ("a header without an end", b"Content-Length: 5\r\n" + b"X-Filler: " + b"x" * 100_000),
        ("a million headers", b"X: y\r\n" * 1_000_000),
        ("a huge header that ends", b"X: " + b"x" * 60_000 + b"\r\nContent-Length: 2\r\n\r\n{}"),
        ("line ends of one byte", b"Content-Length: 2\n\n{}" * 1_000),
        ("a negative length", b"Content-Length: -1\r\n\r\n{}"),
        ("a length beyond all memory", b"Content-Length: 99999999999999999\r\n\r\n{}"),
        ("a length of 5,000 digits", b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n{}"),
        ("a length of full-width digits", "Content-Length: ５\r\n\r\nhello".encode()),
        ("a length with an exponent", b"Content-Length: 1e3\r\n\r\n{}"),
        ("no length", b"Content-Type: application/json\r\n\r\n{}"),
        ("two lengths", b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        ("a browser", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\r\n{}"),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(9_000).replace(b"\r\n\r\n", b"")),
        ("noise", noise),
        ("zeros", b"\0" * 1_000_000),
    ]
