"""How long `initialize` takes against an empty pygls server, in turn, and the memory afterwards.

    python tests/bench/initialize.py [--rounds 11]

Prints the medians, their ratio (goal: at most 1.25) and the resident memory once the agent is loaded behind it (goal:
at most 80 MB). Exits 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it ships no types

EMPTY = "from pygls.lsp.server import LanguageServer; LanguageServer('empty', '1').start_io()"
KAAJ = [sys.executable, "-m", "kaaj_server", "serve", "--stdio"]
RATIO_MAX = 1.25
MEMORY_MAX = 80.0


def message(method: str, params: Any, number: int | None = None) -> bytes:
    head: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
    body = json.dumps(head | ({} if number is None else {"id": number})).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def answer(process: subprocess.Popen[bytes]) -> Any:
    """The next message that answers a request."""
    assert process.stdout is not None
    while True:
        size = 0
        while (line := process.stdout.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        body = json.loads(process.stdout.read(size))
        if "id" in body and "method" not in body:
            return body


def start(command: list[str], env: dict[str, str]) -> tuple[subprocess.Popen[bytes], float]:
    """The server, and the seconds from its start to its answer."""
    capabilities = {
        "general": {"positionEncodings": ["utf-16"]},
        "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}},
        "experimental": {"kaaj": {"version": 1}},
    }
    root = Path(env["HOME"]).as_uri()
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
    )
    assert process.stdin is not None
    process.stdin.write(message("initialize", {"processId": None, "rootUri": root, "capabilities": capabilities}, 1))
    process.stdin.flush()
    answer(process)
    return process, time.perf_counter() - began


def stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def memory(env: dict[str, str]) -> tuple[float, float]:
    """Resident megabytes right after `initialize`, and once the first command that needs the agent is answered."""
    process, _ = start(KAAJ, env)
    assert process.stdin is not None
    info = psutil.Process(process.pid)
    first = info.memory_info().rss / 2**20
    process.stdin.write(message("initialized", {}))
    process.stdin.write(message("workspace/executeCommand", {"command": "kaaj.snapshot", "arguments": [{}]}, 2))
    process.stdin.flush()
    answer(process)
    time.sleep(0.5)
    loaded = info.memory_info().rss / 2**20
    stop(process)
    return first, loaded


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        env = {"PATH": os.environ["PATH"], "HOME": folder, "KAAJ_STATE_DIR": f"{folder}/state"}
        times: dict[str, list[float]] = {"empty": [], "kaaj": []}
        for _ in range(rounds):
            for name, command in (("empty", [sys.executable, "-c", EMPTY]), ("kaaj", KAAJ)):
                process, seconds = start(command, env)
                stop(process)
                times[name].append(seconds)
        first, loaded = memory(env)
    empty, kaaj = statistics.median(times["empty"]), statistics.median(times["kaaj"])
    ratio = kaaj / empty
    print(f"empty pygls server   {empty * 1000:7.0f} ms (median of {rounds})")
    print(f"kaaj serve --stdio   {kaaj * 1000:7.0f} ms (median of {rounds})")
    print(f"ratio                {ratio:7.2f}    (at most {RATIO_MAX})")
    print(f"memory after it      {first:7.1f} MB; with the agent loaded {loaded:.1f} MB (at most {MEMORY_MAX:.0f})")
    return 0 if ratio <= RATIO_MAX and loaded <= MEMORY_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
