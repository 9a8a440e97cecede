"""The check command cut down to some failing tests, where the runner is known to take names."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from kaaj_agent.guided.evidence import Case

_CASES_MAX: Final = 12
_SHELL: Final = frozenset("&|;<>()$`*?\n")


def narrowed(command: str, cases: Sequence[Case]) -> str | None:
    """The command that runs only `cases`, or None where it is not known how: then the whole check is to be run."""
    if not cases or len(cases) > _CASES_MAX or _SHELL.intersection(command):
        return None
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    while words and "=" in words[0] and not words[0].startswith("-"):
        words = words[1:]  # an environment variable set for the command
    match _runner(words):
        case "unittest":
            names = list(dict.fromkeys(case.name for case in cases if case.name.isidentifier()))
            return None if not names else command + "".join(f" -k {shlex.quote(name)}" for name in names)
        case "pytest":
            if any(not word.startswith("-") for word in _after(words)):
                names = list(dict.fromkeys(case.name for case in cases if case.name.isidentifier()))
                return f"{command} -k {shlex.quote(' or '.join(names))}" if names else None
            return command + "".join(f" {shlex.quote(case.id)}" for case in cases)
        case _:
            return None


def forkable(command: str) -> bool:
    """Whether the command is one of a Python test runner, and nothing more than that."""
    if _SHELL.intersection(command):
        return False
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    while words and "=" in words[0] and not words[0].startswith("-"):
        words = words[1:]
    return bool(_runner(words))


def _runner(words: Sequence[str]) -> str:
    """`pytest`, `unittest` or empty, by the command's first words; `uv run` and the like may stand before."""
    for index, word in enumerate(words[:5]):
        name = PurePosixPath(word).name
        if name in ("pytest", "py.test"):
            return "pytest"
        if name.startswith("python") and list(words[index + 1 : index + 2]) == ["-m"]:
            module = words[index + 2] if len(words) > index + 2 else ""
            return module if module in ("pytest", "unittest") else ""
        if name not in ("uv", "run", "poetry", "pdm", "hatch", "-q", "pipenv", "python", "env"):
            return ""
    return ""


def _after(words: Sequence[str]) -> list[str]:
    """The words after `pytest`."""
    for index, word in enumerate(words):
        if PurePosixPath(word).name in ("pytest", "py.test"):
            return list(words[index + 1 :])
    return []
