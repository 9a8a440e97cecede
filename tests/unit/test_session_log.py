"""The log of a session: what is written comes back, whatever a crash or a full disk leaves of it."""

from __future__ import annotations

import json
from dataclasses import replace
from io import FileIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent import events as ev
from kaaj_agent.changes import Applied, ChangeSet, CheckResult, Draft, FileChange, Proposed
from kaaj_agent.clock import SystemClock
from kaaj_agent.codec import from_json, to_json
from kaaj_agent.document import Document
from kaaj_agent.json_pieces import blocks, pieces
from kaaj_agent.ports import Message, Question, ToolCall, Usage
from kaaj_agent.session import Session
from kaaj_agent.session_log import SessionLog, header, replay
from kaaj_agent.todo import Evidence, Todo, TodoList

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
CHECK = CheckResult("passed", "pytest", "1 passed", 0.5, sandboxed=True, exit_code=0)


def change(root: Path, text: str = "a = 2\n") -> ChangeSet:
    before = Document(root / "a.py", "a = 1\n", version=3)
    return ChangeSet("c1", "t1", (FileChange(before.path, before, text).with_hunks(None, "i1"),))


def bodies(root: Path) -> list[ev.Body]:
    proposed = change(root).to(Proposed(CHECK))
    applied = proposed.to(Applied(CHECK, frozenset({"h1", "h2"}), {root / "a.py": "d", root / "b.py": None}))
    return [
        ev.TaskStarted("t1", "Do it", "ask", root / "a.py", "qwen"),
        ev.TextAdded("t1", "line \u2028 and \U0001f600 \x85"),
        ev.ToolStarted("t1", "call_1", "read", "Read a.py", {"path": "a.py", "start": 1, "$odd": None}),
        ev.ToolProgressed("t1", "call_1", "half of it"),
        ev.ToolFinished("t1", "call_1", ok=True, summary="a.py 1-1"),
        ev.TodoChanged("t1", TodoList((Todo("i1", "Mend", "done", "user", Evidence(("h1",), "pytest", "n")),))),
        ev.ChangeChanged("t1", proposed),
        ev.ChangeChanged("t1", applied),
        ev.ApprovalAsked("t1", Question("check", "t1", "Run?", "pytest", ("Yes", "No"), "q1")),
        ev.ApprovalAnswered("t1", "q1", None),
        ev.UsageAdded("t1", Usage(10, 5, 2, 1), 12, 8192),
        ev.Noticed("t1", "warning", "Careful."),
        ev.TaskFinished("t1", "done", "Done."),
    ]


def a_session(folder: Path) -> Session:
    log = SessionLog.create(folder / "s.jsonl", "s", (folder,), 1.0)
    return Session("s", 1.0, (folder,), log, SystemClock(), [])


def read_back(path: Path, root: Path) -> Session:
    session = Session("s", 1.0, (root,), SessionLog(path), SystemClock(), [])
    session.restore(replay(path))
    return session


