"""Checks: what is found in a project, and what a check says of a change."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from kaaj_agent import check_finder
from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.checks import ShadowChecker, find_check
from kaaj_agent.disk import read
from kaaj_agent.document import Document
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.shadow import Shadow
from kaaj_agent.world import Folders, World

ALL_TOOLS = {"pytest", "ruff", "mypy"}


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every tool is there, unless a test takes it away."""
    there = ALL_TOOLS | {"npm", "pnpm", "cargo", "go", "make", "python3"}

    def which(name: str) -> str | None:
        return f"/usr/bin/{name}" if name in there else None

    def has(python: str, module: str) -> bool:
        return module in there

    def nothing(module: str) -> None:
        return None

    monkeypatch.setattr(check_finder, "which", which)
    monkeypatch.setattr(check_finder, "_has", has)
    monkeypatch.setattr(check_finder, "find_spec", nothing)
    return there


UNITTEST = "import unittest\n\nclass T(unittest.TestCase):\n    pass\n"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, "python3 -m pytest -q"),
        ({"pytest.ini": "[pytest]\n"}, "python3 -m pytest -q"),
        ({"setup.cfg": "[tool:pytest]\n"}, "python3 -m pytest -q"),
        ({"tox.ini": "[pytest]\n"}, "python3 -m pytest -q"),
        ({"tests/test_a.py": "def test_a(): pass\n"}, "python3 -m pytest -q"),
        ({"tests/unit/test_a.py": "def test_a(): pass\n"}, "python3 -m pytest -q"),
        ({"test_a.py": UNITTEST}, "python3 -m unittest -q"),
        ({"tests/test_a.py": UNITTEST}, "python3 -m unittest discover -q -s tests -t ."),
        ({"test_a.py": UNITTEST, "test_b.py": "def test_b(): pass\n"}, "python3 -m pytest -q"),
        ({"package.json": json.dumps({"scripts": {"test": "node --test"}})}, "npm test --silent"),
        ({"package.json": json.dumps({"scripts": {"test": "jest"}}), "pnpm-lock.yaml": ""}, "pnpm test"),
        ({"package.json": json.dumps({"scripts": {"test": 'echo "Error: no test specified" && exit 1'}})}, None),
        ({"package.json": json.dumps({"scripts": {"test": "jest"}, "devDependencies": {"jest": "1"}})}, None),
        ({"package.json": "[]"}, None),
        ({"package.json": "{"}, None),
        ({"Cargo.toml": ""}, "cargo test -q"),
        ({"go.mod": ""}, "go test ./..."),
        ({"Makefile": "all:\n\ntest: all\n\tx\n"}, "make test"),
        ({"Makefile": "test := 1\ntesting: all\n"}, None),
        ({"pyproject.toml": "[tool.ruff]\n"}, "python3 -m ruff check -q ."),
        ({"mypy.ini": "[mypy]\n"}, "python3 -m mypy ."),
        ({"pyproject.toml": "[tool.mypy]\nfiles = ['a']\n"}, "python3 -m mypy"),
        ({"pyproject.toml": "[tool"}, None),
        ({"setup.cfg": "=\n[x"}, None),
        ({"a.py": ""}, None),
    ],
)
async def test_found(tmp_path: Path, files: dict[str, str], command: str | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert await find_check(tmp_path) == command


async def test_the_projects_environment_comes_first(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").touch()
    assert await find_check(tmp_path) is None, "pytest of another environment would not find the project's packages"
    (tmp_path / ".venv/lib/python3.12/site-packages/pytest").mkdir(parents=True)
    assert await find_check(tmp_path) == ".venv/bin/python -m pytest -q"


async def test_without_pytest(tmp_path: Path, tools: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tools.discard("pytest")
    (tmp_path / "test_a.py").write_text("def test_a(): pass\n")
    assert await find_check(tmp_path) is None
    monkeypatch.setattr(check_finder, "find_spec", str)
    assert await find_check(tmp_path) == f"{sys.executable} -m pytest -q"


async def test_unsaved_configuration_counts(tmp_path: Path) -> None:
    assert await find_check(tmp_path, {tmp_path / "go.mod": "module x\n"}.get) == "go test ./..."


# --- checking -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["plain", "sandboxed"])
async def shadow(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shadow]:
    root = tmp_path / "w"
    root.mkdir()
    (root / "a.py").write_text("A = 1\n")
    sandbox = await Sandbox.find([tmp_path / "state"], wanted=request.param == "sandboxed")
    if request.param == "sandboxed" and not sandbox.available:
        pytest.skip(sandbox.reason)
    shadow = await Shadow.open(Folders.of(root), tmp_path / "state", sandbox=sandbox)
    yield shadow
    await shadow.close()


def given(shadow: Shadow) -> Callable[[], Awaitable[Shadow]]:
    async def opened() -> Shadow:
        return shadow

    return opened


def checker(shadow: Shadow, command: str | None, timeout: float = 60) -> ShadowChecker:
    return ShadowChecker(given(shadow), World(Folders.of(shadow.root)).snapshot(), command, timeout=timeout)


def edit(shadow: Shadow, after: str | None, name: str = "a.py") -> ChangeSet:
    path = shadow.root / name
    before = read(path) if path.exists() else None
    return ChangeSet("c", "t", (FileChange(path, before, after),))


async def test_passes_and_fails(shadow: Shadow) -> None:
    one = checker(shadow, "grep -q 'A = 2' a.py || { echo no; exit 7; }")
    good = await one.check(edit(shadow, "A = 2\n"))
    assert (good.status, good.exit_code, good.ok, good.sandboxed) == ("passed", 0, True, shadow.shell.sandboxed)
    bad = await one.check(edit(shadow, "A = 3\n"))
    assert (bad.status, bad.exit_code, bad.output, bad.ok) == ("failed", 7, "no\n", False)
    assert (await one.baseline()).output == "no\n"
    assert (shadow.root / "a.py").read_text() == "A = 1\n"


async def test_what_does_not_parse_is_not_run(shadow: Shadow) -> None:
    result = await checker(shadow, "touch ran").check(edit(shadow, "A = (\n"))
    assert (result.status, result.parsed, result.command) == ("failed", False, "")
    assert result.output.startswith("a.py:1:5: ")
    assert result.output.endswith("\n    A = (")


async def test_without_a_command(shadow: Shadow) -> None:
    result = await checker(shadow, None).check(edit(shadow, "A = 2\n"))
    assert (result.status, result.parsed, result.ok) == ("none", True, True)
    assert (await checker(shadow, None).baseline()).status == "none"


async def test_quick_check_runs_nothing(shadow: Shadow) -> None:
    assert (await checker(shadow, "exit 1").check(edit(shadow, "A = 2\n"), full=False)).status == "none"


async def test_out_of_time_has_failed(shadow: Shadow) -> None:
    result = await checker(shadow, "sleep 31.4201", timeout=0.3).check(edit(shadow, "A = 2\n"))
    assert (result.status, result.exit_code) == ("failed", None)
    assert "stopped" in result.output


async def test_no_tests_collected(shadow: Shadow) -> None:
    command = "exit 5 # pytest"
    assert (await checker(shadow, command).check(edit(shadow, "A = 2\n"))).status == "none"
    (shadow.root / "test_a.py").write_text("def test_a(): pass\n")
    assert (await checker(shadow, command).check(edit(shadow, None, "test_a.py"))).status == "failed"
    assert (await checker(shadow, "exit 5").check(edit(shadow, "A = 2\n"))).status == "failed"


async def test_unsaved_text_is_what_is_checked(shadow: Shadow) -> None:
    world = World(Folders.of(shadow.root))
    world.put(Document(shadow.root / "b.py", "B = 1\n", 3))
    result = await ShadowChecker(given(shadow), world.snapshot(), "cat b.py").check(edit(shadow, "A = 2\n"))
    assert result.output == "B = 1\n"
