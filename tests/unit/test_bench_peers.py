"""The comparison with peers: what its door counts, what each agent is told, what the table says."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bench.peers.agents import AGENTS, Job
from tests.bench.peers.proxy import Count, Proxy, asking_usage, cost, cost_of_tokens
from tests.bench.peers.runs import Line, append, fingerprint, lines_of, remaining
from tests.bench.peers.table import markdown

from kaaj_server.cli.eval_task import EvalTask, read_task

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
TIMINGS = {"timings": {"cache_n": 90, "prompt_n": 10, "predicted_n": 7}}
USAGE = {"usage": {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 90}}}


def chunked(body: bytes, cuts: list[int]) -> bytes:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    parts = [body[left:right] for left, right in itertools.pairwise(places)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize("told", [TIMINGS, USAGE])
def test_a_plain_answer_is_counted_by_what_the_endpoint_says(told: dict[str, object]) -> None:
    assert cost(b"{}", HEAD + b"\r\n" + json.dumps(told).encode()) == Count(1, 100, 90, 7)


@given(st.lists(st.integers(0, 10_000), max_size=8))
def test_a_stream_is_counted_alike_however_it_is_cut_into_chunks(cuts: list[int]) -> None:
    deltas: list[dict[str, object]] = [{"choices": [{"delta": {"content": "a"}}]}, {"choices": [], **TIMINGS}]
    body = b"".join(b"data: " + json.dumps(delta).encode() + b"\n\n" for delta in deltas) + b"data: [DONE]\n\n"
    reply = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, cuts)
    assert cost(b"{}", reply) == Count(1, 100, 90, 7)


def test_a_stream_is_asked_for_its_usage_and_nothing_else_is_changed() -> None:
    asked = json.loads(asking_usage(b'{"stream": true, "model": "m", "n": 1}'))
    assert asked == {"stream": True, "model": "m", "n": 1, "stream_options": {"include_usage": True}}
    for body in (b'{"stream": false}', b'{"stream": true, "stream_options": {"include_usage": false}}', b"no json"):
        assert asking_usage(body) == body


def test_a_refusal_costs_a_request_and_no_tokens() -> None:
    assert cost(b"{}", b"HTTP/1.1 400 Bad Request\r\n\r\n{}") == Count(1, refused=1)


def test_a_reply_that_was_cut_is_estimated_and_said_to_be() -> None:
    body = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n' * 3
    assert cost(b"x" * 400, HEAD + b"\r\n" + body, whole=False) == Count(1, 100, 0, 3, cut=1)


def test_the_token_level_service_is_counted_in_tokens() -> None:
    asked = json.dumps({"prefix": [1] * 50, "tokens": [2] * 20, "count": 6}).encode()
    held: list[int] = []
    assert cost_of_tokens(asked, HEAD + b'\r\n{"rows": []}', held) == Count(1, 70)
    assert cost_of_tokens(asked, HEAD + b'\r\n{"rows": []}', held) == Count(1, 70, 70)  # its engine held them all
    held = [1, 2, 9]
    asked = json.dumps({"prefixes": [[1, 2, 3, 4], [1, 2, 3, 5, 6]], "limit": 9}).encode()
    reply = json.dumps({"lines": [list(b"abcd" * 2), list(b"abcd")]}).encode()
    assert cost_of_tokens(asked, HEAD + b"\r\n" + reply, held) == Count(1, 9, 2 + 3, 3)
    assert cost_of_tokens(asked, b"HTTP/1.1 413 Too Large\r\n\r\n{}", held) == Count(1, refused=1)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@asynccontextmanager
async def far(reply: bytes, seen: list[bytes]) -> AsyncGenerator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        seen.append(head + await reader.readexactly(size))
        writer.write(reply)
        await writer.drain()
        if b"Content-Length" in reply:
            await hang_up(writer)
        else:  # a stream that goes on: until the other side is gone
            seen.append(await reader.read())
            await hang_up(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def asked(
    url: str, key: str, path: str = "/v1/chat/completions", size: int = -1
) -> tuple[bytes, asyncio.StreamWriter]:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = b'{"messages": []}'
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    return await reader.read(size), writer


async def test_the_door_gives_the_far_key_and_counts_only_what_asks_the_model() -> None:
    body = json.dumps(TIMINGS).encode()
    seen: list[bytes] = []
    async with far(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body, seen) as root:
        proxy = Proxy("near", "far-secret")
        url = await proxy.open(root)
        for path in ("/v1/chat/completions", "/tokenize", "/completion"):
            said, writer = await asked(url, "near", path)
            assert said.startswith(b"HTTP/1.1 200")
            await hang_up(writer)
        assert b"Bearer far-secret" in seen[0]
        assert seen[0].endswith(b'{"messages": []}')
        assert await proxy.take() == Count(2, 200, 180, 14)
        assert await proxy.take() == Count()
        await proxy.close()


async def test_the_door_is_shut_without_its_key() -> None:
    seen: list[bytes] = []
    async with far(b"", seen) as root:
        proxy = Proxy("near", "far-secret")
        said, writer = await asked(await proxy.open(root), "guess")
        assert said.startswith(b"HTTP/1.1 401")
        assert not seen
        await hang_up(writer)
        await proxy.close()


async def test_a_client_that_hangs_up_ends_the_far_request_too() -> None:
    seen: list[bytes] = []
    async with far(HEAD + b'\r\ndata: {"choices": [{"delta": {"content": "a"}}]}\n\n', seen) as root:
        proxy = Proxy("near", "far-secret")
        _, writer = await asked(await proxy.open(root), "near", size=10)
        await hang_up(writer)
        count = await proxy.take()
        assert (count.cut, count.completion_tokens) == (1, 1)
        while len(seen) < 2:  # the far side has read the end
            await asyncio.sleep(0.01)
        await proxy.close()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folder = tmp_path / "a"
    (folder / "workspace").mkdir(parents=True)
    (folder / "task.toml").write_text('prompt = "mend it"\ncheck = "run-tests"\ntimeout = 5\n')
    home = tmp_path / "home"
    home.mkdir()
    task = read_task(folder, "a")
    return Job(task, folder / "workspace", home, tmp_path / "state", "http://127.0.0.1:9/v1", "the-key", "m", 32_768)


@pytest.mark.parametrize("name", list(AGENTS))
def test_every_agent_is_told_the_task_the_check_the_model_and_the_door(
    name: str, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SECRET", "x")
    start = AGENTS[name].start(job)
    given = " ".join([*start.argv, start.stdin])
    assert "mend it" in given
    assert "run-tests" in given
    assert job.model in given
    assert job.base_url in given or name == "kaaj"  # Kaaj finds the door in its state folder
    assert "SOME_SECRET" not in start.environ


def test_what_agents_leave_beside_their_work_is_no_touch(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = fingerprint(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("x")
    (tmp_path / ".aider.chat.history.md").write_text("x")
    assert fingerprint(tmp_path) == before
    (tmp_path / "a.py").write_text("x = 2\n")
    assert fingerprint(tmp_path) != before


def line(agent: str, task: str, *, solved: bool, kind: str = "bug") -> Line:
    return Line(agent, "1.0", "m", task, kind, solved, "done", 10.0, 2, 100, 50, 20)


def test_results_come_back_and_only_the_rest_is_run(tmp_path: Path, job: Job) -> None:
    out = tmp_path / "out" / "r.jsonl"
    first = line("aider", "a", solved=True)
    append(out, first)
    with out.open("a") as file:
        file.write('{"agent": "ka')  # the machine went down here
    append(out, line("kaaj", "b", solved=False))
    known = lines_of(out)
    assert list(known) == [("aider", "m", "a"), ("kaaj", "m", "b")]
    assert known["aider", "m", "a"] == first
    tasks: list[EvalTask] = [job.task, replace(job.task, name="b")]
    rest = remaining([AGENTS["kaaj"], AGENTS["aider"]], tasks, "m", known)
    assert [(agent.name, task.name) for agent, task in rest] == [("kaaj", "a"), ("aider", "b")]


def test_the_table_compares_only_what_all_have_done() -> None:
    lines = [
        line("kaaj", "a", solved=True),
        line("kaaj", "b", solved=True),
        line("kaaj", "c", solved=True, kind="leave-alone"),
        line("aider", "a", solved=False),
        line("aider", "c", solved=True, kind="leave-alone"),
    ]
    table = markdown(lines, "m")
    assert "| kaaj 1.0 | 1 of 1 | 1 of 1 | 120 | 100 | 50% | 20 | 2.0 | 10.0 | 0 |" in table
    assert "| aider 1.0 | 0 of 1 | 1 of 1 |" in table
    assert "1 tasks are left out" in table
