"""The client's text is what proves an edit; its answer is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.document import Document, digest_of
from kaaj_agent.failures import ApplyError, OutsideError, StaleError
from kaaj_agent.world import Folders, World
from kaaj_server.convert import Convert
from kaaj_server.lsp.apply import ClientApplier, Route, Waits
from kaaj_server.lsp.documents import Documents
from kaaj_server.lsp.features import Features
from kaaj_server.lsp.protocol import RequestFailedError
from kaaj_server.uris import Places

ALL = Features(
    encoding="utf-16",
    apply_edit=True,
    document_changes=True,
    operations=frozenset({"create", "rename", "delete"}),
)


@dataclass
class Client:
    """A client whose answer to `workspace/applyEdit` is scripted; `does` is what it does to its text."""

    root: Path
    answer: Any = field(default_factory=lambda: {"applied": True})
    does: Callable[[], None] = lambda: None
    features: Features = ALL

    def __post_init__(self) -> None:
        self.asked: list[Any] = []
        self.world = World(Folders.of(self.root))
        self.places = Places()
        self.places.set_roots([self.root.as_uri()])
        self.documents = Documents(self.places.locate, self.world.put, self.world.drop)
        waits = Waits(settle=0.3, answer=0.3, person=0.6)
        convert = Convert(self.places, self.documents)
        self.applier = ClientApplier(self.world, convert, self.features, self.ask, waits)

    async def ask(self, method: str, params: Any) -> Any:
        assert method == "workspace/applyEdit"
        self.asked.append(params["edit"])
        self.does()
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def open(self, name: str, text: str) -> Document:
        uri = (self.root / name).as_uri()
        self.documents.opened({"textDocument": {"uri": uri, "version": 1, "text": text, "languageId": "x"}})
        found = self.world.buffer((self.root / name).resolve())
        assert found is not None
        return found

    def becomes(self, name: str, text: str) -> Callable[[], None]:
        uri = (self.root / name).as_uri()
        item = {"uri": uri, "version": 2}
        return lambda: self.documents.changed({"textDocument": item, "contentChanges": [{"text": text}]})


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path.resolve())


def change(*files: FileChange) -> ChangeSet:
    return ChangeSet("c", "t", tuple(file.with_hunks() for file in files), summary="Say it\nbetter")


async def test_the_text_is_the_proof(client: Client) -> None:
    before = client.open("a.txt", "one 😀\ntwo")
    client.does = client.becomes("a.txt", "one 😀\n2")
    written = await client.applier.apply(change(FileChange(before.path, before, "one 😀\n2")))
    assert written.after == {before.path: digest_of("one 😀\n2")}
    edits = client.asked[0]["documentChanges"]
    place = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 3}}
    assert edits == [
        {
            "textDocument": {"uri": before.path.as_uri(), "version": 1},
            "edits": [{"range": place, "newText": "2"}],
        }
    ]


async def test_the_text_is_enough_where_no_answer_comes(client: Client) -> None:
    client.answer = None
    before = client.open("a.txt", "one")
    client.does = client.becomes("a.txt", "two")
    await client.applier.apply(change(FileChange(before.path, before, "two")))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "has not applied"),
        ({"applied": True}, "says that it applied"),
        ({"applied": False, "failureReason": "version"}, "refused the change: version"),
        ({}, "refused"),
        ([], "refused"),
        (RequestFailedError("The editor answered: boom"), "boom"),
    ],
)
async def test_an_answer_without_the_text_is_no_success(client: Client, answer: Any, words: str) -> None:
    client.answer = answer
    before = client.open("a.txt", "one")
    with pytest.raises(ApplyError, match=words) as failed:
        await client.applier.apply(change(FileChange(before.path, before, "two")))
    assert "a.txt" in str(failed.value)
    assert len(client.asked) == 1


async def test_what_stands_behind_a_link_by_now_takes_no_edit(client: Client) -> None:
    """A client that has it open would write through the link."""
    (client.root / "sub").mkdir()
    before = client.open("sub/a.txt", "one")
    (client.root / "sub").rename(client.root / "aside")
    (client.root / "sub").symlink_to(client.root / "aside")
    with pytest.raises(OutsideError, match="behind a link"):
        await client.applier.apply(change(FileChange(before.path, before, "two")))
    assert client.asked == []


async def test_another_text_than_the_expected_is_no_success(client: Client) -> None:
    before = client.open("a.txt", "one")
    client.does = client.becomes("a.txt", "two and what a formatter did")
    with pytest.raises(ApplyError, match=r"a\.txt got another text .* formats it at once"):
        await client.applier.apply(change(FileChange(before.path, before, "two")))


async def test_half_of_it_is_told(client: Client) -> None:
    one, two = client.open("a.txt", "one"), client.open("b.txt", "one")
    client.does = client.becomes("a.txt", "two")
    with pytest.raises(ApplyError, match=r"a\.txt has the new text, b\.txt has not"):
        await client.applier.apply(change(FileChange(one.path, one, "two"), FileChange(two.path, two, "two")))


async def test_a_moved_base_is_stale_and_nobody_is_asked(client: Client) -> None:
    before = client.open("a.txt", "one")
    client.becomes("a.txt", "mine")()
    with pytest.raises(StaleError):
        await client.applier.apply(change(FileChange(before.path, before, "two")))
    assert client.asked == []


async def test_a_file_that_came_into_being_is_stale(client: Client) -> None:
    (client.root / "new.txt").write_text("theirs")
    with pytest.raises(StaleError):
        await client.applier.apply(change(FileChange(client.root / "new.txt", None, "ours")))


async def test_what_stands_there_already_needs_no_edit(client: Client) -> None:
    before = client.open("a.txt", "one")
    client.becomes("a.txt", "two")()
    await client.applier.apply(change(FileChange(before.path, before, "two")))
    assert client.asked == []


async def test_files_on_disk_prove_it_too(client: Client) -> None:
    path = client.root / "new.txt"
    client.does = lambda: void(path.write_text("x\n"))
    await client.applier.apply(change(FileChange(path, None, "x\n")))
    create, insert = client.asked[0]["documentChanges"]
    assert create["kind"] == "create"
    assert insert["edits"][0]["newText"] == "x\n"


async def test_deleting_and_renaming(client: Client) -> None:
    gone, old, new = (client.root / name for name in ("gone.txt", "old.txt", "new.txt"))
    gone.write_text("x")
    old.write_text("y\n")

    def does() -> None:
        gone.unlink()
        old.rename(new)

    client.does = does
    changes = change(FileChange(gone, Document(gone, "x"), None), FileChange(old, Document(old, "y\n"), "y\n", new))
    await client.applier.apply(changes)
    assert [row["kind"] for row in client.asked[0]["documentChanges"]] == ["delete", "rename"]


@pytest.mark.parametrize(
    "features", [replace(ALL, document_changes=False), replace(ALL, operations=frozenset({"rename"}))]
)
async def test_a_client_that_cannot_create_files_gets_the_text_of_one(tmp_path: Path, features: Features) -> None:
    client = Client(tmp_path.resolve(), features=features)
    new = client.root / "new.txt"

    def does() -> None:
        client.open("new.txt", "x\n")

    client.does = does
    await client.applier.apply(change(FileChange(new, None, "x\n").with_hunks()))
    (edit,) = client.asked
    at = {"line": 0, "character": 0}
    text = [{"range": {"start": at, "end": at}, "newText": "x\n"}]
    if features.document_changes:
        assert edit["documentChanges"] == [{"textDocument": {"uri": new.as_uri(), "version": None}, "edits": text}]
    else:
        assert edit["changes"] == {new.as_uri(): text}


async def test_a_client_that_cannot_delete_files_is_told_so(tmp_path: Path) -> None:
    client = Client(tmp_path.resolve(), features=replace(ALL, operations=frozenset({"create"})))
    gone = client.open("gone.txt", "x\n")
    with pytest.raises(ApplyError, match="delete files"):
        await client.applier.apply(change(FileChange(gone.path, gone, None)))
    assert client.asked == []


async def test_plain_changes_for_a_client_without_versions(tmp_path: Path) -> None:
    client = Client(tmp_path.resolve(), features=replace(ALL, document_changes=False))
    before = client.open("a.txt", "one")
    client.does = client.becomes("a.txt", "two")
    await client.applier.apply(change(FileChange(before.path, before, "two")))
    assert list(client.asked[0]) == ["changes"]


async def test_no_apply_edit_at_all(tmp_path: Path) -> None:
    client = Client(tmp_path.resolve(), features=replace(ALL, apply_edit=False))
    before = client.open("a.txt", "one")
    with pytest.raises(ApplyError, match="does not take edits"):
        await client.applier.apply(change(FileChange(before.path, before, "two")))


async def test_annotations_ask_only_where_nothing_else_did(tmp_path: Path) -> None:
    client = Client(tmp_path.resolve(), features=replace(ALL, annotations=True))
    before = client.open("a.txt", "one")
    client.does = client.becomes("a.txt", "two")
    await client.applier.apply(change(FileChange(before.path, before, "two")))
    assert client.asked[0]["changeAnnotations"] == {"kaaj": {"label": "Say it", "needsConfirmation": False}}
    assert client.asked[0]["documentChanges"][0]["edits"][0]["annotationId"] == "kaaj"


async def test_a_route_hands_the_edit_out_and_gives_way(tmp_path: Path) -> None:
    client = Client(tmp_path.resolve(), features=replace(ALL, annotations=True))
    before = client.open("a.txt", "one")
    route = Route(asyncio.get_running_loop().create_future(), confirm=True)
    client.applier.routes["t"] = route
    applying = asyncio.create_task(client.applier.apply(change(FileChange(before.path, before, "two"))))
    edit = await route.edit
    assert edit["changeAnnotations"]["kaaj"]["needsConfirmation"] is True
    client.applier.give_way()
    with pytest.raises(ApplyError):
        await applying
    assert client.asked == []


def void(_: object) -> None:
    """For what is done for its effect."""
