"""Leases on a shared server: against a fake child that serves no model."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kaaj_agent.embedded import machine
from kaaj_agent.embedded.home import Address, Home
from kaaj_agent.embedded.lease import Lease, acquire
from kaaj_agent.embedded.models import QWEN_0_5B, QWEN_1_5B, installed
from kaaj_agent.failures import ModelError

CHILD = textwrap.dedent("""
    import sys, threading, time
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from pathlib import Path
    from kaaj_agent.embedded.home import Home
    from kaaj_agent.embedded.serve import Started, hold

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            right = self.headers["Authorization"] == "Bearer " + self.server.token
            self.send_response(200 if right else 401)
            self.end_headers()
        def log_message(self, *arguments):
            pass

    def start(token):
        server = HTTPServer(("127.0.0.1", 0), Handler)
        server.token = token
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return Started(f"http://127.0.0.1:{server.server_port}", "", 4096)

    sys.exit(hold(Home(Path(sys.argv[1])), start, linger=float(sys.argv[2]), poll=0.05))
""")


@dataclass
class World:
    """A state folder and the command that starts the fake server in it."""

    state: Path
    script: Path
    linger: float = 0.1
    leases: list[Lease] = field(default_factory=list[Lease])

    @property
    def home(self) -> Home:
        return Home.of(self.state, QWEN_0_5B.name)

    @property
    def command(self) -> list[str]:
        return [sys.executable, str(self.script), str(self.home.folder), str(self.linger)]

    async def acquire(self) -> Lease:
        lease = await acquire(QWEN_0_5B, state=self.state, command=self.command)
        self.leases.append(lease)
        return lease

    async def gone(self) -> None:
        async with asyncio.timeout(30):
            while self.home.is_alive():
                await asyncio.sleep(0.02)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    made = World(tmp_path / "state", script)
    yield made
    for lease in made.leases:
        await lease.release()
    await made.gone()


async def test_started_on_first_use_shared_and_ended_with_the_last_user(world: World) -> None:
    first = await world.acquire()
    second = await world.acquire()
    assert (first.pid, first.base_url, first.context) == (second.pid, second.base_url, 4096)
    assert first.base_url == f"{first.native_url}/v1"
    await first.release()
    await first.release()
    assert world.home.is_alive()
    async with second:
        pass
    await world.gone()
    assert world.home.address() is None
    assert not list((world.home.folder / "leases").iterdir())


async def test_many_at_once_start_one_server(world: World) -> None:
    leases = await asyncio.gather(*(world.acquire() for _ in range(5)))
    assert len({lease.pid for lease in leases}) == 1


async def test_a_user_that_is_killed_counts_no_more(world: World) -> None:
    holder = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom kaaj_agent.embedded.lease import acquire\n"
        "async def main():\n"
        "    lease = await acquire('qwen2.5-coder-0.5b', state=Path(sys.argv[1]), command=sys.argv[2:])\n"
        "    print(lease.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", holder, str(world.state), *world.command, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert int(await process.stdout.readline()) > 0
    assert world.home.is_alive()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await world.gone()


async def test_a_server_that_was_killed_is_started_anew(world: World) -> None:
    first = await world.acquire()
    os.kill(first.pid, signal.SIGKILL)
    await world.gone()
    second = await world.acquire()
    assert second.pid != first.pid


async def test_the_address_is_for_this_user_alone(world: World) -> None:
    lease = await world.acquire()
    assert lease.api_key
    assert lease.api_key not in repr(lease)
    if os.name == "posix":
        assert (world.home.folder / "server.json").stat().st_mode & 0o777 == 0o600
        assert world.home.folder.stat().st_mode & 0o777 == 0o700


async def test_a_child_that_dies_is_quoted(world: World) -> None:
    world.script.write_text("import sys; print('warming up'); sys.exit('no such instruction')")
    with pytest.raises(ModelError, match=r"code 1: warming up \| no such instruction"):
        await world.acquire()


async def test_cancelling_leaves_no_lease(world: World) -> None:
    world.script.write_text("import time; time.sleep(0.5)")
    task = asyncio.create_task(world.acquire())
    async with asyncio.timeout(20):
        while not world.home.log.exists():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not list((world.home.folder / "leases").iterdir())


async def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"

    def nothing(_name: str) -> None:
        return None

    def something(_name: str) -> object:
        return object()

    monkeypatch.setattr(importlib.util, "find_spec", nothing)
    with pytest.raises(ModelError) as failed:
        await acquire(QWEN_0_5B, folder=tmp_path, state=state)
    assert "kaaj[local]" in failed.value.hint
    monkeypatch.setattr(importlib.util, "find_spec", something)
    with pytest.raises(ModelError, match="not on this machine") as failed:
        await acquire(QWEN_0_5B, folder=tmp_path, state=state)
    assert "kaaj model pull qwen2.5-coder-0.5b" in failed.value.hint
    with (tmp_path / QWEN_0_5B.file).open("wb") as file:
        file.truncate(QWEN_0_5B.size)
    monkeypatch.setattr(machine, "available_memory", lambda: 100_000_000)
    with pytest.raises(ModelError, match="GiB of memory"):
        await acquire(QWEN_0_5B, folder=tmp_path, state=state)


async def test_a_state_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be used"):
        await acquire(QWEN_0_5B, state=tmp_path / "file")


def test_an_address_that_makes_no_sense_is_none(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.publish(Address(1, "http://127.0.0.1:1", "t", "", 1))
    assert home.address() == Address(1, "http://127.0.0.1:1", "t", "", 1)
    for text in ("", "[]", "{}", '{"pid": 1}'):
        (tmp_path / "server.json").write_text(text)
        assert home.address() is None, text


GIB = 1024**3


@pytest.mark.parametrize(
    ("available", "context"),
    [(None, 8192), (64 * GIB, 32768), (8 * GIB, 16384), (2 * GIB, 8192), (int(1.7 * GIB), 4096), (GIB, None)],
)
def test_settings_fit_the_memory(available: int | None, context: int | None) -> None:
    settings = machine.choose(QWEN_1_5B, available, 2)
    assert (settings.context if settings else None) == context
    if settings and available:
        assert machine.memory_needed(QWEN_1_5B, settings.context) <= available


def test_this_machine() -> None:
    assert 1 <= machine.physical_cores() <= (os.cpu_count() or 1)
    memory = machine.available_memory()
    assert memory is None or memory > 0


@pytest.mark.embedded
@pytest.mark.skipif(installed(QWEN_0_5B) is None, reason="the small embedded model is not on this machine")
async def test_the_real_server(tmp_path: Path) -> None:
    from kaaj_agent.embedded.scorer import LlamaScorer
    from kaaj_agent.ports import Message

    code = "def total(values):\n    result = 0\n    for value in values:\n        result -= value\n    return result\n"
    async with await acquire(QWEN_0_5B, state=tmp_path) as lease:
        fast = LlamaScorer(lease.native_url, lease.api_key, lease.scan_url)
        slow = LlamaScorer(lease.native_url, lease.api_key)
        try:
            question = f"```python\n{code}```\n\nIt must add the values up. Write the corrected code."
            prompt = await fast.render([Message("user", question)], "```python\n")
            tokens = await fast.tokenize(code)
            assert b"".join(await fast.text_of(tokens)).decode() == code
            quick = await fast.scan(prompt, tokens, 6)
            assert len(quick) == len(tokens)
            fault = next(i for i, data in enumerate(await fast.text_of(tokens)) if b"-=" in data)
            steps = await slow.scan([*prompt, *tokens[:fault]], tokens[fault : fault + 2], 6)
            for a, b in zip(quick[fault : fault + 2], steps, strict=True):
                assert a[0].token == b[0].token
                assert a[0].logprob == pytest.approx(b[0].logprob, abs=0.6)
            assert " +=" in [alternative.text for alternative in quick[fault][:3]]
            prefixes = [[*prompt, *tokens[:at]] for at in (fault, fault + 1)]
            assert await fast.finish_lines(prefixes, 20) == await slow.finish_lines(prefixes, 20)
        finally:
            await fast.close()
            await slow.close()
