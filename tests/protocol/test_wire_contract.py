"""What the server builds out of the agent's values is what the protocol says, field by field."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kaaj_agent import changes as ch
from kaaj_agent import events as ev
from kaaj_agent.agent import SessionOverview
from kaaj_agent.document import Document, digest_of
from kaaj_agent.ports import Question, Usage
from kaaj_agent.session import TaskState
from kaaj_agent.todo import Evidence, Todo, TodoList
from kaaj_protocol import names
from kaaj_protocol.commands import SnapshotResult
from kaaj_protocol.events import parse_event
from kaaj_server.convert import Convert
from kaaj_server.lsp.documents import Documents
from kaaj_server.transcript import Standing, snapshot
from kaaj_server.uris import Places

ROOT = Path("/project")
BASE = "first\n🙂 second\r\nthird"
CHECK = ch.CheckResult("passed", "pytest", "ok", 1.25, sandboxed=True, exit_code=0)
TODO = TodoList((Todo("t1", "one", "done", evidence=Evidence(("h1",), "pytest")), Todo("t2", "two", by="user")))
QUESTION = Question("command", "k1", "Run `make`?", "It is not boxed.", ("Not now", "Run it"), "q1")


def change() -> ch.ChangeSet:
    def file(name: str, before: str | None, after: str | None, new: str | None = None) -> ch.FileChange:
        path = ROOT / name
        base = None if before is None else Document(path, before)
        moved = ROOT / new if new else None
        return ch.FileChange(path, base, after, moved).with_hunks(todo="t1")

    files = (
        file("edited.py", BASE, "First\n🙂 second\r\nthird\nfourth\n"),
        file("created.py", None, "new\n"),
        file("deleted.py", BASE, None),
        file("old name.py", BASE, BASE, "new name.py"),
    )
    return ch.ChangeSet("c1", "k1", files, summary="Four kinds of change")


def states() -> list[ch.State]:
    return [
        ch.Draft(),
        ch.Checked(CHECK),
        ch.Proposed(replace(CHECK, status="none", exit_code=None)),
        ch.Applied(CHECK, frozenset({"h1"}), {ROOT / "edited.py": digest_of("x")}),
        ch.Rejected("no"),
        ch.Stale((ROOT / "edited.py",)),
        ch.Undone(),
    ]


def bodies() -> list[ev.Body]:
    return [
        ev.TaskStarted("k1", "do it", "ask", ROOT / "edited.py", "qwen"),
        ev.TaskStarted("k1", "do it", "plan"),
        ev.TextAdded("k1", "word "),
        ev.TextAdded("k1", "anew", reset=True),
        ev.ToolStarted("k1", "1", "read", "read edited.py", {"path": "edited.py"}),
        ev.ToolProgressed("k1", "1", "half of it"),
        ev.ToolFinished("k1", "1", ok=True, summary="3 lines"),
        ev.TodoChanged("k1", TODO, "user"),
        *(ev.ChangeChanged("k1", change().to(state)) for state in states()),
        ev.ApprovalAsked("k1", QUESTION),
        ev.ApprovalAnswered("k1", "q1", "Run it"),
        ev.ApprovalAnswered("k1", "q1", None),
        ev.UsageAdded("k1", Usage(900, 700, 40, 2), 940, 32_768),
        ev.Noticed("k1", "warning", "The disk is full."),
        ev.TaskFinished("k1", "done", "Done."),
    ]


def numbered(body: ev.Body, seq: int = 1) -> ev.Event:
    return ev.Event("s1", seq, 1_790_000_000.5, body)


def name_of(body: ev.Body) -> str:
    return type(body).__name__


@pytest.fixture
def convert() -> Convert:
    places = Places()
    places.set_roots([ROOT.as_uri()])
    return Convert(places, Documents(places.locate, lambda _: None, lambda _: None))


def test_every_type_of_event_is_tried(convert: Convert) -> None:
    assert {convert.event(numbered(body))["type"] for body in bodies()} == set(names.EVENT_TYPES)


@pytest.mark.parametrize("body", bodies(), ids=name_of)
def test_an_event_is_as_the_protocol_says_and_holds_nothing_more(convert: Convert, body: ev.Body) -> None:
    raw = convert.event(numbered(body))
    assert parse_event(raw).to_wire() == raw


def test_every_state_of_a_change_has_a_name_on_the_wire(convert: Convert) -> None:
    told = [convert.change(change().to(state))["state"] for state in states()]
    assert told == ["draft", "checked", "proposed", "applied", "rejected", "stale", "undone"]


def test_a_hunk_has_its_range_in_the_clients_encoding(convert: Convert) -> None:
    files = convert.change(change())["files"]
    edited = [hunk["range"] for hunk in files[0]["hunks"]]
    assert edited == [
        {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}},
        {"start": {"line": 2, "character": 0}, "end": {"line": 2, "character": 5}},
    ]
    assert [file["kind"] for file in files] == ["edit", "create", "delete", "rename"]
    assert files[3]["new_uri"].endswith("/new%20name.py")


@pytest.mark.parametrize("shown", [None, "s1", "no such session"])
def test_the_snapshot_is_as_the_protocol_says(convert: Convert, shown: str | None) -> None:
    history = tuple(numbered(body, seq) for seq, body in enumerate(bodies(), 1))
    task = TaskState("k1", "do it", "ask", ROOT / "edited.py", "qwen", TODO, Usage(900, 700, 40, 2), status="done")
    proposed = change().to(ch.Proposed(CHECK))
    one = SessionOverview("s1", 1_789_999_000.0, len(history), (task,), (proposed,), history, (QUESTION,))
    idle = SessionOverview("s2", 1_700_000_000.0, 0, (), (), (), ())

    raw = snapshot([idle, one], shown, convert, Standing("0.1.0"))

    result = SnapshotResult.model_validate(raw)
    assert result.to_wire() == raw
    assert [session.id for session in result.sessions] == ["s1", "s2"]
    if shown != "no such session":
        assert result.seq == len(history)
        assert result.approvals[0].choices == list(QUESTION.choices)


def test_there_is_a_snapshot_where_there_is_no_session(convert: Convert) -> None:
    nothing: Sequence[SessionOverview] = ()
    raw = snapshot(nothing, None, convert, Standing("0.1.0"))
    assert SnapshotResult.model_validate(raw).to_wire() == raw
    assert "session" not in raw
