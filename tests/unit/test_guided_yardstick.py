"""What judges a repair is never altered by it: tests under any name, and tests beside the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaaj_agent.guided import localise
from kaaj_agent.guided.evidence import Case
from kaaj_agent.guided.sources import Sources
from kaaj_agent.guided.yardstick import cut
from kaaj_agent.languages import is_test
from kaaj_agent.world import Folders

INLINE = """\
import unittest


def total(items):
    return sum(items) + 1


class T(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total([1]), 1)

    def test_other(self):
        self.assertEqual(total([]), 1)
"""
RUST = """\
fn total(items: &[i32]) -> i32 {
    items.iter().sum::<i32>() + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::total(&[1]), 1);
    }
}
"""


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("sum(items) + 1", "sum(items)", False),
        ("self.assertEqual(total([1]), 1)", "expected = 1", True),
        ("    def test_other", "    def not_other", True),
        ("total([]), 1)", "total([]), 0)", True),
        ("    def test_total(self):\n        self.assertEqual(total([1]), 1)\n\n", "", True),
        ("return sum(items) + 1\n", "return sum(items)\n\n\ndef more():\n    pass\n", False),
    ],
)
def test_a_test_that_is_altered_is_seen(old: str, new: str, *, wanted: bool) -> None:
    assert old in INLINE
    assert cut(Path("calc.py"), INLINE, INLINE.replace(old, new), {"test_total"}) is wanted


def test_a_function_that_is_merely_called_so_may_be_mended() -> None:
    text = "def test_connection():\n    return 1\n"
    assert not cut(Path("net.py"), text, text.replace("1", "2"), {"test_total"})
    assert not cut(Path("calc.py"), INLINE, INLINE, {"test_total"})


def test_tests_inside_of_a_module_of_the_code_are_seen_in_other_languages() -> None:
    assert cut(Path("lib.rs"), RUST, RUST.replace("&[1]), 1", "&[1]), 2"), {"adds"})
    assert not cut(Path("lib.rs"), RUST, RUST.replace(" + 1", ""), {"adds"})


@pytest.mark.parametrize(("name", "wanted"), [("test.py", True), ("tests.rs", True), ("app.py", False)])
def test_a_file_called_test_is_one(name: str, *, wanted: bool) -> None:
    assert is_test(Path(name)) is wanted


def test_the_folders_around_the_workspace_do_not_make_its_files_tests(tmp_path: Path) -> None:
    root = tmp_path / "tests" / "shop"
    sources = Sources(Folders.of(root), {root / "cart.py": "", root / "test_cart.py": ""})
    assert not sources.is_test(root / "cart.py")
    assert sources.is_test(root / "test_cart.py")


def test_a_named_file_without_functions_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    root = tmp_path / "choir"
    query, run = root / "debts.sql", root / "run.py"
    texts = {query: "SELECT name\nFROM singer;\n", run: "def query(name):\n    return name\n"}
    sources = Sources(Folders.of(root), texts)
    focus = localise.Focus("debts.sql leaves somebody out")
    found = localise.suspects(sources, [Case("t", "test_debts")], [], focus)
    assert found[0].path == query
    assert [suspect.path for suspect in found].count(query) == 1
