"""The repository map: what it holds, how it ranks, how it is drawn, and that it follows every change."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaaj_agent.document import Document
from kaaj_agent.mentions import paths
from kaaj_agent.repomap import cache as caches
from kaaj_agent.repomap import index as indexes
from kaaj_agent.repomap import pool
from kaaj_agent.repomap.cache import Cache
from kaaj_agent.repomap.index import Index
from kaaj_agent.repomap.map import Found, RepoMap, Use
from kaaj_agent.repomap.outline import CHARACTERS_A_TOKEN, Wanted, outline
from kaaj_agent.repomap.process import Workspace, answer
from kaaj_agent.repomap.record import EMPTY, Definition, Record, packed, record_of, record_of_bytes, unpacked
from kaaj_agent.world import Folders, World

CART = "from shop.prices import price_of\n\n\nclass Cart:\n    def total(self):\n        return price_of(self)\n"
PRICES = "RATE = 2\n\n\ndef price_of(item):\n    return RATE\n\n\ndef unused_helper():\n    return 0\n"
MAIN = "from shop.cart import Cart\nfrom shop.prices import price_of\n\nprint(Cart().total(), price_of(1))\n"


def shop(folder: Path) -> Path:
    root = (folder / "ws").resolve()
    for name, text in (("shop/cart.py", CART), ("shop/prices.py", PRICES), ("main.py", MAIN)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for file in root.rglob("*.py"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    return root


def opened(root: Path, state: Path | None = None, jobs: int | None = 1) -> Workspace:
    workspace = Workspace.open([root], state, secrets=False, jobs=jobs)
    workspace.update({}, scan=True)
    return workspace


def names(workspace: Workspace) -> set[str]:
    return {workspace.folders.name_of(Path(path)) for path in workspace.index.numbers}


# --- one file -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "signature"),
    [
        ("a.py", "async def f(a: int, b=1) -> int:\n    pass\n", "async def f(a: int, b=1) -> int"),
        ("a.py", "def f(\n    a: int,\n    b: str,\n) -> None:\n    pass\n", "def f(a: int, b: str) -> None"),
        ("a.ts", "export class A<T> extends B {\n}\n", "class A<T> extends B"),
        ("a.ts", "export const f = (a: {b: number}) => {\n};\n", "const f = (a: {b: number})"),
        ("a.go", "func (c *Cart) Total() (int, error) {\n}\n", "func (c *Cart) Total() (int, error)"),
        ("a.rs", "pub fn f<'a>(\n    x: &'a str,\n) -> usize {\n}\n", "pub fn f<'a>(x: &'a str) -> usize"),
        ("A.java", "public class A {}\n", "class A {}"),
        ("a.rb", "def f(x)\nend\n", "def f(x)"),
        ("a.py", f"def f({'a' * 300}): pass\n", f"def f({'a' * 113}…"),
    ],
)
def test_signatures(name: str, text: str, signature: str) -> None:
    assert record_of(Path(name), text).definitions[0].signature == signature


def test_what_a_record_keeps_of_references() -> None:
    record = record_of(Path("a.py"), "from shop import total\ntotal(1).split()\nx.price_of(2)\nhelper()\nprint(1)\n")
    weights = dict(zip(record.names, record.weights, strict=True))
    assert weights["total"] > weights["price_of"] > weights["helper"] > 0
    assert "split" not in weights  # everybody has a method of that name
    assert "print" not in weights


@pytest.mark.parametrize(
    "data",
    [b"def f():\0", b"\xff\xfe\x00\xd8", b"x" * 300_000, b"function f(){};" * 2_000, b"def f(): pass\n" * 30_000],
)
def test_what_is_no_source_says_nothing(data: bytes) -> None:
    assert record_of_bytes(Path("a.js"), data) == EMPTY


_text = st.text(max_size=12)


@given(
    st.lists(st.tuples(_text, st.sampled_from(["class", "function"]), *[st.integers(0, 9)] * 4, _text), max_size=4),
    st.lists(st.tuples(_text, st.integers(0, 255)), max_size=4),
)
def test_records_come_back_from_the_cache(rows: list[Any], references: list[tuple[str, int]]) -> None:
    record = Record(
        tuple(Definition(*row) for row in rows),
        tuple(name for name, _ in references),
        bytes(weight for _, weight in references),
    )
    assert unpacked(packed(record)) == record


@given(st.binary(max_size=60))
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no record"):
        unpacked(data)


# --- ranks --------------------------------------------------------------------------------------------------------


def of(defines: set[str], refers: set[str]) -> Record:
    definitions = tuple(Definition(name, "function", 1, 1, 1, 0, f"def {name}()") for name in sorted(defines))
    return Record(definitions, tuple(sorted(refers)), bytes(20 for _ in refers))


_names = st.sets(st.sampled_from(["alpha_one", "beta_two", "gamma_three", "delta"]), max_size=3)
_steps = st.lists(
    st.tuples(st.sampled_from("abcd"), st.one_of(st.none(), st.tuples(_names, _names)), st.booleans()), max_size=14
)


@given(_steps)
@settings(deadline=None)
def test_ranks_after_any_changes_are_those_of_a_fresh_start(steps: list[Any]) -> None:
    held = indexes._SMALL
    indexes._SMALL = 1e-9  # type: ignore[misc] # so that both are exact
    try:
        index = Index()
        files: dict[str, Record] = {}
        for name, what, settle in steps:
            path = f"/{name}.py"
            if what is None:
                files.pop(path, None)
                index.drop(path)
            else:
                files[path] = of(*what)
                index.put(path, files[path])
            if settle:
                index.settle()
        index.settle()
        fresh = Index()
        for path, record in files.items():
            fresh.put(path, record)
        fresh.settle()
    finally:
        indexes._SMALL = held  # type: ignore[misc] # as it was
    assert set(index.numbers) == set(files)
    for path in files:
        assert index.ranks[index.numbers[path]] == pytest.approx(fresh.ranks[fresh.numbers[path]], abs=1e-6)
    for name in ("alpha_one", "delta"):
        assert {index.names[n] for n in index.defining(name)} == {p for p, r in files.items() if name in _defined(r)}
        assert {index.names[n] for n in index.referring(name)} == {p for p, r in files.items() if name in r.names}


def _defined(record: Record) -> set[str]:
    return {one.name for one in record.definitions}


def test_who_is_referred_to_ranks_higher_and_passes_it_on() -> None:
    index = Index()
    index.put("/a.py", of({"alpha_one"}, {"beta_two"}))
    index.put("/b.py", of({"beta_two"}, set()))
    for n in range(5):
        index.put(f"/user{n}.py", of({f"user_{n}"}, {"alpha_one"}))
    index.put("/a.go", of({"alpha_one"}, set()))  # another language's name is another name
    index.settle()
    rank = {path: index.ranks[number] for path, number in index.numbers.items()}
    assert rank["/a.py"] > rank["/b.py"] > rank["/user0.py"]
    assert rank["/a.go"] == rank["/user0.py"]
    near = index.rank_from({index.numbers["/a.py"]: 1.0})
    assert set(near) == {index.numbers["/a.py"], index.numbers["/b.py"]}


# --- the text -----------------------------------------------------------------------------------------------------


def test_the_outline_of_a_workspace(tmp_path: Path) -> None:
    workspace = opened(shop(tmp_path))
    text = answer(workspace, {"op": "outline", "tokens": 600})["text"]
    assert text.split("\n") == [
        "shop/prices.py",
        "  def price_of(item)",
        "shop/cart.py",
        "  class Cart",
        "    def total(self)",
    ]
    assert answer(workspace, {"op": "outline", "tokens": 600, "least": 4})["text"] == ""


def test_what_a_request_names_is_in_the_outline(tmp_path: Path) -> None:
    workspace = opened(shop(tmp_path))
    ask = {"op": "outline", "tokens": 600, "words": {"unused_helper": 1.0}}
    assert "def unused_helper()" in answer(workspace, ask)["text"]
    ask = {"op": "outline", "tokens": 600, "paths": ["shop/prices.py"]}
    assert answer(workspace, ask)["text"].startswith("shop/prices.py\n")
    assert "unused_helper" in answer(workspace, ask)["text"]


@given(st.integers(0, 60), st.integers(0, 400))
@settings(deadline=None)
def test_the_outline_keeps_to_its_budget(files: int, tokens: int) -> None:
    index = Index()
    for n in range(files):
        index.put(f"/w/file{n}.py", of({f"name_{n}", f"other_{n}"}, {f"name_{(n * 7) % 5}", f"other_{n // 2}"}))
    index.settle()
    text = outline(index, Wanted(), tokens, lambda path: path)
    assert len(text) <= tokens * CHARACTERS_A_TOKEN
    assert files < 2 or tokens < 30 or text


# --- the files ----------------------------------------------------------------------------------------------------


def test_a_map_follows_disk_and_buffers(tmp_path: Path) -> None:
    root = shop(tmp_path)
    (root / ".env").write_text("KEY=1\n")
    (root / "readme.md").write_text("# x\n")
    workspace = opened(root)
    assert names(workspace) == {"main.py", "shop/cart.py", "shop/prices.py"}
    cart = str(root / "shop/cart.py")

    workspace.update({cart: CART + "\n\ndef unsaved(): pass\n"}, scan=False)
    assert [row[:2] for row in workspace.definitions("unsaved")] == [[cart, "unsaved"]]
    workspace.update({}, scan=True)
    assert workspace.definitions("unsaved"), "a look at the disk does not undo a buffer"
    workspace.update({cart: None}, scan=False)
    assert not workspace.definitions("unsaved")
    assert workspace.definitions("Cart.total")[0][3:5] == [5, 6]

    Path(cart).write_text(CART.replace("total", "whole"))
    workspace.update({cart: None}, scan=False)
    assert workspace.definitions("whole")
    assert not workspace.definitions("total")

    (root / "new.py").write_text("def fresh(): return price_of(1)\n")
    workspace.update({str(root / "new.py"): None, str(root / "gone.py"): None}, scan=False)
    assert [str(root / "new.py"), 1] in workspace.references("price_of")

    (root / ".gitignore").write_text("new.py\n")
    workspace.update({str(root / ".gitignore"): None}, scan=False)
    assert "new.py" not in names(workspace)

    (root / "shop").rename(root / "store")
    workspace.update({str(root / "shop"): None, str(root / "store"): None}, scan=False)
    assert names(workspace) == {"main.py", "store/cart.py", "store/prices.py"}

    Path(root / "main.py").unlink()
    workspace.update({}, scan=True)
    assert "main.py" not in names(workspace)


def test_links_and_what_is_outside_are_not_mapped(tmp_path: Path) -> None:
    root = shop(tmp_path)
    outside = tmp_path / "outside.py"
    outside.write_text("def secret(): pass\n")
    (root / "link.py").symlink_to(outside)
    workspace = opened(root)
    workspace.update(
        {str(root / "link.py"): None, str(outside): None, "/elsewhere/a.py": "def x(): pass\n"}, scan=False
    )
    assert names(workspace) == {"main.py", "shop/cart.py", "shop/prices.py"}


def test_many_files_by_several_processes_are_as_by_one(tmp_path: Path) -> None:
    root = shop(tmp_path)
    for n in range(160):
        (root / f"mod{n}.py").write_text(
            f"from shop.prices import price_of\n\n\ndef use_{n}():\n    return price_of({n})\n"
        )
    one, two = opened(root, jobs=1), opened(root, jobs=2)
    assert names(one) == names(two)
    assert one.outline({"tokens": 300}) == two.outline({"tokens": 300})
    assert len(one.references("price_of")) == len(two.references("price_of")) == 200


def test_a_process_that_dies_costs_the_files_it_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = [str(tmp_path / f"a{n}.py") for n in range(200)]
    monkeypatch.setattr(pool, "_serve", _die)
    assert sorted(path for path, *_ in pool.tag_all(files, 2)) == sorted(files)


def _die(_pipe: object) -> None:
    os._exit(3)


# --- the cache ----------------------------------------------------------------------------------------------------


def test_the_second_start_reads_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = shop(tmp_path)
    first = opened(root, tmp_path / "cache")
    first.cache.close()
    read: list[str] = []
    monkeypatch.setattr(pool, "tag", read.append)
    second = opened(root, tmp_path / "cache")
    assert read == []
    assert second.outline({"tokens": 300}) == first.outline({"tokens": 300})
    second.cache.close()


@pytest.mark.parametrize("damage", ["bytes", "record", "version"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = shop(tmp_path)
    first = opened(root, tmp_path / "cache")
    file = first.cache.path
    assert file is not None
    if damage == "record":
        first.cache.save([(b"k" * 16, b"nonsense")], [(str(root / "main.py"), (1, 1), b"k" * 16)])
    first.cache.close()
    if damage == "bytes":
        file.write_bytes(b"SQLite format 3\0" + b"\xff" * 5_000)
    if damage == "version":
        monkeypatch.setattr(caches, "version", lambda: 7)
    second = opened(root, tmp_path / "cache")
    assert names(second) == names(first)
    second.cache.close()
    third = Cache.open(tmp_path / "cache", [root])
    assert {Path(path).name for path, *_ in third.load()} == {"main.py", "cart.py", "prices.py"}
    third.close()


def test_a_cache_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    workspace = opened(shop(tmp_path), tmp_path / "cache")
    assert len(workspace.index) == 3


def test_caches_of_other_workspaces_go_when_there_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "FOLDER_MAX", 1)
    other = Cache.open(tmp_path, [Path("/other")])
    other.close()
    mine = Cache.open(tmp_path, [Path("/mine")])
    mine.close()
    assert other.path is not None
    assert mine.path is not None
    assert [other.path.exists(), mine.path.exists()] == [False, True]


# --- as the agent uses it -----------------------------------------------------------------------------------------


async def test_the_map_of_a_world(tmp_path: Path) -> None:
    root = shop(tmp_path)
    world = World(Folders.of(root))
    cart = root / "shop/cart.py"
    world.put(Document(cart, CART + "\n\ndef unsaved(): pass\n", 1))
    repo = RepoMap(world, tmp_path / "state")
    try:
        assert "def price_of(item)" in await repo.outline()
        assert await repo.files() == 3
        assert [found.first for found in await repo.definitions("unsaved")] == [9]
        world.put(Document(cart, CART + "\n\n\n\ndef unsaved(): pass\n", 2))
        assert await repo.definitions("unsaved") == [Found(cart, "unsaved", "function", 11, 11, "def unsaved(): pass")]
        world.drop(cart)
        assert await repo.definitions("unsaved") == []
        assert await repo.references("Cart") == [Use(root / "main.py", 1), Use(root / "main.py", 4)]
        (root / "late.py").write_text("def late(): pass\n")
        assert await repo.files(fresh=True) == 4
        assert "unused_helper" in await repo.outline(mentioned="please drop `unused_helper` from it")
        assert (await repo.outline(focus=[root / "main.py"], tokens=100)).startswith("shop/")
    finally:
        await repo.close()
    assert await repo.outline() == ""


async def test_nobody_waits_for_a_process_that_dies_and_the_next_question_starts_another(tmp_path: Path) -> None:
    world = World(Folders.of(shop(tmp_path)))
    cart = world.folders.roots[0] / "shop/cart.py"
    repo = RepoMap(world)
    try:
        assert await repo.files() == 3
        world.put(Document(cart, "def unsaved(): pass\n", 1))
        assert await repo.definitions("unsaved")
        process = repo._process
        assert process is not None
        process.kill()
        await process.wait()
        await repo.files()  # may still be put to the dead one
        assert [one.path for one in await repo.definitions("unsaved")] == [cart]
    finally:
        await repo.close()


async def test_a_cancelled_question_loses_no_change(tmp_path: Path) -> None:
    world = World(Folders.of(shop(tmp_path)))
    cart = world.folders.roots[0] / "shop/cart.py"
    repo = RepoMap(world)
    try:
        world.put(Document(cart, "def unsaved(): pass\n", 1))
        for wait in (0.0, 0.0, 0.01, 0.05):
            asking = asyncio.create_task(repo.outline())
            await asyncio.sleep(wait)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        world.put(Document(cart, "def unsaved_too(): pass\n", 2))
        assert await repo.definitions("unsaved_too")
        assert await repo.definitions("Cart") == []
    finally:
        await repo.close()


async def test_the_process_rests_when_nobody_asks_and_comes_back(tmp_path: Path) -> None:
    world = World(Folders.of(shop(tmp_path)))
    repo = RepoMap(world, idle=0.05)
    try:
        assert await repo.files() == 3
        reader = repo._reader
        assert reader is not None
        await asyncio.wait([reader])
        assert repo._process is None
        assert await repo.files() == 3
    finally:
        await repo.close()


async def test_other_folders_are_another_map(tmp_path: Path) -> None:
    root = shop(tmp_path)
    world = World(Folders.of(root))
    repo = RepoMap(world)
    try:
        assert await repo.files() == 3
        world.folders = Folders.of(root / "shop")
        assert await repo.files() == 2
        world.folders = Folders(())
        assert await repo.files() == 0
    finally:
        await repo.close()


def test_names_of_files_in_a_request() -> None:
    assert paths("See shop/cart.py, ./main.py and docs/guide (not a.b. or etc.), or `src\\x.ts`.") == [
        "shop/cart.py", "main.py", "docs/guide", "a.b", "src/x.ts",
    ]  # fmt: skip
    assert paths("a" * 10_000 + ".py " + "." * 50_000) == []
