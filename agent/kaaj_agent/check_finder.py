"""Finding the command that checks a project, from what lies in its folder. Nothing of the project is run for it."""

from __future__ import annotations

import asyncio
import configparser
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, Final, TypeAlias, cast

from kaaj_agent.regular import first_text

Reader: TypeAlias = Callable[[Path], str | None]
"""The text at an absolute path, None where there is none. It may block."""

_READ_MAX: Final = 1_000_000
_LOOKED_AT: Final = 400
"""Test files that are looked at before giving up."""

_NO_TEST: Final = re.compile(r"no test specified|^\s*(?:exit \d+|true|:)?\s*$")
_MAKE_TEST: Final = re.compile(r"(?m)^test\s*::?(?!=)")
_PROBE_SECONDS: Final = 10.0


async def find_check(root: Path, reader: Reader | None = None) -> str | None:
    """The check command for the project in `root`, or None. Tests come before linters, make comes last of the tests.

    `reader` sees unsaved buffers where the caller has them; without it the disk is read.
    """
    return await asyncio.to_thread(_find, root, reader or _from_disk)


def _from_disk(path: Path) -> str | None:
    try:
        return first_text(path, _READ_MAX)
    except OSError:
        return None


def _find(root: Path, read: Reader) -> str | None:
    project = _toml(read(root / "pyproject.toml"))
    return (
        _python_tests(root, read, project)
        or _node_tests(root, read)
        or ("cargo test -q" if read(root / "Cargo.toml") is not None and which("cargo") else None)
        or ("go test ./..." if read(root / "go.mod") is not None and which("go") else None)
        or _make_tests(root, read)
        or _linter(root, read, project)
    )


# --- Python ---------------------------------------------------------------------------------------------------------


def _python_tests(root: Path, read: Reader, project: Mapping[str, Any]) -> str | None:
    asks_pytest = (
        "pytest" in _table(project, "tool")
        or read(root / "pytest.ini") is not None
        or _ini_has(read(root / "setup.cfg"), "tool:pytest")
        or _ini_has(read(root / "tox.ini"), "pytest")
    )
    tests = list(_test_files(root))
    if not tests and not asks_pytest:
        return None
    pytest = python_tool(root, "pytest")
    texts = [read(path) or "" for path in tests[:_LOOKED_AT]]
    plain = bool(texts) and all("unittest" in text and "import pytest" not in text for text in texts)
    if pytest is not None and (asks_pytest or not plain):
        return f"{pytest} -q"
    if plain:
        if any(path.parent == root for path in tests):
            return f"{_python(root)} -m unittest -q"
        folder = tests[0].relative_to(root).parts[0]
        # `discover` finds test_*.py; the top folder makes `import project` work.
        return f"{_python(root)} -m unittest discover -q -s {shlex.quote(folder)} -t ."
    return f"{pytest} -q" if pytest is not None else None


def _test_files(root: Path) -> Iterator[Path]:
    """`test_*.py` and `*_test.py` in the root and in its test folders, two levels deep."""
    for folder in (root, *(root / name for name in ("tests", "test", "testing"))):
        found = [*folder.glob("test_*.py"), *folder.glob("*_test.py")]
        if folder != root:
            found += folder.glob("*/test_*.py")
        yield from sorted(found)


def _python(root: Path) -> str:
    for name in (".venv", "venv"):
        if (root / name / "bin" / "python").exists():
            return f"{name}/bin/python"
    return next((name for name in ("python3", "python") if which(name)), shlex.quote(sys.executable))


def python_tool(root: Path, module: str) -> str | None:
    """How to run a Python tool as a module: in the project's environment, else in the one of PATH, else in Kaaj's."""
    python = _python(root)
    if "/bin/python" in python and not python.startswith("/"):
        environment = root / python.removesuffix("/bin/python")
        return f"{python} -m {module}" if any(environment.glob(f"lib/python*/site-packages/{module}")) else None
    if _has(python, module):
        return f"{python} -m {module}"
    return f"{shlex.quote(sys.executable)} -m {module}" if find_spec(module) is not None else None


def _has(python: str, module: str) -> bool:
    """Whether an interpreter of PATH has a module. It is started isolated, away from the project."""
    code = f"import sys, importlib.util as u; sys.exit(u.find_spec({module!r}) is None)"
    try:
        done = subprocess.run(
            [python, "-I", "-c", code], capture_output=True, timeout=_PROBE_SECONDS, check=False, cwd=os.sep
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


# --- the others -----------------------------------------------------------------------------------------------------


def _node_tests(root: Path, read: Reader) -> str | None:
    try:
        manifest: object = json.loads(read(root / "package.json") or "null")
    except (ValueError, RecursionError):
        return None
    script = _table(manifest, "scripts").get("test")
    if not isinstance(script, str) or _NO_TEST.search(script):
        return None
    needs = {**_table(manifest, "dependencies"), **_table(manifest, "devDependencies")}
    if needs and not (root / "node_modules").exists():
        return None  # nothing is installed, and there is no network to install it from
    managers = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun run"), ("bun.lockb", "bun run"))
    for lock, manager in managers:
        if (root / lock).exists() and which(manager.split(" ", 1)[0]):
            return f"{manager} test"
    return "npm test --silent" if which("npm") else None


def _make_tests(root: Path, read: Reader) -> str | None:
    if which("make") is None:
        return None
    text = next((text for name in ("GNUmakefile", "makefile", "Makefile") if (text := read(root / name))), "")
    return "make test" if _MAKE_TEST.search(text) else None


def _linter(root: Path, read: Reader, project: Mapping[str, Any]) -> str | None:
    tools = _table(project, "tool")
    if "ruff" in tools or read(root / "ruff.toml") is not None or read(root / ".ruff.toml") is not None:
        ruff = python_tool(root, "ruff") or ("ruff" if which("ruff") else None)
        if ruff is not None:
            return f"{ruff} check -q ."
    if "mypy" in tools or read(root / "mypy.ini") is not None or _ini_has(read(root / "setup.cfg"), "mypy"):
        mypy = python_tool(root, "mypy") or ("mypy" if which("mypy") else None)
        # With `files` in the configuration mypy knows what to look at; without it, it has to be told.
        return None if mypy is None else mypy if "files" in _table(tools, "mypy") else f"{mypy} ."
    return None


# --- reading configuration ------------------------------------------------------------------------------------------


def _table(value: object, key: str) -> Mapping[str, Any]:
    """`value[key]` where both are tables, else an empty one: these files may hold anything."""
    if isinstance(value, Mapping):
        inner = cast("Mapping[str, object]", value).get(key)
        if isinstance(inner, Mapping):
            return cast("Mapping[str, Any]", inner)
    return {}


def _toml(text: str | None) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _ini_has(text: str | None, section: str) -> bool:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text or "")
    except configparser.Error:
        return False
    return parser.has_section(section)
