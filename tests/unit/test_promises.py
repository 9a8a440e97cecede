"""Each promise of docs/SECURITY.md names the tests that hold it, each in the file where it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
TITLE: Final = re.compile(r"^\s*(?:test|it)\(\s*[\"'`](.+?)[\"'`],", re.MULTILINE)
SAME_FILE: Final = "…"
KNOWN: Final = "unit/test_promises.py::test_what_names_no_test_is_found"


def promises(text: str) -> Iterator[tuple[str, str]]:
    """Each promise with the cell of its tests."""
    for line in text.partition("## Promises")[2].partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells != ["promise", "test"] and set(line) != {"|", "-"}:
            assert len(cells) == 2, line
            yield cells[0], cells[1]


@cache
def names_in(place: str) -> frozenset[str]:
    """The tests of a file: names of functions in Python, titles in TypeScript. None where there is no such file."""
    path = ROOT / place if place.startswith("client-vscode/") else ROOT / "tests" / place
    if not path.is_file():
        return frozenset()
    text = path.read_text("utf-8")
    if path.suffix == ".ts":
        return frozenset(TITLE.findall(text))
    functions = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def wrong(cell: str) -> list[str]:
    """What in a cell names no test: a whole file holds many, of which nobody knows which one counts."""
    named, place, found = re.findall(r"`([^`]+)`", cell), "", list[str]()
    for name in named:
        file, _, test = name.partition("::")
        place = place if file == SAME_FILE else file
        if test not in names_in(place):
            found.append(name)
    return found if named else [cell]


def test_every_promise_names_its_tests_and_they_stand_where_it_says() -> None:
    rows = list(promises((ROOT / "docs" / "SECURITY.md").read_text("utf-8")))
    assert len(rows) > 60
    assert {promise: missing for promise, cell in rows if (missing := wrong(cell))} == {}


@pytest.mark.parametrize(
    "name",
    [
        "unit/test_promises.py::test_gone",
        "unit/test_promises.py",
        "unit/test_nowhere.py::test_x",
        "unit/test_undo.py::test_what_names_no_test_is_found",
        "client-vscode/test/changeRows.test.ts::no such title",
        "…::test_gone",
    ],
)
def test_what_names_no_test_is_found(name: str) -> None:
    assert wrong(f"`{KNOWN}`, `…::test_what_names_no_test_is_found`, `{name}`") == [name]
    assert wrong("`…::test_what_names_no_test_is_found`"), "there is no file that it could mean"
    assert wrong("we are careful") == ["we are careful"]
