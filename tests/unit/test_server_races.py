"""What happens between two messages: typing while an edit is made, texts that move on, one file under two names."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent import disk
from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.document import Document
from kaaj_agent.failures import StaleError
from kaaj_agent.world import Folders, World
from kaaj_server.convert import Convert
from kaaj_server.lsp.apply import ClientApplier, Waits
from kaaj_server.lsp.comments import asks_for_work, instruction_in
from kaaj_server.lsp.documents import Documents
from kaaj_server.lsp.features import Features
from kaaj_server.lsp.plain.paper_folder import PaperFolder
from kaaj_server.uris import Places

FEATURES = Features(encoding="utf-16", apply_edit=True, document_changes=True)


class Desk:
    """A client's texts and the applier, with no wire between them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.world = World(Folders.of(root))
        places = Places()
        places.set_roots([root.as_uri()])
        self.documents = Documents(places.locate, self.world.put, self.world.drop)
        self.asked: list[Any] = []
        self.does: list[tuple[str, int, str]] = []
        convert = Convert(places, self.documents)
        self.applier = ClientApplier(self.world, convert, FEATURES, self.ask, Waits(settle=0.3, answer=0.3))

    async def ask(self, _: str, params: Any) -> Any:
        self.asked.append(params["edit"])
        for name, version, text in self.does:
            self.type(name, version, text)
        return {"applied": True}

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def open(self, name: str, text: str) -> Document:
        item = {"uri": self.uri(name), "version": 1, "text": text, "languageId": "x"}
        self.documents.opened({"textDocument": item})
        found = self.world.buffer((self.root / name).resolve())
        assert found is not None
        return found

    def type(self, name: str, version: int, text: str) -> None:
        item = {"uri": self.uri(name), "version": version}
        self.documents.changed({"textDocument": item, "contentChanges": [{"text": text}]})

    def close(self, name: str) -> None:
        self.documents.closed({"textDocument": {"uri": self.uri(name)}})

    def now(self, name: str) -> str | None:
        found = self.world.buffer((self.root / name).resolve())
        return found.text if found else None


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path.resolve())


def change(*files: FileChange) -> ChangeSet:
    return ChangeSet("c", "t", tuple(file.with_hunks() for file in files), summary="Say")


async def test_typing_while_another_file_is_compared_is_never_overwritten(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk.root / "b.txt").write_text("b\n")
    first = desk.open("a.txt", "a\n")
    second = disk.read(desk.root / "b.txt")
    compare = disk.read

    def typed_meanwhile(path: Path, name: str | None = None) -> Document:
        desk.type("a.txt", 2, "typed\na\n")
        return compare(path, name)

    files = (FileChange(first.path, first, "A\n"), FileChange(second.path, second, "B\n"))
    made = change(*files)
    desk.world.listen(lambda _: monkeypatch.setattr(disk, "read", compare))
    missing = desk.applier._missing  # the first look at the disk is over when the typing begins

    async def then_typing(expected: dict[Path, str | None]) -> list[Path]:
        found = await missing(expected)
        monkeypatch.setattr(disk, "read", typed_meanwhile)
        return found

    monkeypatch.setattr(desk.applier, "_missing", then_typing)
    with pytest.raises(StaleError):
        await desk.applier.apply(made)
    assert desk.asked == [], "an edit made for version 1 must not go out as one for version 2"


async def test_a_text_that_came_counts_whatever_follows_it_at_once(desk: Desk) -> None:
    before = desk.open("a.txt", "one\n")
    desk.does = [("a.txt", 2, "two\n"), ("a.txt", 3, "two\n\n# formatted\n")]
    written = await desk.applier.apply(change(FileChange(before.path, before, "two\n")))
    assert set(written.after) == {before.path}
    assert desk.now("a.txt") == "two\n\n# formatted\n"


