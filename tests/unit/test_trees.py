"""Syntax trees: what a text defines and refers to, and where the regions end, language by language."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaaj_agent.guided.units import outermost, spans
from kaaj_agent.syntax import new_problem, parse_error, parses_as_well
from kaaj_agent.trees.grammars import _GRAMMARS, TREE_MAX, Stopped, grammar, language_name
from kaaj_agent.trees.tags import Definition, Reference, definitions, tags

NAMES = (
    "a.py", "a.js", "a.jsx", "a.ts", "a.tsx", "a.rs", "a.go", "A.java", "a.kt", "a.c", "a.h", "a.cpp", "a.cs",
    "a.swift", "a.php", "a.rb", "a.lua", "a.sh",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(_GRAMMARS))
def test_every_grammar_loads_with_its_queries(name: str) -> None:
    loaded = grammar(name)
    assert loaded is not None
    assert loaded.definitions is not None
    assert loaded.references is not None


def test_files_and_their_grammars() -> None:
    assert [language_name(name) for name in ("a.JSX", "x/a.h", "a.mts", "Rakefile", ".bashrc")] == [
        "javascript", "cpp", "typescript", "ruby", "bash",
    ]  # fmt: skip
    assert [language_name(name) for name in ("a.md", "a.zsh", "Makefile", "a.scala", "a")] == [""] * 5


REGIONS: dict[str, tuple[str, dict[str, tuple[int, int]]]] = {
    "a.py": (
        """\
@deco
def f(a):
    def g():
        pass
    return g(

class A:
    def total(self):
        pass
""",
        {"f": (1, 5), "f.g": (3, 4)},
    ),
    "a.js": (
        """\
export const g = async (x) => {
  return x;
};
exports.z = function () {
  return 1;
};
const o = {
  m() {
  },
  k: () => 1,
};
""",
        {"g": (1, 3), "z": (4, 6), "m": (8, 9), "k": (10, 10)},
    ),
    "a.ts": (
        """\
@Comp({})
export class A<T> extends B {
  constructor(private x: X) {
  }
  @memo
  total(n: number) {
    return n;
  }
  arrow = () => {
  };
}
enum E { A }
""",
        {"A": (1, 11), "A.constructor": (3, 4), "A.total": (5, 8), "A.arrow": (9, 10), "E": (12, 12)},
    ),
    "a.tsx": (
        """\
export function App(): JSX.Element {
  return <Foo x={1}>{'}'}</Foo>;
}
""",
        {"App": (1, 3)},
    ),
    "a.go": (
        """\
type Cart struct {
	items []Item
}

func (c *Cart[T]) Total() int {
	return '}'
}
""",
        {"Cart": (1, 3), "Cart.Total": (5, 7)},
    ),
    "a.rs": (
        """\
#[derive(Debug)]
pub struct Cart<'a> {
    x: &'a str,
}
impl<'a> Cart<'a> {
    #[inline]
    pub fn total(&self) -> char {
        '}'
    }
}
""",
        {"Cart.total": (6, 9)},
    ),
    "A.java": (
        """\
@Ann
public class A {
  @Override
  public int f(int a) {
    return a;
  }
  enum E { X; void g() {} }
}
""",
        {"A": (1, 8), "A.f": (3, 6), "A.E": (7, 7), "A.E.g": (7, 7)},
    ),
    "a.kt": (
        """\
class A(val x: X) : B() {
  override fun total(): Int {
    return 1
  }
}
fun f(a: Int) = a
""",
        {"A": (1, 5), "A.total": (2, 4), "f": (6, 6)},
    ),
    "a.c": (
        """\
struct cart { int n; };
static char *dup(const char *s)
{
  return '}' ? s : 0;
}
int proto(int a);
""",
        {"cart": (1, 1), "dup": (2, 5)},
    ),
    "a.cpp": (
        """\
template <typename T>
T biggest(T a) {
  return a;
}
int ns::Cart::total(int a) {
  return a;
}
""",
        {"biggest": (1, 4), "Cart.total": (5, 7)},
    ),
    "a.cs": (
        """\
namespace N {
  [Attr]
  public class A {
    public int Total { get { return 1; } }
    int G() => 1;
  }
}
""",
        {"A": (2, 6), "A.Total": (4, 4), "A.G": (5, 5)},
    ),
    "a.swift": (
        """\
class A: B {
  init(x: X) {}
  func total() -> Int {
    return 1
  }
}
extension A {
  func more() {}
}
""",
        {"A.init": (2, 2), "A.total": (3, 5), "A.more": (8, 8)},
    ),
    "a.php": (
        """\
<?php
function f($a) {
  return '}';
}
class A {
  public function total(): int {
    return 1;
  }
}
""",
        {"f": (2, 4), "A": (5, 9), "A.total": (6, 8)},
    ),
    "a.rb": (
        """\
