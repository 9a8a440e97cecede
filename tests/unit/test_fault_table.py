"""The table of faults in the documentation names tests that there are, and each row has one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
COLUMNS: Final = ["fault", "what you see", "what is kept", "test"]


def rows() -> Iterator[list[str]]:
    for line in (ROOT / "docs" / "faults.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells != COLUMNS and set(line) != {"|", "-"}:
            yield cells


def collected() -> dict[str, Path]:
    """The tests that pytest finds: functions of modules, by the names that it looks for."""
    found: dict[str, Path] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found[node.name] = path
    return found


def test_every_row_is_whole_and_names_a_test() -> None:
    table = list(rows())
    assert len(table) > 60
    for cells in table:
        assert len(cells) == len(COLUMNS), cells
        assert all(cells), cells
        assert re.fullmatch(r"`test_\w+`(, `test_\w+`)*", cells[3]), cells


def test_every_test_that_the_table_names_is_collected() -> None:
    known = collected()
    named = {name for cells in rows() for name in re.findall(r"test_\w+", cells[3])}
    assert named - known.keys() == set()


def test_every_test_of_a_fault_stands_in_the_table() -> None:
    named = {name for cells in rows() for name in re.findall(r"test_\w+", cells[3])}
    here = Path(__file__).name
    ours = {name for name, path in collected().items() if path.name.startswith("test_fault_") and path.name != here}
    assert ours - named == set()
