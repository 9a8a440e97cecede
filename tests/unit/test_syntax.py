"""Syntax: where a text does not parse, and whether a change is to blame."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from kaaj_agent.syntax import find_problem, new_problem, parse_error


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.py", "x = 1\n", None),
        ("a.py", "", None),
        ("a.py", "x = '\\d'\n", None),
        ("a.py", "x = 1\n\ndef f(:\n", (3, 7)),
        ("a.pyi", "def f(\n", (1, 6)),
        ("a.py", "\tif x:\n", (1, 1)),
        ("a.json", '{"a": 1}', None),
        ("a.json", '{\n  "a": 1\n  "b": 2}', (3, 3)),
        ("tsconfig.json", "// comment\n{}", None),
        ("tsconfig.base.json", "// comment\n{}", None),
        (".vscode/settings.json", "// comment\n{}", None),
        ("a.toml", "[a]\nb = 1\n", None),
        ("a.toml", "[a]\nb = \n", (2, 5)),
        ("a.toml", "[a]\nb = [1,", (2, 8)),
        ("a.md", "((((", None),
        ("Makefile", "((((", None),
    ],
)
async def test_places(name: str, text: str, place: tuple[int, int] | None) -> None:
    problem = parse_error(Path(name), text)
    assert (None if problem is None else (problem.line, problem.column)) == place
    assert await find_problem(Path(name), text) == problem


async def test_large_python_is_parsed_apart_and_alike() -> None:
    text = "x = '\\d'\n" * 3000
    assert await find_problem(Path("a.py"), text) is None
    broken = text + "é = )\n"
    assert await find_problem(Path("a.py"), broken) == parse_error(Path("a.py"), broken)


@pytest.mark.parametrize("text", ["(" * 100_000, "x = " + "-" * 100_000 + "1", "\0", "'\ud800'"])
async def test_odd_texts_break_nothing(text: str) -> None:
    for name in ("a.py", "a.json", "a.toml"):
        await find_problem(Path(name), text)


@pytest.mark.skipif(find_spec("tree_sitter_javascript") is None, reason="the grammar is not installed")
def test_tree_sitter() -> None:
    assert parse_error(Path("a.js"), "const a = () => 1;\n") is None
    problem = parse_error(Path("a.js"), "const a = 1;\nfunction f( {\n")
    assert problem is not None
    assert problem.line == 2


@pytest.mark.parametrize(
    ("before", "after", "blamed"),
    [
        (None, "x = (\n", True),
        ("x = 1\n", "x = (\n", True),
        ("x = 1\n", "x = 2\n", False),
        ("x = 1\ny = (\n", "x = 2\ny = (\n", False),
        ("y = (\n", "import os\n\ny = (\n", False),
        ("x = 1\nz = 2\ny = )\n", "x = )\nz = 2\ny = )\n", True),
        ("x = )\ny = 1\n", "x = 1\ny = 1\n", False),
        ("x = )\ny = )\n", "x = 1\ny = )\n", False),
    ],
)
async def test_who_is_to_blame(before: str | None, after: str, *, blamed: bool) -> None:
    assert (await new_problem(Path("a.py"), before, after) is not None) is blamed