module M
  class A
    def total(x)
      if x
        x
      end
    end

    def self.make = new
  end
end
""",
        {"M": (1, 11), "M.A": (2, 10), "M.A.total": (3, 7), "M.A.make": (9, 9)},
    ),
    "a.lua": (
        """\
local function f(a)
  if a then
    return 'end'
  end
end
function M:total(x)
end
""",
        {"f": (1, 5), "M.total": (6, 7)},
    ),
    "a.sh": (
        """\
f() {
  echo '}'
}
function h {
  f 1
}
""",
        {"f": (1, 3), "h": (4, 6)},
    ),
}


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_regions(name: str, end: str) -> None:
    text, expected = REGIONS[name]
    found = {span.name: (span.first, span.last) for span in spans(Path(name), text.replace("\n", end))}
    assert {key: found.get(key) for key in expected} == expected


def test_what_has_no_body_is_no_region() -> None:
    assert spans(Path("a.c"), "int proto(int a);\n") == []
    assert spans(Path("a.ts"), "declare function f(a: number): void;\ntype A = B;\n") == []
    assert definitions(Path("a.c"), "int proto(int a);\n") == (Definition("proto", "declaration", 1, 1, 1),)


def test_the_top_of_a_file() -> None:
    text = "type A struct {\n}\n\nfunc (a A) M() {\n\tf := func() {\n\t}\n}\n"
    assert [span.name for span in outermost(spans(Path("a.go"), text))] == ["A", "A.M"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", "from shop.cart import Cart, total as t\nclass A(Base):\n    def f(self, x: Item): self.run(go(x))\n",
         {"Cart", "total", "Base", "Item", "run", "go"}),
        ("a.js", 'import { load } from "./m.js";\nclass A extends Base {}\nload(new Cart().sum());\n',
         {"load", "Base", "Cart", "sum"}),
        ("a.ts", "function f(a: Item[]): Row { return <Cast>go(a); }\nclass A implements Shape {}\n",
         {"Item", "Row", "go", "Shape"}),
        ("a.tsx", "const App = () => <Foo><Bar x={go()}/></Foo>;\n", {"Foo", "Bar", "go"}),
        ("a.go", "func f(a Item) {\n\tgo_(New(a)).Sum()\n}\n", {"Item", "go_", "New", "Sum"}),
        ("a.rs", "use crate::shop::{Cart, total};\nfn f(a: Item) { total(a).sum(); Cart::make(); log!(1); }\n",
         {"Cart", "total", "Item", "sum", "make", "log"}),
        ("A.java", "import a.Cart;\nclass A extends Base { int f(Item a) { return Util.go(new Row(a)); } }\n",
         {"Cart", "Base", "Item", "Util", "go", "Row"}),
        ("a.kt", "import a.Cart\nclass A : Base() { fun f(a: Item) = Util.go(Row(a)) }\n",
         {"Cart", "Base", "Item", "Util", "go", "Row"}),
        ("a.c", "int f(struct cart *c, item_t a) { return sum(c) + c->run(1); }\n", {"cart", "item_t", "sum", "run"}),
        ("a.cpp", "class A : public Base { int f(Item a) { return ns::go(a).sum(); } };\n",
         {"Base", "Item", "go", "sum"}),
        ("a.cs", "class A : Base { int F(Item a) { return Util.Go(new Row(a)); } }\n",
         {"Base", "Item", "Util", "Go", "Row"}),
        ("a.swift", "class A: Base { func f(a: Item) -> Int { return go(a).sum() } }\n", {"Base", "Item", "go", "sum"}),
        ("a.php", "<?php\nclass A extends Base { function f(Item $a) { return Util::go(new Row($a))->sum(); } }\n",
         {"Base", "Item", "Util", "go", "Row", "sum"}),
        ("a.rb", "class A < Base\n  def f(x)\n    go(x) + Util.run(1)\n  end\nend\n", {"Base", "go", "Util", "run"}),
        ("a.lua", "local x = go(1) + util.run(2) + obj:sum()\n", {"go", "run", "sum"}),
        ("a.sh", 'go "$(run 1)"\n', {"go", "run"}),
    ],
)  # fmt: skip
def test_references(name: str, text: str, expected: set[str]) -> None:
    found = tags(Path(name), text)
    assert found is not None
    assert expected <= {one.name for one in found.references}


def test_a_reference_has_its_lines() -> None:
    found = tags(Path("a.py"), "go()\n\nx = go() + go()\n")
    assert found is not None
    assert found.references == (Reference("go", (1, 3), "reference"),)


_CODE = st.lists(
    st.sampled_from([
        "def f(a):", "class A", "{", "}", "(", ")", "function g(x)", " => ", "end", "\n", "\r\n", "\r", "  ", "\t",
        "fn h()", "impl A", "func (c *C) M()", "'", '"', "`", "/*", "*/", "//", "#", "<?php", "é", "\u2028", "\0",
        "\ud800", ";", ":", "@d", "#[x]", "export ", "template<T> ", "x = 1", "if", "do", "then", "=",
    ]),
    max_size=60,
).map("".join)  # fmt: skip


@given(st.sampled_from(NAMES), _CODE)
@settings(max_examples=200, deadline=None)
def test_any_text_has_regions_that_nest(name: str, text: str) -> None:
    found = definitions(Path(name), text)
    assert found is not None
    rows = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    open_: list[Definition] = []
    for one in found:
        assert 1 <= one.first <= one.line <= one.last <= rows
        del open_[one.depth :]
        if open_:
            assert open_[-1].first <= one.first <= one.last <= open_[-1].last
            assert one.name.startswith(f"{open_[-1].name}.")
        if one.kind in {"class", "function", "container"}:
            open_.append(one)
    spans(Path(name), text)
    parse_error(Path(name), text)


@pytest.mark.parametrize("name", NAMES)
def test_depth_and_size_break_nothing(name: str) -> None:
    for text in ("(" * 3_000, "{" * 3_000, "x = " + "-" * 1_000 + "1", "a" * (TREE_MAX + 1)):
        definitions(Path(name), text)
        parse_error(Path(name), text)


def test_long_texts_are_read_in_pieces_and_none_is_lost() -> None:
    text = "".join(f"function f{n}(a) {{\n  return '{'x' * 60}';\n}}\n" for n in range(2_000))
    found = definitions(Path("a.js"), "class Whole {\n}\n" + text)
    assert found is not None
    assert [one.name for one in found] == ["Whole", *(f"f{n}" for n in range(2_000))]


def test_a_parse_can_be_broken_off() -> None:
    asked = threading.Event()

    def stop() -> bool:
        asked.set()
        return True

    text = "f(a)\n" * 20_000
    with pytest.raises(Stopped):
        definitions(Path("a.js"), text, stop)
    assert asked.is_set()
    found = definitions(Path("a.js"), "function after() {}\n")  # the parser does not go on where it was
    assert found is not None
    assert [one.name for one in found] == ["after"]


@pytest.mark.parametrize(
    ("name", "good", "bad", "place"),
    [
        ("a.ts", "const é = '1'; let a: number = 1;\n", "const é = '1'; let a: = 1;\n", (1, 22)),
        ("a.go", "package p\n\nfunc f() {\n}\n", "package p\n\nfunc f( {\n}\n", (3, 1)),
        ("a.rs", "fn f() { g(1); }\n", "fn f() { g(1;; }\n", (1, 13)),
        ("A.java", "class A { int f() { return 1; } }\n", "class A { int f() { return 1 } }\n", (1, 29)),
        ("a.c", "int f(void)\n{\n  return 1;\n}\n", "int f(void)\n{\n  return 1\n}\n", (3, 11)),
        ("a.cpp", "int f() {\n  return g(1);\n}\n", "int f() {\n  return g(1;\n}\n", (2, 13)),
        ("a.cs", "class A { int F() { return 1; } }\n", "class A { int F() { return 1 } }\n", (1, 29)),
        ("a.rb", "def f(x)\n  x + 1\nend\n", "def f(x)\n  x + )\nend\n", (2, 3)),
        ("a.php", "<?php\nfunction f() { return 1; }\n", "<?php\nfunction f() { return 1 }\n", (2, 24)),
        ("a.lua", "local x = { 1, 2 }\n", "local x = { 1, 2\n", (1, 17)),
    ],
)
async def test_a_change_that_breaks_the_syntax_is_told(name: str, good: str, bad: str, place: tuple[int, int]) -> None:
    path = Path(name)
    assert parse_error(path, good) is None
    problem = await new_problem(path, good, bad)
    assert problem is not None
    assert problem.line == place[0]
    assert abs(problem.column - place[1]) <= 12
    assert parses_as_well(path, bad, bad)
    assert not parses_as_well(path, good, bad)
    assert await new_problem(path, bad, good) is None


def test_columns_count_characters() -> None:
    problem = parse_error(Path("a.js"), "let é = 'é' + ;\n")
    assert problem is not None
    assert problem.column <= len("let é = 'é' + ;")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.c", "DEFINE_LIST(item)\n\nint f(void) {\n  FOR_EACH(x, list) {\n    g(x)\n  }\n}\n"),
        ("a.h", "BEGIN_DECLS\nint f(void) API_END;\n"),
        ("a.hpp", "class A {\n"),
        ("a.sh", "f() {\n"),
        ("a.kt", "interface I { fun z() }\n"),
        ("a.swift", "let x = [1, 2,\n"),
        ("a.scala", "object A {\n"),
    ],
)
def test_what_no_grammar_here_can_judge_is_not_called_wrong(name: str, text: str) -> None:
    assert parse_error(Path(name), text) is None