async def test_pieces_may_come_one_by_one_with_typing_between(desk: Desk) -> None:
    first, second = desk.open("a.txt", "a\n"), desk.open("b.txt", "b\n")
    desk.does = [("a.txt", 2, "A\n"), ("a.txt", 3, "A!\n"), ("b.txt", 2, "B\n")]
    files = (FileChange(first.path, first, "A\n"), FileChange(second.path, second, "B\n"))
    assert set((await desk.applier.apply(change(*files))).after) == {first.path, second.path}


async def test_one_file_under_two_names_is_one_text_with_its_own_version(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("one\n")
    (desk.root / "link.txt").symlink_to(desk.root / "a.txt")
    desk.open("a.txt", "one\n")
    desk.open("link.txt", "one\n")
    desk.type("a.txt", 7, "typed\n")
    now = desk.world.buffer(desk.root / "a.txt")
    held = desk.documents.at(desk.root / "a.txt")
    assert now is not None
    assert held is not None
    assert (held.uri, held.version, held.text) == (desk.uri("a.txt"), now.version, now.text)


async def test_closing_one_of_two_names_leaves_the_other(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("one\n")
    (desk.root / "link.txt").symlink_to(desk.root / "a.txt")
    desk.open("a.txt", "unsaved\n")
    desk.open("link.txt", "one\n")
    desk.close("link.txt")
    assert desk.now("a.txt") == "unsaved\n"
    desk.close("a.txt")
    assert desk.now("a.txt") is None


def test_a_version_that_is_no_number_costs_no_keystroke(desk: Desk) -> None:
    item = {"uri": desk.uri("a.txt"), "version": "1", "text": "one\n", "languageId": "x"}
    desk.documents.opened({"textDocument": item})
    desk.type("a.txt", 2, "two\n")
    assert desk.now("a.txt") == "two\n"


def test_what_a_comment_asks_for() -> None:
    assert instruction_in(["x = 1  # kaaj: use sum()  \n"]) == "use sum()"
    assert instruction_in(["/* kaaj: use sum() */\n"]) == "use sum()"
    assert instruction_in(["<!-- KAAJ:  say it -->\r\n"]) == "say it"
    assert instruction_in(["# kaaj:\n", "# kaaj: */\n"]) == ""
    assert asks_for_work(["# TODO add\n"])
    assert not asks_for_work(["todo = 1\n"])


@pytest.mark.parametrize(
    "line",
    [
        "# kaaj: " + "a " * 5_000 + " " * 20_000 + "x",
        "# kaaj: " + " -->" * 20_000 + "x",
        ";" + " " * 50_000 + "; " * 999,
    ],
    ids=["blanks", "ends", "starts"],
)
def test_no_line_of_a_workspace_holds_the_loop_up(line: str) -> None:
    """Processor time, not the clock on the wall: it took minutes."""
    before = time.process_time()
    for _ in range(20):
        instruction_in([line])
        asks_for_work([line])
    assert time.process_time() - before < 1.0


def test_a_selection_of_everything_is_looked_at_in_part() -> None:
    lines = ["x = 1\n"] * 1_000_000
    before = time.process_time()
    for _ in range(10):
        assert instruction_in(lines) == ""
        assert not asks_for_work(lines)
    assert time.process_time() - before < 0.5


async def test_two_servers_on_one_workspace_have_papers_of_their_own(tmp_path: Path) -> None:
    roots = (tmp_path / "w",)
    one, two = PaperFolder(tmp_path / "papers"), PaperFolder(tmp_path / "papers")
    try:
        first, second = one.of(roots), two.of(roots)
        assert first != second
        assert (one.of(roots), two.of(roots)) == (first, second)
        assert one.of((tmp_path / "v",)) != first
    finally:
        one.close()
        two.close()
    three = PaperFolder(tmp_path / "papers")
    assert three.of(roots) == first, "the next server finds what the person wrote"
    three.close()
    await asyncio.sleep(0)
