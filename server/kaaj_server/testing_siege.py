"""What a server has to live through on its wire, for the tests in `tests/e2e` (short) and `tests/torture` (long).

Each siege starts servers of its own, ends them, and raises AssertionError where one hung, grew, forgot an answer or
broke inside. It returns how many messages or streams it sent.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from kaaj_agent.testing import ScriptedEndpoint, answer
from kaaj_server.lsp.transport import MESSAGE_MAX, frame
from kaaj_server.testing import NEOVIM_11, VSCODE, with_events
from kaaj_server.testing_wire import TOKEN, Odd, Wire, memory_of

Json: TypeAlias = Any
Way: TypeAlias = Literal["stdio", "tcp"]
Stream: TypeAlias = tuple[str, bytes]
MEMORY_MAX: Final = 512 * 1024 * 1024
"""Bytes that no siege may bring a server to; it begins with about 75 MB."""
_STRANGERS_MAX: Final = 160 * 1024 * 1024
_INTERNAL: Final = -32603
_EACH: Final = 300


@asynccontextmanager
async def yard(folder: Path) -> AsyncGenerator[tuple[dict[str, str], Path]]:
    """An environment and a workspace for servers, with an endpoint that says `Done.` to everything."""
    workspace = (folder / "w").resolve()
    await asyncio.to_thread(workspace.mkdir)
    await asyncio.to_thread((workspace / "cart.py").write_text, "def total(prices):\n    return sum(prices)\n")
    said = replace(answer("Done."), usage={"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12})
    async with ScriptedEndpoint(last=said) as endpoint:
        env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {
            "HOME": str(folder / "home"),
            "KAAJ_BASE_URL": endpoint.base_url,
            "KAAJ_MODEL": "scripted",
            "KAAJ_STATE_DIR": str(folder / "state"),
        }
        yield env, workspace


async def _up(
    env: Mapping[str, str], folder: Path, way: Way, *, listens: bool = True, reads_stderr: bool = True
) -> Wire:
    """A server that is up, and a connection to it."""
    wire = Wire(env, folder)
    wire.reads_stderr = reads_stderr
    return await (wire.over_stdio(listens=listens) if way == "stdio" else wire.over_tcp(listens=listens))


def _bounded(wire: Wire, most: int = MEMORY_MAX) -> None:
    peak = memory_of(wire.process.pid)[1]
    assert peak <= most, f"the server took {peak / 1_048_576:.0f} MB"


async def odd_messages(env: Mapping[str, str], folder: Path, way: Way, seeds: Iterable[int]) -> int:
    """Messages that are framed well and hold anything at all. One server lives through all of them."""
    count = 0
    async with await _up(env, folder, way) as wire:
        await wire.begin(with_events(VSCODE) if way == "stdio" else NEOVIM_11)
        await wire.is_well("before")
        for seed in seeds:
            odd = Odd(seed, (folder / "cart.py").as_uri())
            bodies = odd.bodies(_EACH)
            await wire.send(b"".join(map(frame, bodies)))
            await wire.is_well(f"well-{seed}")
            sent, all_came = odd.sent, partial(_all_came, wire.answers, odd.sent)
            await wire.eventually(all_came, f"an answer to each message of seed {seed}")
            for number, times in sent.items():
                told = wire.answers.pop(number)
                assert len(told) == times, (seed, number, told)
                assert not [one for one in told if one.get("error", {}).get("code") == _INTERNAL], (seed, told)
            _bounded(wire)
            count += len(bodies)
        assert not [line for line in wire.stderr if "Traceback" in line], wire.stderr[-60:]
    return count


def _all_came(answers: Mapping[str, list[Json]], sent: Mapping[str, int]) -> bool:
    return all(len(answers.get(number, ())) >= times for number, times in sent.items())


async def broken_framing(env: Mapping[str, str], folder: Path, way: Way, streams: Sequence[Stream]) -> int:
    """Streams in which no message can be found any more, after `initialize`: the server lets go and ends."""
    for name, stream in streams:
        async with await _up(env, folder, way) as wire:
            await wire.begin(NEOVIM_11)
            await wire.send(stream)
            assert await wire.gone() == 1, name
            assert not [line for line in wire.stderr if "Traceback" in line], (name, wire.stderr[-40:])
    return len(streams)


async def broken_strangers(env: Mapping[str, str], folder: Path, streams: Sequence[Stream]) -> int:
    """The same from clients that have shown no token: a listener hangs up, and serves the next one."""
    async with await _up(env, folder, "tcp") as wire:
        for name, stream in streams:
            await wire.send(stream)
            try:
                await asyncio.wait_for(wire.ended.wait(), 10)
            except TimeoutError:
                raise AssertionError(f"the server did not hang up after {name}") from None
            assert wire.process.returncode is None, name
            wire.hang_up()
            await wire.connect()
        await wire.begin(NEOVIM_11)
        await wire.is_well("next")
        _bounded(wire, _STRANGERS_MAX)
        assert not [line for line in wire.stderr if "Traceback" in line], wire.stderr[-40:]
    return len(streams)


async def notified(env: Mapping[str, str], folder: Path, count: int) -> None:
    """Notifications for as long as an editor may stay open: none of them counts as a request that waits."""
    changed = {"jsonrpc": "2.0", "method": "workspace/didChangeConfiguration", "params": {"settings": None}}
    async with await _up(env, folder, "stdio") as wire:
        await wire.begin(NEOVIM_11)
        for number in range(0, count, 400):
            await wire.tell(*[changed] * 400)
            await wire.is_well(f"well-{number}")


async def flood(env: Mapping[str, str], folder: Path, way: Way, count: int, *, cancels: bool) -> int:
    """Requests faster than they are answered, each cancelled at once or not. Every one is answered, once."""
    uri = (folder / "cart.py").as_uri()
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}
    document = {"textDocument": {"uri": uri}}
    kinds: list[tuple[str, Json]] = [
        ("textDocument/codeLens", document),
        ("textDocument/codeAction", document | {"range": place, "context": {"diagnostics": []}}),
        ("workspace/executeCommand", {"command": "kaaj.snapshot", "arguments": []}),
        ("workspace/executeCommand", {"command": "kaaj.cancel", "arguments": [{"task": "none"}]}),
        ("no/such/method", None),
    ]
    async with await _up(env, folder, way) as wire:
        await wire.begin(with_events(VSCODE))
        rows: list[Json] = []
        for number in range(count):
            method, params = kinds[number % len(kinds)]
            rows.append({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            if cancels:
                rows.append({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": number}})
        await wire.tell(*rows)
        await wire.eventually(lambda: len(wire.answers) >= count + 1, "an answer to each of a flood", 120)
        assert all(len(wire.answers[str(number)]) == 1 for number in range(count))
        await wire.is_well("after")
        _bounded(wire)
        told = await wire.ask("shutdown", None, "down")
        assert told["result"] is None
        await wire.tell({"jsonrpc": "2.0", "method": "exit"})
        assert await wire.gone() == 0
    return count


async def deaf_client(env: Mapping[str, str], folder: Path, way: Way) -> int:
    """A client that asks and asks and fetches no answer: the server stops taking before it grows, and goes on once
    the client listens.
    """
    async with await _up(env, folder, way) as wire:
        await wire.begin(NEOVIM_11)
        await wire.is_well("before")
    sent = 0
    async with await _up(env, folder, way, listens=False) as wire:
        capabilities: Json = {"processId": None, "capabilities": {}, "initializationOptions": {"token": TOKEN}}
        await wire.tell({"jsonrpc": "2.0", "id": "begin", "method": "initialize", "params": capabilities})
        await wire.tell({"jsonrpc": "2.0", "method": "initialized", "params": {}})
        name = "x" * 20_000  # it comes back in the answer
        stalled = False
        while not stalled and sent < 20_000:
            params: Json = {"command": name, "arguments": []}
            row: Json = {"jsonrpc": "2.0", "id": sent, "method": "workspace/executeCommand", "params": params}
            sent += 1
            try:
                await wire.send(frame(json.dumps(row).encode()), wait=3.0)
            except TimeoutError:
                stalled = True
        assert stalled, f"{sent} requests of 20 KB were taken without an answer being fetched"
        _bounded(wire)
        wire.listen()
        await wire.eventually(lambda: len(wire.answers) >= sent, "the answers, once they are fetched", 120)
        await wire.is_well("after")
    return sent


async def too_large(env: Mapping[str, str], folder: Path, way: Way) -> int:
    """A message over the limit is read past without being held, and the next one is understood."""
    async with await _up(env, folder, way) as wire:
        await wire.begin(NEOVIM_11)
        await wire.is_well("before")
        before = memory_of(wire.process.pid)[1]
        await wire.send(frame(b"[" * (MESSAGE_MAX * 3 // 2)))
        await wire.is_well("after")
        assert "left out" in wire.nameless[-1]["error"]["message"], wire.nameless[-1:]
        assert memory_of(wire.process.pid)[1] < before + 32 * 1_048_576
        await wire.send(frame(b"[" * (MESSAGE_MAX - 1)))  # as large as can be, and no JSON
        await wire.is_well("again")
        _bounded(wire)
    return 2


async def out_of_turn(env: Mapping[str, str], folder: Path) -> int:
    """Everything before `initialize`, `initialize` twice, and everything after `shutdown`."""
    odd = Odd(0, (folder / "cart.py").as_uri())
    async with await _up(env, folder, "stdio") as wire:
        bodies = odd.bodies(_EACH)
        await wire.send(b"".join(map(frame, bodies)))
        told = await wire.ask("workspace/executeCommand", {"command": "kaaj.snapshot"}, "early")
        assert told["error"]["code"] == -32002
        await wire.begin(NEOVIM_11)
        again = await wire.ask("initialize", {"capabilities": {}}, "twice")
        assert "twice" in again["error"]["message"]
        await wire.is_well("between")
        assert (await wire.ask("shutdown", None, "down"))["result"] is None
        await wire.send(b"".join(map(frame, Odd(1, "x").bodies(_EACH))))
        late = await wire.ask("textDocument/codeLens", {}, "late")
        assert late["error"]["code"] == -32600
        await wire.tell({"jsonrpc": "2.0", "method": "exit"})
        assert await wire.gone() == 0
        assert not [line for line in wire.stderr if "Traceback" in line], wire.stderr[-60:]
    return 2 * _EACH


async def unread_log(env: Mapping[str, str], folder: Path) -> int:
    """Complaints by the thousand to a client that reads the answers, and never the server's stderr."""
    async with await _up(env, folder, "stdio", reads_stderr=False) as wire:
        await wire.begin(NEOVIM_11)
        rows: list[Json] = [{"jsonrpc": "2.0", "method": f"no/such/{number}"} for number in range(5_000)]
        await wire.tell(*rows)
        await wire.is_well("after")
        _bounded(wire)
        assert (await wire.ask("shutdown", None, "down"))["result"] is None
        await wire.tell({"jsonrpc": "2.0", "method": "exit"})
        await asyncio.wait_for(wire.ended.wait(), 60)  # its stdout is closed, so it has ended unread
        wire.read_log()
        assert await wire.gone() == 0
    return len(rows)
