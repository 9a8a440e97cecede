"""The guided loop for real, on the embedded model: small tasks of our own, each judged by a check it never saw.

python -m tests.bench.guided [--model qwen2.5-coder-1.5b] [--only WORD,WORD] [--seeds 1] [--demo] [--verbose]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.guided_tasks import Task

from kaaj_agent import events as ev
from kaaj_agent.agent import Agent
from kaaj_agent.changes import Proposed
from kaaj_agent.document import Document
from kaaj_agent.embedded.lease import acquire
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.world import Folders, World

DEMO = Path(__file__).parents[2] / "server" / "kaaj_server" / "cli" / "demo_project"


def lay_out(task: Task, root: Path) -> World:
    for name, text in task.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    world = World(Folders.of(root))
    for name, text in task.buffers.items():
        world.put(Document(root / name, text, 1))
    return world


def demo() -> Task:
    files = {path.relative_to(DEMO).as_posix(): path.read_text("utf-8") for path in sorted(DEMO.rglob("*.py"))}
    return Task(
        "the demo",
        "The test test_ten_pieces_are_ten_percent_off fails. Find the cause and fix it.",
        files,
        "from shop.prices import bulk_price\nassert bulk_price(250, 10) == 2250 and bulk_price(250, 9) == 2250",
        path="shop/prices.py",
    )


async def solve(task: Task, model: str, seed: int, folder: Path, *, verbose: bool) -> tuple[bool, str, float]:
    """Whether the hidden check passes on what was proposed, how the task ended, and seconds."""
    root = (folder / "project").resolve()
    root.mkdir()
    world = lay_out(task, root)
    check = task.check.replace("python3", shlex.quote(sys.executable))
    settings = AgentSettings(model=model, check=check, seed=seed, loop="guided")
    agent = Agent(world, settings, Answers(), BufferApplier(world), Problems(), folder / "state")
    # The server's state is the user's own, so that it is shared and stays up from task to task.
    told: list[str] = []

    def tell(event: ev.Event) -> None:
        match event.body:
            case ev.TodoChanged(todo=todo):
                told.append("todo " + "; ".join(f"[{item.status}] {item.title}" for item in todo.items))
            case ev.ToolStarted(title=title):
                told.append(f"  > {title}")
            case ev.ToolFinished(summary=summary, ok=ok):
                told.append(f"  < {'' if ok else 'no: '}{summary}")
            case ev.TextAdded(text=text) | ev.Noticed(text=text):
                told.append(text)
            case ev.TaskFinished(status=status, summary=summary):
                told.append(f"{status}: {summary}")
            case _:
                pass
        if verbose and told:
            print("\n".join(told))
            told.clear()

    agent.subscribe(tell)
    begun = time.monotonic()
    try:
        request = StartRequest(task.prompt, path=root / task.path if task.path else None, span=task.span)
        started = await agent.start(request)
        await agent.wait(started.task)
        seconds = time.monotonic() - begun
        overview = (await agent.overview(started.session))[0]
        change = next((c for c in overview.changes if isinstance(c.state, Proposed)), None)
        state = overview.tasks[0].status or "proposed"
    finally:
        await agent.close()
    result = folder / "result"
    shutil.copytree(root, result)
    for name, text in task.buffers.items():
        (result / name).write_text(text, "utf-8")
    for file in change.files if change else ():
        target = result / file.target.relative_to(root)
        if file.after is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.after, "utf-8")
    code = f"import sys\nsys.path.insert(0, '.')\n{task.hidden}"
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], cwd=result, capture_output=True, timeout=30, check=False
    )
    if verbose and change:
        from kaaj_agent.hunks import unified

        for file in change.files:
            print(unified(file.path.name, file.before.text if file.before else "", file.hunks))
    if verbose and done.returncode:
        print(done.stderr.decode()[-400:])
    return done.returncode == 0, state, seconds


async def main() -> None:
    from tests.bench.guided_tasks import TASKS

    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if options.verbose:
        logging.basicConfig(format="    %(message)s")
        logging.getLogger("kaaj_agent.guided").setLevel(logging.DEBUG)
    tasks = (
        [demo()]
        if options.demo
        else [task for task in TASKS if any(word in task.name for word in options.only.split(","))]
    )
    solved = runs = 0
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as state:
        async with await acquire(options.model, state=Path(state)):
            for task in tasks:
                for seed in range(1, options.seeds + 1):
                    with tempfile.TemporaryDirectory() as folder:
                        (Path(folder) / "state").symlink_to(state)
                        good, ending, took = await solve(
                            task, options.model, seed, Path(folder), verbose=options.verbose
                        )
                    solved += good
                    runs += 1
                    seconds.append(took)
                    print(
                        f"{'solved' if good else 'NOT   '}  {took:6.1f} s  {ending:9}  {task.name} (seed {seed})",
                        flush=True,
                    )
    print(f"{solved} of {runs} solved, median {sorted(seconds)[len(seconds) // 2]:.1f} s, {options.model}")


if __name__ == "__main__":
    asyncio.run(main())
