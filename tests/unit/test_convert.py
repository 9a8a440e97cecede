"""What goes over the wire is what the protocol describes, and edits land where they were meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaaj_agent import events as ev
from kaaj_agent.agent import SessionOverview
from kaaj_agent.changes import (
    Applied,
    ChangeSet,
    Checked,
    CheckResult,
    FileChange,
    Proposed,
    Rejected,
    Stale,
    State,
    Undone,
)
from kaaj_agent.document import Document
from kaaj_agent.failures import BadRequestError
from kaaj_agent.ports import Diagnostic, Question, Usage
from kaaj_agent.session import TaskState
from kaaj_agent.todo import DONE_BEFORE, Evidence, Todo, TodoList
from kaaj_protocol import commands, events
from kaaj_server.convert import Convert, first_list, span_of
from kaaj_server.edits import workspace_edit
from kaaj_server.lsp.documents import Documents
from kaaj_server.lsp.features import Features
from kaaj_server.lsp.positions import Encoding
from kaaj_server.testing import edited
from kaaj_server.transcript import Standing, snapshot
from kaaj_server.uris import Places, path_of

ROOT = Path("/w")
PATH = ROOT / "a.py"
QUESTION = Question("command", "t", "Run it?", "rm", ("Run", "Skip"), "q1")
CHECK = CheckResult("passed", "pytest", "ok", 0.5, exit_code=0)
TODO = TodoList((Todo("t1", "One", "done", "user", Evidence(("h1",), "pytest", "")), Todo("t2", "Two")))


def convert(encoding: Encoding = "utf-16") -> Convert:
    places = Places()
    places.set_roots([ROOT.as_uri()])
    documents = Documents(places.locate, lambda _: None, lambda _: None)
    documents.encoding = encoding
    return Convert(places, documents)


def change(state: State, *files: FileChange) -> ChangeSet:
    made = files or (FileChange(PATH, Document(PATH, "one\ntwo\n"), "one\n2\n"),)
    return ChangeSet("c", "t", tuple(file.with_hunks(todo="t1") for file in made), state, "Summary")


STATES: list[State] = [
    Checked(CHECK),
    Proposed(CHECK),
    Applied(CHECK, frozenset({"h1"}), {PATH: "d"}),
    Rejected("no"),
    Stale((PATH,)),
    Undone(),
]
BODIES: list[ev.Body] = [
    ev.TaskStarted("t", "Do it", "ask", PATH, "m"),
    ev.TaskStarted("t", "Do it", "auto"),
    ev.TextAdded("t", "word"),
    ev.TextAdded("t", "", reset=True),
    ev.ToolStarted("t", "call", "read", "read a.py", {"path": "a.py"}),
    ev.ToolProgressed("t", "call", "half of it"),
    ev.ToolFinished("t", "call", ok=False, summary="no such file"),
    ev.TodoChanged("t", TODO, "user"),
    *[ev.ChangeChanged("t", change(state)) for state in STATES],
    ev.ChangeChanged("t", change(Proposed(CHECK), FileChange(PATH, None, "new\n"))),
    ev.ChangeChanged("t", change(Proposed(CHECK), FileChange(PATH, Document(PATH, "old"), None))),
    ev.ChangeChanged("t", change(Proposed(CHECK), FileChange(PATH, Document(PATH, "x"), "x", ROOT / "b.py"))),
    ev.ApprovalAsked("t", QUESTION),
    ev.ApprovalAnswered("t", "q1", "Run"),
    ev.ApprovalAnswered("t", "q1", None),
    ev.UsageAdded("t", Usage(5, 3, 1, 1), 6, 100),
    ev.Noticed("t", "warning", "Look out."),
    ev.TaskFinished("t", "done", "Did it."),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_every_event_is_what_the_protocol_says(body: ev.Body) -> None:
    row = convert().event(ev.Event("s", 3, 1.5, body))
    read = events.parse_event(row)
    assert (read.session, read.seq, read.time) == ("s", 3, 1.5)
    assert read.to_wire() | row == row | read.to_wire(), "nothing is lost and nothing is made up"


def test_no_kind_of_event_is_left_out() -> None:
    assert {type(body) for body in BODIES} == set(get_args(ev.Body))


def test_the_snapshot_is_what_the_protocol_says() -> None:
    seen = tuple(ev.Event("s", seq, 2.0 + seq, body) for seq, body in enumerate(BODIES, start=1))
    task = TaskState("t", "Do it\nnow", "ask", PATH, "m", TODO, Usage(1, 1, 1, 1), 2, 3, "done", "Did it.")
    session = SessionOverview("s", 1.0, len(seen), (task,), (change(Proposed(CHECK)),), seen, (QUESTION,))
    other = replace(session, id="r", events=(), seq=0, tasks=(), changes=(), questions=())
    row = snapshot([other, session], None, convert(), Standing("1.0"))
    read = commands.SnapshotResult.model_validate(row)
    assert read.session == "s"
    assert read.seq == len(seen)
    assert [one.id for one in read.sessions] == ["s", "r"]
    assert read.sessions[0].title == "Do it"
    texts = [(entry.kind, entry.text, entry.ok) for entry in read.transcript]
    assert texts[:4] == [
        ("user", "Do it", None),
        ("user", "Do it", None),
        ("tool", "read a.py", False),
        (
            "notice",
            "Look out.",
            None,
        ),
    ]
    assert commands.SnapshotResult.model_validate(snapshot([], None, convert(), Standing("1.0"))).session is None


texts = st.lists(st.sampled_from(["\n", "\r\n", "a", "é", "😀", "\x0c", "\u2028", "x\n", "y\n"]), max_size=30).map(
    "".join
)


@settings(max_examples=200, deadline=None)
@given(texts, texts, st.sampled_from(["utf-8", "utf-16", "utf-32"]), st.data())
def test_an_editor_that_does_the_edits_gets_the_new_text(
    before: str, after: str, encoding: Encoding, data: st.DataObject
) -> None:
    whole = change(Proposed(CHECK), FileChange(PATH, Document(PATH, before), after))
    ids = [hunk.id for hunk in whole.hunks]
    chosen = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    for one in (whole, whole.only(set(chosen))):
        for file in one.files:
            edit = workspace_edit(ChangeSet("c", "t", (file,)), convert(encoding), Features(encoding=encoding))
            rows = edit["changes"][PATH.as_uri()]
            assert edited(before, rows, encoding) == file.after


@pytest.mark.parametrize(
    ("place", "whole", "lines"),
    [
        ((3, 4, 3, 4), False, (3, 3)),
        ((3, 4, 3, 4), True, (3, 4)),
        ((3, 0, 3, 9), False, (3, 4)),
        ((3, 2, 5, 0), False, (3, 5)),
        ((3, 2, 5, 1), False, (3, 6)),
        ((5, 1, 3, 2), False, (3, 6)),
    ],
)
def test_a_range_covers_lines(place: tuple[int, int, int, int], *, whole: bool, lines: tuple[int, int]) -> None:
    a, b, c, d = place
    row = {"start": {"line": a, "character": b}, "end": {"line": c, "character": d}}
    first, last = span_of(row, whole_lines=whole)
    assert (first, last) == lines if a <= c else (first, last) == (3, 6)


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "http://example.org/a", "git:/w/a.py", "nonsense", "file:rel"])
def test_what_is_no_file_is_refused_by_name(uri: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        convert().path(uri)
    assert refused.value.field == "uri"


@pytest.mark.parametrize("name", ["a b.py", "naïve 😀.py", "50%.py", "c++/a#b?.py", "(x)[y].py"])
def test_a_uri_leads_to_its_path_and_back(name: str) -> None:
    path = ROOT / name
    made = convert().uri(path)
    assert path_of(made) == path
    assert path_of(path.as_uri()) == path


def test_the_clients_own_spelling_is_sent_back() -> None:
    both = convert()
    odd = "file:///w/%61.py"
    both.documents.opened({"textDocument": {"uri": odd, "version": 1, "text": ""}})
    assert both.uri(PATH) == odd


def test_a_problem_is_placed_by_characters_and_not_by_bytes() -> None:
    both = convert("utf-8")
    both.documents.opened({"textDocument": {"uri": PATH.as_uri(), "version": 1, "text": "é😀x\n"}})
    raw: dict[str, Any] = {"range": {"start": {"line": 0, "character": 6}}, "message": {"kind": "md", "value": "m"}}
    assert both.diagnostic(PATH, raw) == Diagnostic(PATH, 1, 3, "error", "m")


def test_the_persons_edit_of_the_list() -> None:
    edits = commands.TodoArgument.model_validate(
        {
            "task": "t",
            "items": [
                {"title": "New"},
                {"id": "t2", "title": "Two", "status": "skipped"},
            ],
        }
    ).items
    assert convert().todo(edits, TODO) == (
        Todo("t3", "New", "pending", "user"),
        Todo("t2", "Two", "skipped"),
        TODO.items[0],
    )
    wrong = [commands.TodoEdit(title="x", id="gone")]
    with pytest.raises(BadRequestError) as refused:
        convert().todo(wrong, TODO)
    assert refused.value.field == "items.0.id"


def test_a_status_that_is_not_the_persons_to_set_is_left_as_it_was() -> None:
    edits = [commands.TodoEdit(title="Two", id="t2", status=cast("Any", "done"))]
    assert convert().todo(edits, TODO)[0].status == "pending"


@pytest.mark.parametrize(
    ("tool", "path", "uri"),
    [("edit", "a.py", {"uri": "file:///w/a.py"}), ("search", "src", {}), ("read", "../out.py", {}), ("read", 7, {})],
)
def test_a_call_names_the_file_that_it_is_about(tool: str, path: object, uri: object) -> None:
    assert convert().concerned(tool, {"path": path}) == uri


def test_the_list_that_a_task_begins_with() -> None:
    """What was done stays done, and is not told to be skipped."""
    rows = [("a", "done"), ("b", "skipped"), ("c", "running"), ("d", None)]
    items = first_list([commands.TodoEdit.model_validate({"title": title, "status": status}) for title, status in rows])
    assert [(item.id, item.status) for item in items] == [
        ("t1", "done"),
        ("t2", "skipped"),
        ("t3", "pending"),
        ("t4", "pending"),
    ]
    assert items[0].evidence.note == DONE_BEFORE
