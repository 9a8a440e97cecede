"""What it costs that a change is written all or none, and can be undone for ever: side by side with writing plainly.

    python tests/bench/journal.py [--rounds 15]

For some sizes of a change, in turn: the files written plainly (no fsync); each written beside and renamed, as careful
editors do (fsync each); by Kaaj's journal; by it with the before-images for undo. Then what the
before-images add where a client applies; and a whole scripted task. Prints medians and ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from kaaj_agent.agent import Agent
from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.disk import read
from kaaj_agent.history import History
from kaaj_agent.journal import DiskApplier
from kaaj_agent.journaled import Journaled
from kaaj_agent.ports import Applier, Model, Written
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel, call
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.world import Folders, World

SIZES = {"1 file of 2 KB": (1, 2_000), "10 files of 2 KB": (10, 2_000), "1 file of 1 MB": (1, 1_000_000)}
Way = Callable[[Path, ChangeSet], Awaitable[object]]


def make(root: Path, count: int, size: int) -> ChangeSet:
    """A workspace, and a change of one line in each file."""
    root.mkdir()
    text = "a line of some words, as code has them\n" * (size // 39)
    files: list[FileChange] = []
    for number in range(count):
        path = root / f"f{number}.py"
        path.write_text(text)
        files.append(FileChange(path, read(path), text.replace("some", "many", 1)).with_hunks())
    os.sync()
    return ChangeSet("change-1", "task-1", tuple(files))


async def plainly(_: Path, change: ChangeSet) -> None:
    for file in change.files:
        file.path.write_text(file.after or "")


async def carefully(_: Path, change: ChangeSet) -> None:
    for file in change.files:
        beside = file.path.with_suffix(".tmp")
        with beside.open("w") as out:
            out.write(file.after or "")
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file.path)


def _nothing(_task: str, _text: str) -> None:
    pass


def kept(applier: Applier, world: World, state: Path) -> Journaled:
    return Journaled(applier, History(state / "history"), world, lambda _: "session", _nothing)


async def journal(folder: Path, change: ChangeSet) -> None:
    await DiskApplier(World(Folders.of(folder / "w")), folder / "state").apply(change)


async def journal_and_images(folder: Path, change: ChangeSet) -> None:
    world = World(Folders.of(folder / "w"))
    await kept(DiskApplier(world, folder / "state"), world, folder / "state").apply(change)


async def client_and_images(folder: Path, change: ChangeSet) -> None:
    world = World(Folders.of(folder / "w"))
    await kept(BufferApplier(world), world, folder / "state").apply(change)


class Careful:
    """An applier that keeps nothing."""

    async def apply(self, change: ChangeSet) -> Written:
        await asyncio.to_thread(lambda: asyncio.run(carefully(Path(), change)))
        return Written(change.after)


def task(*, journaled: bool) -> Way:
    """A whole scripted task in mode `auto`, from the request to the written files."""

    async def run(folder: Path, change: ChangeSet) -> None:
        world = World(Folders.of(folder / "w"))

        async def connect() -> Model:
            calls = [call("edit", path=file.path.name, old=_first(file), new="many\n") for file in change.files]
            return ScriptedModel(calls, "Done.")

        applier = DiskApplier(world, folder / "state")
        settings = AgentSettings(check="none")
        agent = Agent(world, settings, Answers(), applier, Problems(), folder / "state", connect)
        if not journaled:
            agent.reviews.applier = Careful()
        started = await agent.start(StartRequest("Go on", "auto"))
        await agent.wait(started.task)
        await agent.close()

    return run


def _first(file: FileChange) -> str:
    return (file.before.text if file.before else "")[:-1] + "\n"


async def measure(ways: dict[str, Way], size: tuple[int, int], rounds: int) -> dict[str, float]:
    """Medians, in milliseconds; the ways take turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as base:
                folder = Path(base).resolve()
                change = make(folder / "w", *size)
                begun = time.perf_counter()
                await way(folder, change)
                times[name].append(1000 * (time.perf_counter() - begun))
    return {name: statistics.median(one) for name, one in times.items()}


def show(title: str, medians: dict[str, float], against: str) -> None:
    print(f"\n{title}")
    for name, one in medians.items():
        print(f"  {name:32} {one:9.2f} ms   {one / medians[against]:6.2f} x {against}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    disk: dict[str, Way] = {
        "plainly": plainly,
        "beside, fsync, rename": carefully,
        "journal": journal,
        "journal and before-images": journal_and_images,
    }
    for title, size in SIZES.items():
        show(f"{title}, on disk", await measure(disk, size, rounds), "beside, fsync, rename")
    editor: dict[str, Way] = {"beside, fsync, rename": carefully, "before-images alone": client_and_images}
    for title, size in SIZES.items():
        show(f"{title}, where a client applies", await measure(editor, size, rounds), "beside, fsync, rename")
    whole = {"without": task(journaled=False), "journal and before-images": task(journaled=True)}
    show("a whole scripted task, one file of 2 KB", await measure(whole, (1, 2_000), rounds), "without")


if __name__ == "__main__":
    asyncio.run(main())
