"""A person types into a 10,000-line file while the model's reply streams in.

    python tests/bench/keystrokes.py [--seconds 10] [--rate 100]

Each keystroke is an incremental didChange; after each, a trivial request (lenses of the file) is asked and timed.
Prints p50, p99 and the worst (goal: p99 at most 20 ms), and compares the server's text with the editor's at the end
(goal: no keystroke lost). Exits 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import VSCODE, FakeEditor, with_events

LINES = 10_000
P99_MAX = 0.020


def script(seconds: float) -> list[Answer]:
    """A long reply of small pieces, then a look at the file, so that its text can be compared."""
    pieces = int(seconds * 60)
    prose = answer("word " * pieces, chunk=5)
    streamed = Answer(events=prose.events, pause=1 / 60, finish="stop")
    return [streamed, answer_calls(("read", {"path": "big.py", "start": 4_990, "end": 5_020})), answer("Read.")]


async def run(seconds: float, rate: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder).resolve() / "w"
        workspace.mkdir()
        text = "".join(f"def function_{n}(argument):  # déjà 😀\n" for n in range(LINES))
        await asyncio.to_thread((workspace / "big.py").write_text, text)
        async with ScriptedEndpoint(*script(seconds)) as endpoint:
            env = {
                "PATH": os.environ["PATH"],
                "HOME": folder,
                "KAAJ_STATE_DIR": f"{folder}/state",
                "KAAJ_BASE_URL": endpoint.base_url,
                "KAAJ_MODEL": "scripted",
            }
            async with FakeEditor(workspace, with_events(VSCODE), env, {"check": "none"}) as editor:
                return await measure(editor, endpoint, seconds, rate)


async def measure(editor: FakeEditor, endpoint: ScriptedEndpoint, seconds: float, rate: int) -> int:
    uri = await editor.open("big.py")
    await editor.command("kaaj.snapshot", {})
    began = time.perf_counter()
    first = await editor.command("kaaj.start", {"prompt": "Talk at length.", "uri": uri})
    answered = time.perf_counter() - began
    await editor.eventually(lambda: editor.event("text"))
    ticks: list[float] = []
    asked: list[asyncio.Task[None]] = []

    async def trivial() -> None:
        sent = time.perf_counter()
        await editor.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
        ticks.append(time.perf_counter() - sent)

    typed = 0
    began = time.perf_counter()
    while (now := time.perf_counter() - began) < seconds:
        if now >= typed / rate:
            line = 5_000 + typed // 60
            editor.type_key(uri, line, typed % 60, "x")
            typed += 1
            asked.append(asyncio.create_task(trivial()))
        await asyncio.sleep(max(0.0, typed / rate - (time.perf_counter() - began)))
    await asyncio.gather(*asked)
    streamed = sum(event["type"] == "text" for event in editor.events)
    await editor.eventually(lambda: editor.event("task_finished", task=first["task"]), wait=60)
    second = await editor.command("kaaj.start", {"prompt": "Read it.", "uri": uri})
    await editor.eventually(lambda: editor.event("task_finished", task=second["task"]), wait=60)
    read = endpoint.prompts[-1]["messages"][-1]["content"]
    wanted = editor.text(uri).split("\n")[4_999:5_019]
    kept = sum(line in read for line in wanted)
    ticks.sort()
    p99 = ticks[int(len(ticks) * 0.99) - 1]
    print(f"kaaj.start answered  {answered * 1000:7.1f} ms")
    print(f"typed                {typed} keystrokes in {seconds:.0f} s, while {streamed} pieces of text came in")
    print(f"trivial request      p50 {ticks[len(ticks) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms (at most 20), ")
    print(f"                     worst {ticks[-1] * 1000:.1f} ms")
    print(f"text afterwards      {kept} of {len(wanted)} typed lines are the editor's")
    return 0 if p99 <= P99_MAX and kept == len(wanted) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=int, default=100)
    given = parser.parse_args()
    return asyncio.run(run(given.seconds, given.rate))


if __name__ == "__main__":
    sys.exit(main())
