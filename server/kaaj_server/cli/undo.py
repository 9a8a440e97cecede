"""`kaaj undo`: take a change of Kaaj's back, whole or in one file, at any later time and without an editor."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kaaj_agent.failures import BadRequestError
from kaaj_server.cli.context import DONE, FAILED, Context, Run

if TYPE_CHECKING:
    from kaaj_agent.history import Kept
    from kaaj_agent.world import Folders

EPILOG = """\
Without CHANGE it is the newest change that was applied in this folder. What
was edited since is never overwritten: edits of other lines stay, and where
the lines themselves were edited nothing is undone. --merge then shows both
side by side, and with --yes writes that.

It starts by taking back what a crash left half written.

examples:
  kaaj undo --list
  kaaj undo
  kaaj undo change-4f1d2c9a0b --file src/cart.py
  kaaj undo --merge --yes

exits 0 when it was taken back, 1 when not (your files as they were), 2 on
bad use.
"""


def add(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("change", metavar="CHANGE", nargs="?", help="which change (default: the newest)")
    parser.add_argument("--list", action="store_true", help="list the changes of this folder, newest first")
    parser.add_argument("--file", metavar="PATH", type=Path, help="only what it did to this file")
    parser.add_argument("--merge", action="store_true", help="merge with what was edited since, and show that")
    parser.add_argument("--yes", action="store_true", help="with --merge: write it")
    parser.add_argument("--dir", metavar="DIR", type=Path, default=Path(), help="the project's folder (default: .)")
    return undo


def undo(context: Context, arguments: argparse.Namespace) -> int:
    root = Path(arguments.dir).resolve()
    if not root.is_dir():
        raise BadRequestError(f"{arguments.dir} is not a folder.", field="dir")
    only = Path(arguments.file).resolve() if arguments.file is not None else None
    from kaaj_server.cli.ending import run_to_the_end  # noqa: PLC0415 - heavy, and of no use to bad use

    work = _undo(context, root, arguments.change, only, arguments)
    return run_to_the_end(work, lambda: context.plain("Interrupted."))


async def _undo(
    context: Context, root: Path, change: str | None, only: Path | None, arguments: argparse.Namespace
) -> int:
    from kaaj_agent.agent import Agent  # noqa: PLC0415 - as above
    from kaaj_agent.hunks import unified  # noqa: PLC0415
    from kaaj_agent.journal import DiskApplier  # noqa: PLC0415
    from kaaj_agent.recovery import recover_all  # noqa: PLC0415
    from kaaj_agent.settings import AgentSettings  # noqa: PLC0415
    from kaaj_agent.world import Folders, World, printable  # noqa: PLC0415
    from kaaj_server.cli.run_job import NoEditor  # noqa: PLC0415

    folders, state = Folders.of(root), context.state_dir
    for sentence in await recover_all(state, folders):
        context.plain(printable(sentence))
    if arguments.list:
        for kept in await _applied(state, folders):
            context.plain(_row(kept, folders))
        return DONE
    if change is None:
        newest = next(iter(await _applied(state, folders)), None)
        if newest is None:
            context.plain("There is no change of Kaaj's in this folder to take back.")
            return FAILED
        change = newest.change
    world = World(folders)
    agent = Agent(
        world, AgentSettings.from_env(context.environ), _Nobody(), DiskApplier(world, state), NoEditor(), state
    )
    try:
        done = await agent.undo(change, only, merge=arguments.merge)
        if arguments.merge:
            for file in done.files:
                name, base = printable(folders.name_of(file.target)), file.before.text if file.before else ""
                for line in unified(name, base, file.hunks).splitlines():
                    context.plain("\t".join(map(printable, line.split("\t"))))
            if not arguments.yes:
                await agent.reject(done.id, done.digest, reason="only looked at")
                context.plain("Nothing was written. To write it: the same with --yes.")
                return FAILED
            await agent.accept(done.id, done.digest)
    finally:
        await agent.close()
    names = ", ".join(printable(folders.name_of(file.path)) for file in done.files)
    context.plain(f"{'Merged' if arguments.merge else 'Taken back'}: {names}.")
    return DONE


class _Nobody:
    """Nothing is asked: no command runs."""

    async def ask(self, question: object) -> str | None:  # noqa: ARG002 - the port's name
        return None


async def _applied(state: Path, folders: Folders) -> list[Kept]:
    """The changes that can perhaps be taken back, newest first."""
    import asyncio  # noqa: PLC0415 - not on the way to `initialize`

    from kaaj_agent.history import History  # noqa: PLC0415

    entries = await asyncio.to_thread(History(state / "history").entries, folders.roots)
    undone = {(kept.undoes, path) for kept in entries if kept.undoes and kept.stage == "applied" for path in kept.after}
    return [
        kept
        for kept in reversed(entries)
        if not kept.undoes
        and kept.stage in ("applied", "part")
        and any((kept.change, path) not in undone for path in kept.after)
    ]


def _row(kept: Kept, folders: Folders) -> str:
    import time  # noqa: PLC0415 - only for the list

    from kaaj_agent.world import printable  # noqa: PLC0415

    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(kept.time))
    names = ", ".join(printable(folders.name_of(path)) for path in kept.after)
    part = " (in part)" if kept.stage == "part" else ""
    return f"{kept.change}  {when}  {names}{part}  {printable(kept.summary)[:60]}".rstrip()
