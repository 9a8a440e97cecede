"""Each protection taken out in turn: does the test of its promise notice? `make mutants`; mutants.toml is the list.

A mutant is killed where a test that is named beside it fails with it; all that did so have to pass without, at the end.
Mutants stand in a copy of the repository, in an environment of its own whose packages are this one's, so that programs
that a test starts are mutated, too. Words on the command line choose mutants by their names.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
import venv
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
TABLE: Final = Path(__file__).with_name("mutants.toml")
SECONDS: Final = 1_200
"""For one run of pytest; what hangs so long has noticed."""

_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (tests/\S+?\.py(?:::\S+?(?:\[.*?\])?)?)(?: - (.*))?$", re.MULTILINE)
_QUICK: Final = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "400", "CI": "true"}
"""Most plugins take seconds to load, and are not needed here; with CI, hypothesis minds no slow machine."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands once in `file`; `tests` are named as in docs/SECURITY.md, without the folder."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @classmethod
    def of(cls, row: dict[str, Any]) -> Mutant:
        return cls(row["name"], row["file"], row["old"], row["new"], tuple(f"tests/{name}" for name in row["tests"]))

    def problem(self) -> str:
        text = (ROOT / self.file).read_text("utf-8")
        if self.old == self.new or text.count(self.old) != 1:
            return f"{self.old!r} stands {text.count(self.old)} times in {self.file}"
        missing = [test for test in self.tests if not (ROOT / test.partition("::")[0]).is_file()]
        return f"no {missing[0]}" if missing else ""


@dataclass(slots=True)
class Rig:
    """A copy of the repository, and an interpreter that imports it."""

    folder: Path
    _time: int = field(default_factory=lambda: int(time.time()))

    def build(self) -> None:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, listed.split("\0")):
            if (source := ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, self.folder / name)
        environment = self.folder / ".venv"
        venv.create(environment, symlinks=True)
        packages = next(environment.glob("lib/python*/site-packages"))
        places = [self.folder / name for name in ("protocol", "agent", "server")]
        (packages / "rig.pth").write_text("\n".join(map(str, [*places, sysconfig.get_path("purelib")])) + "\n")

    def put(self, file: str, text: str) -> None:
        path = self.folder / file
        path.write_text(text, "utf-8")
        self._time += 2  # compiled files are told from their sources by whole seconds
        os.utime(path, (self._time, self._time))

    def pytest(self, tests: Sequence[str], *options: str) -> tuple[int, str]:
        command = [
            str(self.folder / ".venv/bin/python"), "-m", "pytest", "-q", "--tb=no", "-rfEs", "-o", "addopts=",
            "--import-mode=importlib", "-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout",
            *options, *tests,
        ]  # fmt: skip
        environment = {**os.environ, **_QUICK}
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return 1, f"FAILED {tests[0]} - it hung"
        return done.returncode, done.stdout + done.stderr

    def judge(self, mutant: Mutant) -> tuple[str, str, str]:
        """How it fared, by which test, and why."""
        original = (self.folder / mutant.file).read_text("utf-8")
        self.put(mutant.file, original.replace(mutant.old, mutant.new))
        try:
            code, said = self.pytest(mutant.tests, "-x")
        finally:
            self.put(mutant.file, original)
        failed = _FAILED.search(said)
        if code in (0, 5):
            return "SURVIVED", "", said.strip().splitlines()[-1]
        if code != 1 or failed is None:
            return "BROKEN", "", said[-1500:]
        return "killed", failed[1], (failed[2] or "")[:160]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD", help="only mutants whose names hold one of these")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="only see whether the list fits the sources")
    given = parser.parse_args()
    table = [Mutant.of(row) for row in tomllib.loads(TABLE.read_text("utf-8"))["mutant"]]
    mutants = [one for one in table if not given.words or any(word in one.name for word in given.words)]
    twice = [name for name, count in Counter(one.name for one in table).items() if count > 1]
    problems = [f"{one.name}: {why}" for one in mutants if (why := one.problem())]
    problems += [f"{name}: twice" for name in twice]
    if problems or given.check:
        print("\n".join([*problems, f"{len(mutants)} mutants, {len(problems)} that do not fit"]))
        return 1 if problems else 0
    free: SimpleQueue[Rig] = SimpleQueue()
    # Tests of one file may look for the same processes and places: never two of them at once.
    alone: defaultdict[str, Lock] = defaultdict(Lock)
    ended: Counter[str] = Counter()
    noticed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kaaj-mutants-") as name, ThreadPoolExecutor(len(mutants)) as pool:
        for number in range(given.jobs):
            rig = Rig(Path(name).resolve() / str(number))
            rig.build()
            free.put(rig)

        def one(mutant: Mutant) -> None:
            with ExitStack() as stack:
                for file in sorted({test.partition("::")[0] for test in mutant.tests}):
                    stack.enter_context(alone[file])
                rig = free.get()
                verdict, test, why = rig.judge(mutant)
                free.put(rig)
            ended[verdict] += 1
            noticed.append(test)
            print(f"{verdict:9} {mutant.name}  ({test.rpartition('/')[2]} {why})", flush=True)

        for done in [pool.submit(one, mutant) for mutant in mutants]:
            done.result()
        code, said = free.get().pytest(sorted({test for test in noticed if test}))
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(ended.items()))
    print(f"{len(mutants)} mutants: {told}; without them {said.strip().splitlines()[-1]}")
    if code:
        print(said)
    return 0 if set(ended) == {"killed"} and code == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
