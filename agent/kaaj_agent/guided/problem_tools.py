"""The tools behind the problems that editors show: how to run each on one file, and how to read what it says.

A problem's `source` is the name under which a language server publishes it; the commands and the forms of their output
are those of the tools' own documentation.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shutil import which
from typing import Final, TypeAlias

from kaaj_agent.check_finder import python_tool
from kaaj_agent.ports import Diagnostic

_Command: TypeAlias = Callable[[Path, str], "str | None"]
"""From the folder that commands run in and the file's name in it, quoted, to the command; None: it is not here."""


@dataclass(frozen=True, slots=True)
class Told:
    """One problem in a tool's output. `text` is what it says, without places, so that it can be compared."""

    file: str
    line: int
    text: str


def command_of(problem: Diagnostic, root: Path) -> tuple[str, str] | None:
    """(the tool's name, the command that makes it tell this problem); None where no tool is known. Blocks."""
    try:
        name = problem.path.relative_to(root).as_posix()
    except ValueError:
        return None
    tool = _tool_of(problem)
    made = _TOOLS[tool](root, shlex.quote(name if not name.startswith("-") else f"./{name}")) if tool else None
    return (tool, made) if made else None


def _tool_of(problem: Diagnostic) -> str:
    source = problem.source.strip().lower()
    tool = _SOURCES.get(source, source if source in _TOOLS else "")
    if tool == "cc" and problem.path.suffix.lower() in _CPP:
        return "c++"
    return tool


def problems_in(output: str) -> list[Told]:
    """What a tool's output tells, in its order; empty where nothing in it is of a known form."""
    return [*_of_json(output)] or [*_of_lines(output)]


# --- how they are run -----------------------------------------------------------------------------------------------


def _python(module: str, options: str) -> _Command:
    def command(root: Path, name: str) -> str | None:
        tool = python_tool(root, module) or (module if which(module) else None)
        return tool and f"{tool} {options} {name}"

    return command


def _node(program: str, options: str) -> _Command:
    def command(root: Path, name: str) -> str | None:
        tool = _node_program(root, program)
        return tool and f"{tool} {options} {name}"

    return command


def _node_program(root: Path, program: str) -> str | None:
    return f"node_modules/.bin/{program}" if (root / "node_modules/.bin" / program).exists() else which(program)


def _typescript(root: Path, name: str) -> str | None:
    tool = _node_program(root, "tsc")
    if tool is None:
        return None
    project = (root / "tsconfig.json").exists() or (root / "jsconfig.json").exists()
    config = "tsconfig.json" if (root / "tsconfig.json").exists() else "jsconfig.json"
    return f"{tool} --noEmit --pretty false " + (f"-p {config}" if project else f"--allowJs --checkJs {name}")


def _compiler(*programs: str) -> _Command:
    def command(_root: Path, name: str) -> str | None:
        tool = next((program for program in programs if which(program)), None)
        return tool and f"{tool} -fsyntax-only -Wall -Wextra -fdiagnostics-color=never {name}"

    return command


def _shellcheck(_root: Path, name: str) -> str | None:
    return f"shellcheck -f gcc {name}" if which("shellcheck") else None


def _cargo(root: Path, _name: str) -> str | None:
    return (
        "cargo check -q --offline --message-format short" if which("cargo") and (root / "Cargo.toml").exists() else None
    )


def _go(_root: Path, name: str) -> str | None:
    folder = str(PurePosixPath(shlex.split(name)[0]).parent)
    return f"go vet {shlex.quote(f'./{folder}')}" if which("go") else None


_TOOLS: Final[Mapping[str, _Command]] = {
    "ruff": _python("ruff", "check --quiet --no-cache --output-format=concise"),
    "mypy": _python("mypy", "--no-error-summary --no-color-output --no-pretty --hide-error-context"),
    "pyright": _node("pyright", ""),
    "basedpyright": _node("basedpyright", ""),
    "flake8": _python("flake8", "--color=never"),
    "pyflakes": _python("pyflakes", ""),
    "pylint": _python("pylint", "--score=n --output-format=text"),
    "tsc": _typescript,
    "eslint": _node("eslint", "--format json"),
    "cc": _compiler("cc", "gcc", "clang"),
    "c++": _compiler("c++", "g++", "clang++"),
    "shellcheck": _shellcheck,
    "cargo": _cargo,
    "go": _go,
}
_SOURCES: Final[Mapping[str, str]] = {
    "pylance": "pyright", "pycodestyle": "flake8", "ts": "tsc", "typescript": "tsc", "tsserver": "tsc", "js": "tsc",
    "javascript": "tsc", "ts-plugin": "tsc", "clang": "cc", "clangd": "cc", "gcc": "cc", "c/c++": "cc",
    "cpptools": "cc", "bash-language-server": "shellcheck", "rustc": "cargo", "rust-analyzer": "cargo",
    "compiler": "go", "gopls": "go", "vet": "go",
}  # fmt: skip
_CPP: Final = frozenset({".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx", ".c++"})

# --- what they say --------------------------------------------------------------------------------------------------

_LINE: Final = re.compile(
    r"^\s*(?:vet: )?(?P<file>[^\s:(][^:(\n]*)[:(](?P<line>\d+)(?:[:,]\d+)?\)?:?\s+(?:-\s+)?(?P<text>\S.*?)\s*$"
)
_NO_PROBLEM: Final = re.compile(r"(?:error: )?(?:note|help)\b", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\bline \d+|:\d+(?::\d+)?")


def _of_lines(output: str) -> Iterator[Told]:
    for row in output.splitlines():
        match = _LINE.match(row)
        if match and not _NO_PROBLEM.match(match["text"]):
            yield Told(_plain(match["file"]), int(match["line"]), _NUMBER.sub("", match["text"]))


@dataclass(frozen=True, slots=True)
class _Message:
    message: str
    line: int = 0
    ruleId: str | None = None  # noqa: N815 - ESLint's own name


@dataclass(frozen=True, slots=True)
class _File:
    filePath: str  # noqa: N815 - as above
    messages: list[_Message]


def _of_json(output: str) -> Iterator[Told]:
    """ESLint's form: a list of files, each with its messages."""
    if not output.lstrip().startswith("["):
        return
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - not on the way to `initialize`

    try:
        found = TypeAdapter(list[_File]).validate_json(output)
    except ValidationError:
        return
    for file in found:
        for one in file.messages:
            yield Told(_plain(file.filePath), one.line, _NUMBER.sub("", f"{one.message} {one.ruleId or ''}".strip()))


def _plain(file: str) -> str:
    return file.strip().replace("\\", "/").removeprefix("./")
