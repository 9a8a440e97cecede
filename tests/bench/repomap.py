"""The repository map of a generated workspace in several languages, and Aider's of the same, in one run.

    PYTHONPATH=. python -m tests.bench.repomap [--files 10000] [--tools FOLDER] [--without-aider]

Prints for each the first map (no cache), the second by a new process (cache there), the map after an edit of one file
(median and worst of 20), and the memory of the process that made it; for Kaaj also the longest time for which the
event loop was held (on a busy machine that is the system's doing too, so also for how long its thread worked), and the
processor time of the first map. Goals: first map of 10,000 files at most 10 s on two
processors, an edit at most 50 ms, the loop never held for 10 ms. Exits 1 where a goal is missed.

Aider is installed at the version named here into a virtual environment of its own below FOLDER (default: the user's
cache folder), with its telemetry off; it is used as a library and asks no model. Its tokens are counted as a quarter
of the characters, which is quicker than its own way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any, Final

import platformdirs
import psutil  # type: ignore[import-untyped]  # it ships no types
from tests.bench.repomap_files import generate

from kaaj_agent.document import Document
from kaaj_agent.repomap.map import RepoMap
from kaaj_agent.world import Folders, World

AIDER: Final = "0.86.2"
TOKENS: Final = 600
EDITS: Final = 20
FIRST_MAX, EDIT_MAX, HELD_MAX = 10.0, 0.050, 0.010


async def _held(worst: list[float]) -> None:
    """Note the longest time that passed between two turns of the event loop, and the longest that its thread worked."""
    while True:
        start, worked = time.perf_counter(), time.thread_time()
        await asyncio.sleep(0.001)
        worst[0] = max(worst[0], time.perf_counter() - start - 0.001)
        worst[1] = max(worst[1], time.thread_time() - worked)


def _memory(process: Any) -> float:
    """MB of a process that is asked for by its number."""
    return float(psutil.Process(process.pid).memory_info().rss) / 1e6


async def kaaj(root: Path, state: Path) -> dict[str, float]:
    figures: dict[str, float] = {}
    edited = {path: path.read_text() for path in sorted(root.rglob("*.py"))[5 : 5 + EDITS]}
    world = World(Folders.of(root))
    worst = [0.0, 0.0]
    watch = asyncio.create_task(_held(worst))
    try:
        for name in ("first", "second"):
            repo = RepoMap(world, state)
            start = time.perf_counter()
            text = await repo.outline(tokens=TOKENS)
            figures[name] = time.perf_counter() - start
            figures["characters"] = len(text)
            if name == "first":
                figures["memory"] = _memory(repo._process)
                await repo.close()
                used = resource.getrusage(resource.RUSAGE_CHILDREN)
                figures["processor"] = used.ru_utime + used.ru_stime
        figures["memory_second"] = _memory(repo._process)
        tagged: list[float] = []
        mapped: list[float] = []
        for number, (path, text) in enumerate(edited.items()):
            added = f"\n\ndef added_{number}(item):\n    return added_{max(0, number - 1)}(item)\n"
            world.put(Document(path, text + added, 1))
            start = time.perf_counter()
            found = await repo.definitions(f"added_{number}")
            tagged.append(time.perf_counter() - start)
            assert len(found) == 1
            start = time.perf_counter()
            await repo.outline(tokens=TOKENS, focus=[path])
            mapped.append(time.perf_counter() - start)
        figures |= {"edit": statistics.median(tagged), "edit_worst": max(tagged), "outline": statistics.median(mapped)}
        await repo.close()
    finally:
        watch.cancel()
    figures |= {"held": worst[0], "held_working": worst[1]}
    return figures


_AIDER_SCRIPT: Final = """
import json, os, resource, sys, time
from pathlib import Path
from aider.io import InputOutput
from aider.repomap import RepoMap

class Counter:
    def token_count(self, text):
        return len(text) // 4

root, tokens, edits = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
os.chdir(root)
files = sorted(str(p) for p in root.rglob("*") if p.is_file() and "/." not in str(p))
figures = {}
def made():
    repo = RepoMap(map_tokens=tokens, root=str(root), main_model=Counter(), io=InputOutput(pretty=False, yes=True),
                   refresh="always")
    repo.map_mul_no_files = 1
    start = time.perf_counter()
    text = repo.get_repo_map([], files)
    return repo, time.perf_counter() - start, len(text or "")
repo, figures[sys.argv[4]], figures["characters"] = made()
if sys.argv[4] == "second":
    times = []
    for path in [f for f in files if f.endswith(".py")][5:5 + edits]:
        with open(path, "a") as file:
            file.write("\\n\\ndef added_later(item):\\n    return item\\n")
        start = time.perf_counter()
        repo.get_repo_map([], files)
        times.append(time.perf_counter() - start)
    figures["edit"], figures["edit_worst"] = sorted(times)[len(times) // 2], max(times)
used = resource.getrusage(resource.RUSAGE_SELF)
figures["memory"] = used.ru_maxrss / 1000
figures["processor"] = used.ru_utime + used.ru_stime
print("FIGURES " + json.dumps(figures))
"""


def aider(root: Path, tools: Path, edits: int) -> dict[str, float]:
    """Aider's map of the same files. Raises CalledProcessError."""
    folder = tools / f"aider-chat-{AIDER}"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"aider-chat=={AIDER}"], check=True)
    quiet = {"AIDER_ANALYTICS": "false", "AIDER_CHECK_UPDATE": "false", "LITELLM_TELEMETRY": "False"}
    quiet |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    figures: dict[str, float] = {}
    for name in ("first", "second"):
        ran = subprocess.run(
            [python, "-c", _AIDER_SCRIPT, str(root), str(TOKENS), str(edits), name],
            env=dict(os.environ) | quiet, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, check=True,
        )  # fmt: skip
        line = next(line for line in ran.stdout.splitlines() if line.startswith("FIGURES "))
        found: dict[str, float] = json.loads(line.removeprefix("FIGURES "))
        figures |= found if name == "first" else {key: found[key] for key in ("second", "edit", "edit_worst")}
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--tools", type=Path, default=Path(platformdirs.user_cache_dir("kaaj-bench")))
    parser.add_argument("--without-aider", action="store_true")
    parser.add_argument("--aider-edits", type=int, default=3, help="it takes long")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = (Path(folder) / "workspace").resolve()
        root.mkdir()
        size = generate(root, options.files)
        print(f"{options.files} files, {size / 1e6:.0f} MB, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
        ours = asyncio.run(kaaj(root, Path(folder) / "state"))
        print(f"Kaaj: {_told(ours)}", flush=True)
        if not options.without_aider:
            print(f"Aider {AIDER}: {_told(aider(root, options.tools, options.aider_edits))}")
    missed = [
        name
        for name, value, limit in (
            ("first map", ours["first"], FIRST_MAX * options.files / 10_000),
            ("edit", ours["edit"], EDIT_MAX),
            ("event loop", ours["held"], HELD_MAX),
        )
        if value > limit
    ]
    print(f"missed: {', '.join(missed)}" if missed else "all goals met")
    return 1 if missed else 0


def _told(figures: dict[str, float]) -> str:
    units = {"memory": " MB", "memory_second": " MB", "characters": " characters"}
    return ", ".join(
        f"{name} {value:.0f}{units[name]}" if name in units else f"{name} {value:.3f} s"
        for name, value in figures.items()
    )


if __name__ == "__main__":
    sys.exit(main())
