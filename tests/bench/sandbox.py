"""What the sandbox costs: each command with and without it, in turn, as ratios.

    python tests/bench/sandbox.py [ROUNDS]

Both are run by the shadow's own shell, in a copy of the same small project. The policy's reading is measured apart.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from kaaj_agent.command_policy.verdict import read
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.shadow import Shadow
from kaaj_agent.world import Folders, World

COMMANDS = {
    "nothing": "true",
    "a Python that does nothing": "python3 -c pass",
    "half a second of Python": "python3 -c 'for i in range(8_000_000): pass'",
    "500 processes": "i=0; while [ $i -lt 500 ]; do /bin/true; i=$((i+1)); done",
    "2,000 files written, read, removed": (
        "mkdir d; i=0; while [ $i -lt 2000 ]; do echo $i > d/$i; i=$((i+1)); done; cat d/* | wc -c; rm -r d"
    ),
    "2,000,000 system calls": "dd if=/dev/zero of=/dev/null bs=1 count=1000000",
}
READ = "cd src && env A=1 timeout 60 sh -c 'make -j4 2>&1 | tail -20' > out.txt || git log --oneline | head -5"


async def measured(shadow: Shadow, command: str) -> float:
    """Seconds."""
    begun = time.perf_counter()
    result = await shadow.shell.run(command)
    if result.exit_code != 0:
        raise SystemExit(f"{command}: {result.output}")
    return time.perf_counter() - begun


async def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        root, state = Path(name).resolve() / "project", Path(name).resolve() / "state"
        root.mkdir()
        (root / "a.py").write_text("print(1)\n")
        found = await Sandbox.find([state])
        if not found.available:
            raise SystemExit(f"There is nothing to measure: {found.reason}")
        folders = Folders.of(root)
        boxed = await Shadow.open(folders, state, sandbox=found)
        plain = await Shadow.open(folders, state, sandbox=replace(found, program=None))
        try:
            for shadow in (boxed, plain):
                await shadow.sync(World(folders).snapshot())
            print(f"{'':<36}{'plain':>10}{'sandboxed':>12}{'ratio':>8}{'more':>10}   (least of {rounds}, in turn)")
            for title, command in COMMANDS.items():
                times: dict[str, list[float]] = {"plain": [], "boxed": []}
                for _ in range(rounds):
                    times["plain"].append(await measured(plain, command))
                    times["boxed"].append(await measured(boxed, command))
                without, within = (min(times[kind]) * 1_000 for kind in ("plain", "boxed"))
                more = within - without
                print(f"{title:<36}{without:>7.1f} ms{within:>9.1f} ms{within / without:>8.2f}{more:>+7.1f} ms")
        finally:
            await boxed.close()
            await plain.close()
    read(READ, [Path("/w")], Path("/h"))  # the grammar is loaded once a process
    begun = time.perf_counter()
    for _ in range(200):
        read(READ, [Path("/w")], Path("/h"))
    print(f"reading a command of {len(READ)} characters: {(time.perf_counter() - begun) * 5:.2f} ms")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
