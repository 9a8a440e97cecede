"""The guided loop's parts: what a check's output tells, where code stands, how a rewrite is merged, exact renames."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent.guided import evidence, localise, rename
from kaaj_agent.guided import sources as sources_module
from kaaj_agent.guided.evidence import Case
from kaaj_agent.guided.localise import Focus
from kaaj_agent.guided.merge import Refusal, code_of, merge
from kaaj_agent.guided.narrow import narrowed
from kaaj_agent.guided.sources import Sources
from kaaj_agent.guided.units import Span, enclosing, is_test, spans
from kaaj_agent.ignore import Ignore
from kaaj_agent.repomap.map import RepoMap
from kaaj_agent.staging import Staging
from kaaj_agent.world import Folders, World

ROOT = Path("/w")

UNITTEST = """\
.F
======================================================================
FAIL: test_ten (tests.test_prices.BulkPrice.test_ten)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/shadow/7/shop/tests/test_prices.py", line 14, in test_ten
    self.assertEqual(bulk_price(250, 10), 2250)
AssertionError: 2500 != 2250

----------------------------------------------------------------------
Ran 2 tests in 0.000s

FAILED (failures=1)
"""
OLD_UNITTEST = UNITTEST.replace("(tests.test_prices.BulkPrice.test_ten)", "(tests.test_prices.BulkPrice)")
PYTEST = """\
=================================== FAILURES ===================================
_____________________________ TestBulk.test_ten _____________________________

    def test_ten():
>       assert bulk_price(250, 10) == 2250
E       assert 2500 == 2250

tests/test_prices.py:14: AssertionError
=========================== short test summary info ============================
FAILED tests/test_prices.py::TestBulk::test_ten - assert 2500 == 2250
1 failed, 5 passed in 0.03s
"""
PRICES = """\
import math

BULK = 10


def bulk_price(price, count):
    if count > BULK:
        return price * count * 9 // 10
    return price * count


class Cart:
    def __init__(self):
        self.lines = []

    @property
    def total(self):
        return sum(bulk_price(*line) for line in self.lines)
"""
TEST = """\
from shop.prices import bulk_price


class BulkPrice:
    def test_ten(self):
        assert bulk_price(250, 10) == 2250