def test_every_event_comes_back_as_it_was(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    for body in bodies(tmp_path):
        session.emit(body)
    session.say(Message("assistant", "Hm", (ToolCall("call_1", "read", {"path": "a.py"}),)))
    session.log.close()
    again = read_back(tmp_path / "s.jsonl", tmp_path)
    assert again.events == session.events
    assert again.messages == session.messages
    assert again.tasks == session.tasks
    assert again.changes == session.changes


@pytest.mark.parametrize("body", bodies(Path("/r")), ids=lambda body: type(body).__name__)
def test_codec_round_trip(body: ev.Body) -> None:
    assert from_json(to_json(body)) == body


def test_a_changes_texts_stand_in_the_log_once(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    session.emit(ev.TaskStarted("t1", "Do it", "ask"))
    big = change(tmp_path, "needle = 12345\n" * 50)
    session.emit(ev.ChangeChanged("t1", big.to(Draft())))
    session.emit(ev.ChangeChanged("t1", big.to(Proposed(CHECK))))
    session.emit(ev.ChangeChanged("t1", big.to(Applied(CHECK, frozenset(), {}))))
    session.log.close()
    text = (tmp_path / "s.jsonl").read_text()
    assert text.count("needle") == 100  # once as the new text, once as its hunk
    assert read_back(tmp_path / "s.jsonl", tmp_path).changes["c1"].files == big.files


def test_a_torn_last_line_is_dropped_and_the_log_goes_on(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    session.emit(ev.TaskStarted("t1", "Do it", "ask"))
    session.emit(ev.Noticed("t1", "info", "kept"))
    session.log.close()
    path = tmp_path / "s.jsonl"
    whole = path.read_bytes()
    for cut in range(1, 40):
        path.write_bytes(whole + whole.splitlines(keepends=True)[-1][:-cut])
        log = SessionLog.reopen(path)
        log.event(ev.Event("s", 3, 1.0, ev.Noticed("t1", "info", "after")))
        log.close()
        notes = [e.body.text for e in read_back(path, tmp_path).events if isinstance(e.body, ev.Noticed)]
        assert notes == ["kept", "after"]


def test_a_log_belongs_to_one_process(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    with pytest.raises(BlockingIOError):
        SessionLog.reopen(tmp_path / "s.jsonl")
    session.log.close()
    SessionLog.reopen(tmp_path / "s.jsonl").close()


def test_a_full_disk_is_told_once_and_the_session_goes_on() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    log = SessionLog(full, FileIO(full, "ab"))
    session = Session("s", 1.0, (), log, SystemClock(), [])
    session.emit(ev.TaskStarted("t1", "Do it", "ask"))
    session.emit(ev.Noticed("t1", "info", "more"))
    told = [e.body.text for e in session.events if isinstance(e.body, ev.Noticed) and e.body.level == "warning"]
    assert len(told) == 1
    assert "No space left" in told[0]
    assert [event.seq for event in session.events] == [1, 2, 3]


def test_a_folder_that_cannot_be_made_leaves_a_session_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = SessionLog.create(tmp_path / "file" / "s.jsonl", "s", (), 1.0)
    session = Session("s", 1.0, (), log, SystemClock(), [])
    session.emit(ev.TaskStarted("t1", "Do it", "ask"))
    assert isinstance(session.events[1].body, ev.Noticed)


def test_header(tmp_path: Path) -> None:
    a_session(tmp_path).log.close()
    head = header(tmp_path / "s.jsonl")
    assert head is not None
    assert (head.session, head.roots) == ("s", (tmp_path,))
    (tmp_path / "x.jsonl").write_text("nonsense\n")
    assert header(tmp_path / "x.jsonl") is None


def test_what_is_large_is_written_by_a_thread_in_its_order(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    session.emit(ev.TaskStarted("t1", "Do it", "ask"))
    assert not session.log.busy
    texts = ['\ud800 é 😀 "\\ \n' * 20_000, "second\n" * 30_000]
    for number, text in enumerate(texts):
        big = replace(change(tmp_path, text), id=f"c{number}")
        session.emit(ev.ChangeChanged("t1", big.to(Proposed(CHECK))))
        session.emit(ev.ChangeChanged("t1", big.to(Applied(CHECK, frozenset(), {}))))
        session.say(Message("user", text))
        session.emit(ev.Noticed("t1", "info", "small, and behind it"))
    assert session.log.busy
    session.log.close()
    again = read_back(tmp_path / "s.jsonl", tmp_path)
    assert again.events == session.events
    assert again.changes == session.changes
    assert [message.content for message in again.messages] == [message.content for message in session.messages]


@given(PLAIN, st.integers(1, 20))
def test_json_in_pieces_is_json(value: object, step: int) -> None:
    made = list(pieces(value, step))
    assert "".join(made) == json.dumps(value, separators=(",", ":"))
    assert b"".join(blocks(made, step)).decode() == "".join(made)
    strings = [piece for piece in made if len(piece) > 12 * step + 3]  # an escaped character takes twelve at most
    assert all(piece.endswith(":") or piece.lstrip("-").isdigit() for piece in strings)


def test_a_disk_that_fills_during_a_large_entry_is_told(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    log = SessionLog(full, FileIO(full, "ab"))
    session = Session("s", 1.0, (), log, SystemClock(), [])
    session.emit(ev.ChangeChanged("t1", change(tmp_path, "x\n" * 200_000).to(Proposed(CHECK))))
    log.flush()
    session.emit(ev.Noticed("t1", "info", "more"))
    told = [e.body.text for e in session.events if isinstance(e.body, ev.Noticed) and e.body.level == "warning"]
    assert len(told) == 1
