"""The demo project's own tests: how they are run, and what they said."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_server.cli.shell_command import run_shell

_SECONDS: Final = 60.0
_TRIAL_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Tests:
    """One run. `count` says how many ran and how they ended; `where` and `failure` tell of the first that failed."""

    ran: bool
    passed: bool
    count: str
    failure: str = ""
    where: str = ""


async def find_command(environ: Mapping[str, str]) -> str:
    """The shell command that runs the tests: `python3` where that works, else the Python that runs Kaaj."""
    short = "python3"
    if shutil.which(short, path=environ.get("PATH")) is not None:
        code, _ = await run_shell(f"{short} -c 'import unittest'", Path.cwd(), environ, _TRIAL_SECONDS)
        if code == 0:
            return f"{short} -m unittest"
    return f"{shlex.quote(sys.executable)} -m unittest"


async def run_tests(command: str, project: Path, environ: Mapping[str, str]) -> Tests:
    """The project's tests, on the files as they are on disk."""
    code, output = await run_shell(command, project, environ, _SECONDS)
    return read_tests(output, code)


def read_tests(output: str, code: int | None) -> Tests:
    """What unittest's output says."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    count = next((line.split(" in ")[0] for line in lines if line.startswith("Ran ")), "")
    if not count:
        return Tests(ran=False, passed=False, count="did not run", failure=lines[-1] if lines else "")
    if code == 0:
        return Tests(ran=True, passed=True, count=f"{count}, all passed")
    where = next((line.split()[1] for line in lines if line.startswith(("FAIL: ", "ERROR: "))), "")
    failure = next((line for line in lines if "Error" in line and not line.startswith("ERROR: ")), "")
    verdict = next((line for line in reversed(lines) if line.startswith("FAILED")), "failed")
    return Tests(ran=True, passed=False, count=f"{count}, {verdict.lower()}", failure=failure, where=where)