"""


def shop(**more: str) -> Sources:
    texts = {ROOT / "shop/prices.py": PRICES, ROOT / "tests/test_prices.py": TEST}
    return Sources(Folders((ROOT,)), {**texts, **{ROOT / name: text for name, text in more.items()}})


# --- what a check tells -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "ids"),
    [
        (UNITTEST, ["tests.test_prices.BulkPrice.test_ten"]),
        (OLD_UNITTEST, ["tests.test_prices.BulkPrice.test_ten"]),
        (PYTEST, ["tests/test_prices.py::TestBulk::test_ten"]),
        ("ERROR tests/test_a.py - ImportError: no\n", ["tests/test_a.py"]),
        ("--- FAIL: TestTotal (0.00s)\n    cart_test.go:12: got 3\n", ["TestTotal"]),
        ("test cart::tests::adds ... FAILED\n", ["cart::tests::adds"]),
        ("ok\n", []),
    ],
)
def test_failing_cases_of_each_runner(output: str, ids: list[str]) -> None:
    assert [case.id for case in evidence.failing_cases(output)] == ids


def test_a_cases_own_output_comes_with_it() -> None:
    for output in (UNITTEST, PYTEST):
        (case,) = evidence.failing_cases(output)
        assert case.name == "test_ten"
        assert "2500" in case.detail
        assert "Ran 2 tests" not in case.detail
        assert "short test summary" not in case.detail


def test_places_in_the_copy_are_places_of_the_workspace() -> None:
    known = frozenset({ROOT / "tests/test_prices.py", ROOT / "shop/prices.py", ROOT / "other/test_prices.py"})
    for output in (UNITTEST, PYTEST):
        (place,) = evidence.places(output, [ROOT], known)
        assert (place.path, place.line) == (ROOT / "tests/test_prices.py", 14)
    assert evidence.places("shop/gone.py:3: error\n/usr/lib/python3/json.py:4", [ROOT], known) == ()


@given(st.text())
def test_any_output_can_be_read(output: str) -> None:
    evidence.places(output, [ROOT], frozenset({ROOT / "a.py"}))
    evidence.failing_cases(output)


@pytest.mark.parametrize(
    ("command", "narrow"),
    [
        ("python3 -m unittest", "python3 -m unittest -k test_ten"),
        ("python -m unittest discover -s tests", "python -m unittest discover -s tests -k test_ten"),
        ("pytest -q", "pytest -q tests/test_a.py::test_ten"),
        ("uv run pytest", "uv run pytest tests/test_a.py::test_ten"),
        ("python -m pytest tests", "python -m pytest tests -k test_ten"),
        ("make test", None),
        ("pytest -q && ruff check", None),
        ("npm test", None),
        ("python run.py", None),
        ("'/a b/python' -m unittest", "'/a b/python' -m unittest -k test_ten"),
        ("'unclosed", None),
    ],
)
def test_the_check_cut_down_to_one_test(command: str, narrow: str | None) -> None:
    assert narrowed(command, [Case("tests/test_a.py::test_ten", "test_ten")]) == narrow


# --- where code stands --------------------------------------------------------------------------------------------


def test_functions_of_python() -> None:
    found = {span.name: (span.first, span.last) for span in spans(Path("a.py"), PRICES)}
    assert found["bulk_price"] == (6, 9)
    assert found["Cart.total"] == (16, 18)  # with its decorator
    assert enclosing(spans(Path("a.py"), PRICES), 18) == Span("Cart.total", 16, 18)
    assert enclosing(spans(Path("a.py"), PRICES), 3) is None


def test_functions_of_python_that_does_not_parse() -> None:
    broken = PRICES.replace("if count > BULK:", "if (count > BULK:")
    assert {"bulk_price", "Cart", "Cart.total"} <= {span.name for span in spans(Path("a.py"), broken)}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.js", 'function f(a) {\n  return "}";\n}\nconst g = (x) => {\n  return x;\n};\n',
         {"f": (1, 3), "g": (4, 6)}),
        ("a.ts", "export class A {\n  total(n: number): number {\n    return n;\n  }\n}\n",
         {"A": (1, 5), "A.total": (2, 4)}),
        ("a.go", "func (c *Cart) Total() int {\n\treturn 1\n}\n", {"Cart.Total": (1, 3)}),
        ("a.rs", "pub fn total(n: &[u32]) -> u32 {\n    n.iter().sum() // }\n}\n", {"total": (1, 3)}),
        ("a.java", "class A {\n  public int f(int a) {\n    if (a > 1) {\n      a--;\n    }\n    return a;\n  }\n}\n",
         {"A.f": (2, 7)}),
        ("a.rb", "class A\n  def total(x)\n    x\n  end\nend\n", {"A.total": (2, 4)}),
    ],
)  # fmt: skip
def test_functions_of_other_languages(name: str, text: str, expected: dict[str, tuple[int, int]]) -> None:
    found = {span.name: (span.first, span.last) for span in spans(Path(name), text)}
    assert {key: found.get(key) for key in expected} == expected


@given(st.text(alphabet="fn(){};=> \n\"'/abc", max_size=200))
def test_any_text_has_regions_inside_of_it(text: str) -> None:
    for span in spans(Path("a.js"), text):
        assert 1 <= span.first <= span.last <= text.count("\n") + 1


def test_what_is_a_test() -> None:
    assert all(is_test(ROOT / name) for name in ("test_a.py", "a_test.go", "a.test.ts", "tests/x.py", "ATest.java"))
    assert not any(is_test(ROOT / name) for name in ("a.py", "contest.py", "latest.js", "shop/prices.py"))


# --- localising ---------------------------------------------------------------------------------------------------


def test_the_function_that_the_failing_assertion_calls_comes_first() -> None:
    where = shop()
    (case,) = evidence.failing_cases(UNITTEST)
    places = [evidence.Place(ROOT / "tests/test_prices.py", 6)]
    found = localise.suspects(where, [case], places, Focus("the test fails"))
    assert (found[0].path, found[0].span.name) == (ROOT / "shop/prices.py", "bulk_price")
    assert all(not is_test(suspect.path) for suspect in found)


def test_a_frame_in_the_code_beats_the_test() -> None:
    test = "from shop.prices import Cart\n\n\ndef test_cart():\n    assert Cart().total == 1\n"
    where = shop(**{"tests/test_cart.py": test})
    places = [evidence.Place(ROOT / "shop/prices.py", 18), evidence.Place(ROOT / "tests/test_cart.py", 5)]
    found = localise.suspects(where, [Case("x", "test_cart", "")], places, Focus(""))
    assert [suspect.span.name for suspect in found[:2]] == ["Cart.total", "bulk_price"]


def test_what_is_called_is_suspected_as_well() -> None:
    calls = "from shop.prices import bulk_price\n\n\ndef sum_up(rows):\n    return sum(bulk_price(*r) for r in rows)\n"
    test = "from shop.bill import sum_up\n\n\ndef test_sum():\n    assert sum_up([(1, 2)]) == 2\n"
    where = shop(**{"shop/bill.py": calls, "tests/test_bill.py": test})
    found = localise.suspects(where, [Case("x", "test_sum")], [], Focus(""))
    assert [suspect.span.name for suspect in found[:2]] == ["sum_up", "bulk_price"]


def test_what_passing_tests_reach_as_well_is_suspected_less() -> None:
    code = "def outer(x):\n    return inner(x) + helper(x)\n"
    code += "\n\ndef inner(x):\n    return x\n\n\ndef helper(x):\n    return x\n"
    test = (
        "from m import outer, inner, helper\n\n\ndef test_outer():\n    assert outer(1) == 2\n\n\n"
        "def test_helper():\n    assert helper(1) == 1\n\n\ndef test_inner():\n    assert inner(1) == 3\n"
    )
    where = Sources(Folders((ROOT,)), {ROOT / "m.py": code, ROOT / "test_m.py": test})
    found = localise.suspects(where, [Case("a", "test_outer"), Case("b", "test_inner")], [], Focus(""))
    assert [suspect.span.name for suspect in found[:3]] == ["inner", "outer", "helper"]


def test_regions_are_taken_once_and_within_the_lines_allowed() -> None:
    where = shop()
    found = localise.suspects(where, [Case("x", "test_ten")], [], Focus("`Cart.total`"))
    taken = localise.first_of(found, 1)
    assert len(taken) == 1
    lines = [
        line for suspect in localise.first_of(found, 500) for line in range(suspect.span.first, suspect.span.last + 1)
    ]
    assert len(lines) == len(set(lines))


def test_names_in_a_request() -> None:
    names = localise.identifiers("Make `Cart.total` in cart.py use bulk_price and sumUp(), please")
    assert names["total"] == 8
    assert names["bulk_price"] == names["sumUp"] == 6
    assert names["please"] < 4


# --- merging ------------------------------------------------------------------------------------------------------

BULK = Span("bulk_price", 6, 9)
TOTAL = Span("Cart.total", 16, 18)
FIXED = "def bulk_price(price, count):\n    return price\n"


def merged(code: str, span: Span | None = BULK, text: str = PRICES, *, may_lose: bool = False) -> str:
    result = merge(Path("a.py"), text, code, span, may_lose=may_lose)
    assert isinstance(result, str), result
    return result


def refused(code: str, span: Span | None = BULK, text: str = PRICES) -> str:
    result = merge(Path("a.py"), text, code, span)
    assert isinstance(result, Refusal), result
    return result.reason


def test_a_function_takes_the_place_of_its_namesake() -> None:
    old = "".join(PRICES.splitlines(keepends=True)[5:9])
    assert merged(FIXED) == PRICES.replace(old, FIXED)
    assert merged(PRICES.replace(old, FIXED)) == PRICES.replace(old, FIXED)  # out of a whole file as well


def test_a_method_keeps_its_indentation_whatever_the_reply_has() -> None:
    method = "@property\ndef total(self):\n    return 0\n"
    whole = "class Cart:\n    @property\n    def total(self):\n        return 0\n"
    indented = "    @property\n    def total(self):\n        return 0\n"
    expected = PRICES.replace("sum(bulk_price(*line) for line in self.lines)", "0")
    for code in (method, whole, indented):
        assert merged(code, TOTAL) == expected


def test_new_imports_and_helpers_come_along_and_nothing_else() -> None:
    code = (
        "import math\nimport json\n\nBULK = 99\n\n\ndef part(x):\n    return x\n\n\n"
        "def bulk_price(price, count):\n    return part(json.loads('1'))\n\n\nclass Cart:\n    pass\n"
    )
    text = merged(code)
    assert text.startswith("import math\nimport json\n\nBULK = 10\n\n\ndef part(x):\n    return x\n\n\ndef bulk_price(")
    assert "self.lines = []" in text


def test_a_part_of_a_file_is_put_into_the_whole() -> None:
    text = merged("def bulk_price(p, c):\n    return p\n\n\ndef fresh():\n    return 1\n", None)
    assert "self.lines = []" in text
    assert text.endswith("return 1\n")
    assert "def bulk_price(p, c):\n    return p\n" in text


def test_what_is_refused() -> None:
    assert "parse" in refused("def bulk_price(:\n")
    assert "no `bulk_price`" in refused("def other():\n    pass\n")
    assert "unchanged" in refused(PRICES)
    assert "unchanged" in refused(PRICES, None)
    assert "lost" in refused("class Cart:\n    pass\n", Span("Cart", 12, 18, "class"))


def test_names_may_be_lost_where_that_was_asked_for() -> None:
    assert merged("BULK = 1\n", None, may_lose=True) == "BULK = 1\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_that_say_the_same_keep_their_bytes(newline: str) -> None:
    text = ("import os  \n\n\ndef a():\n    return 1\n\n\ndef b():\t\n    return 2").replace("\n", newline)
    new = merged("def a():\n    return 3\n", Span("a", 4, 5), text)
    assert new == text.replace("return 1", "return 3")


def test_other_languages_are_merged_by_braces() -> None:
    text = "function a(x) {\n  return x;\n}\n\nfunction b() {\n  return 2;\n}\n"
    new = merge(Path("a.js"), text, "function a(x) {\n  return x + 1;\n}\n", Span("a", 1, 3))
    assert new == text.replace("return x;", "return x + 1;")
    lost = merge(Path("a.js"), text, "function a(x) {\n  return x + 1;\n}\n", None)
    assert isinstance(lost, Refusal)
    added = merge(Path("a.js"), text, "function c() {\n  return 3;\n}\n", Span("", 1, 1, "new"))
    assert added == text + "\nfunction c() {\n  return 3;\n}\n"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("Sure:\n```python\na = 1\n```\nDone.", "a = 1\n"),
        ("```python\na = 1\n", "a = 1\n"),
        ("```py\nx\n```\n```python\nlonger\ncode\n```", "longer\ncode\n"),
        ("```\r\na = 1\r\n```", "a = 1\n"),
        ("I cannot do this.", None),
        ("", None),
        ("```\n```", None),
    ],
)
def test_the_code_of_a_reply(reply: str, code: str | None) -> None:
    assert code_of(reply) == code


# --- renaming -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ("Rename the function `total` to `count_of` everywhere.", ("total", "count_of")),
        ("rename Cart.total to Cart.amount", ("total", "amount")),
        ("Please rename class Item in stock.py to Product and update all callers", ("Item", "Product")),
        ("rename total() to amount() and make it return cents", None),
        ("Add a function that renames files", None),
        ("rename a to a", None),
    ],
)
def test_which_requests_are_plain_renamings(request_: str, names: tuple[str, str] | None) -> None:
    found = rename.asked(request_)
    assert (None if found is None else (found.old, found.new)) == names


def done(where: Sources, old: str, new: str, words: str = "") -> dict[str, str] | str:
    result = rename.renamed(where, rename.Rename(old, new), words)
    return result.reason if isinstance(result, Refusal) else {where.name(path): text for path, text in result.items()}


def test_a_function_is_renamed_where_it_is_meant() -> None:
    user = (
        "from shop.prices import bulk_price  # bulk_price of old\n\n\ndef f(row):\n"
        "    bulk_prices = 1\n    return f'{bulk_price(*row)} bulk_price' + row.bulk_price.__name__\n"
    )
    other = "def f(bulk_price):\n    return bulk_price\n"
    where = shop(**{"shop/use.py": user, "shop/other.py": other})
    changed = done(where, "bulk_price", "price_of")
    assert isinstance(changed, dict)
    assert set(changed) == {"shop/prices.py", "shop/use.py", "tests/test_prices.py"}
    assert "import price_of  # bulk_price of old" in changed["shop/use.py"]
    assert "f'{price_of(*row)} bulk_price'" in changed["shop/use.py"]
    assert "bulk_prices = 1" in changed["shop/use.py"]


def test_a_method_is_renamed_after_a_dot_only() -> None:
    where = shop(**{"shop/use.py": "from shop.prices import Cart\n\ntotal = Cart().total\nprint(total)\n"})
    changed = done(where, "total", "amount")
    assert isinstance(changed, dict)
    assert "total = Cart().amount\nprint(total)\n" in changed["shop/use.py"]
    assert "def amount(self)" in changed["shop/prices.py"]


def test_renamings_that_are_not_plain_are_refused() -> None:
    assert "not defined" in str(done(shop(), "nothing", "other"))
    assert "already used" in str(done(shop(), "bulk_price", "Cart"))
    twice = shop(**{"shop/b.py": "def bulk_price():\n    pass\n"})
    assert "several times" in str(done(twice, "bulk_price", "x"))
    assert "shop/b.py" in done(twice, "bulk_price", "x", "rename bulk_price in shop/b.py to x")


def test_renaming_in_javascript_leaves_strings_and_comments() -> None:
    where = Sources(
        Folders((ROOT,)),
        {
            ROOT / "a.js": "// total\nexport function total(x) { return 'total' + x; }\n",
            ROOT / "b.js": "import { total } from './a.js';\nconsole.log(total(1));\n",
        },
    )
    changed = done(where, "total", "sum")
    assert changed == {
        "a.js": "// total\nexport function sum(x) { return 'total' + x; }\n",
        "b.js": "import { sum } from './a.js';\nconsole.log(sum(1));\n",
    }


def test_a_definition_is_found_whatever_it_looks_like() -> None:
    texts = {
        ROOT / "a.c": "static int\ntotal(struct cart *c)\n{\n  return 1;\n}\n",
        ROOT / "b.lua": "M.total = function(x)\nend\n",
        ROOT / "c.rb": "class A\n  def self.total(x) = x\nend\n",
        ROOT / "d.js": "class A {\n  total = (x) => x;\n}\n// total(y) {\n",
        ROOT / "e.py": "print(total(1))\n",
    }
    found = Sources(Folders((ROOT,)), texts).definitions("total")
    assert [(path.name, span.name) for path, span in found] == [
        ("a.c", "total"), ("b.lua", "M.total"), ("c.rb", "A.total"), ("d.js", "A.total"),
    ]  # fmt: skip


async def test_of_a_very_large_workspace_what_is_near_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources_module, "FILES_MAX", 3)
    for name in ("a", "b", "c", "d", "zeta"):
        (tmp_path / f"{name}.py").write_text(f"def use_{name}():\n    pass\n")
    world = World(Folders.of(tmp_path))
    staging, ignore = Staging(world.snapshot()), Ignore(world.folders)
    repo_map = RepoMap(world)
    try:
        held = await sources_module.load(staging, ignore, repo_map, about="mend `use_zeta`")
        assert tmp_path.resolve() / "zeta.py" in held.texts
        assert len(held.texts) == 3
        assert [path.name for path in (await sources_module.load(staging, ignore)).texts] == ["a.py", "b.py", "c.py"]
    finally:
        await repo_map.close()
