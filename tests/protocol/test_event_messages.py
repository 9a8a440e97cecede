"""Every event goes over the wire and comes back as it was; what is not an event is told by its field."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from kaaj_protocol import events, names
from kaaj_protocol.shapes import Approval, Change, Check, Evidence, FileChange, Hunk, TodoItem, Usage
from kaaj_protocol.wire import Position, Range, faults_of

HEAD: dict[str, Any] = {"session": "s1", "seq": 7, "time": 1_790_000_000.25}
CHANGE = Change(
    id="c1",
    task="k1",
    digest="d" * 64,
    state="checked",
    summary="Rename add to plus",
    files=[
        FileChange(
            uri="file:///tmp/a%20b.py",
            new_uri="file:///tmp/c.py",
            kind="rename",
            hunks=[
                Hunk(
                    id="h1",
                    range=Range(start=Position(line=0, character=0), end=Position(line=1, character=0)),
                    old="def add():\r\n",
                    new="def plus():\r\n",
                    todo="t1",
                )
            ],
        )
    ],
    check=Check(
        status="failed",
        command="pytest -q",
        output="1 failed",
        seconds=1.5,
        parsed=True,
        sandboxed=True,
        exit_code=1,
    ),
)

ALL: list[events.Event] = [
    events.TaskStarted(**HEAD, task="k1", prompt="rename", mode="ask", model="qwen", uri="file:///tmp/a.py"),
    events.Text(**HEAD, task="k1", text="नमस्ते 🙂\n", reset=True),
    events.ToolStarted(**HEAD, task="k1", call="1", tool="read", title="read a.py", uri="file:///tmp/a.py"),
    events.ToolProgress(**HEAD, task="k1", call="1", note="candidate 3: a → b"),
    events.ToolFinished(**HEAD, task="k1", call="1", ok=False, summary="no such file"),
    events.Todo(
        **HEAD,
        task="k1",
        by="user",
        items=[
            TodoItem(
                id="t1",
                title="Rename it",
                status="done",
                by="model",
                evidence=Evidence(hunks=["h1"], check="pytest -q", note=""),
            )
        ],
    ),
    events.ChangeEvent(**HEAD, task="k1", change=CHANGE),
    events.ApprovalEvent(
        **HEAD,
        task="k1",
        id="q1",
        state="pending",
        approval=Approval(
            id="q1", task="k1", kind="command", title="Run it?", detail="pytest -q", choices=["Skip", "Run"]
        ),
    ),
    events.UsageEvent(
        **HEAD,
        task="k1",
        usage=Usage(requests=2, prompt_tokens=900, cached_tokens=700, completion_tokens=40, context_window=32_768),
    ),
    events.Notice(**HEAD, level="warning", message="The disk is full. The log stops here."),
    events.TaskFinished(**HEAD, task="k1", status="done", summary="Renamed."),
]


def id_of(event: events.Event) -> str:
    return event.type


def test_the_list_here_has_every_type_in_its_order() -> None:
    assert tuple(event.type for event in ALL) == names.EVENT_TYPES


@pytest.mark.parametrize("event", ALL, ids=id_of)
def test_an_event_survives_the_wire(event: events.Event) -> None:
    assert events.parse_event(json.loads(json.dumps(event.to_wire()))) == event


@pytest.mark.parametrize("event", ALL, ids=id_of)
def test_an_event_refuses_a_field_that_does_not_exist(event: events.Event) -> None:
    with pytest.raises(ValidationError) as caught:
        events.parse_event({**event.to_wire(), "colour": "red"})
    (fault,) = faults_of(caught.value)
    assert fault.field.endswith("colour")
    assert fault.problem == "there is no such field"


@pytest.mark.parametrize("event", ALL, ids=id_of)
def test_no_field_of_the_head_can_be_left_out(event: events.Event) -> None:
    for field in HEAD:
        raw = event.to_wire()
        del raw[field]
        with pytest.raises(ValidationError, match=field):
            events.parse_event(raw)


def test_what_is_not_there_is_left_out_and_never_null() -> None:
    notice = events.Notice(**HEAD, level="info", message="hello").to_wire()
    assert notice == {**HEAD, "type": "notice", "level": "info", "message": "hello"}


def test_events_and_what_they_hold_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ALL[0].seq = 8  # pyright: ignore[reportAttributeAccessIssue]  # what must fail


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"seq": 0}, "seq"),
        ({"seq": "7"}, "seq"),
        ({"time": True}, "time"),
        ({"text": 3}, "text"),
        ({"session": ""}, "session"),
    ],
)
def test_a_wrong_value_is_told_by_its_field(raw: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        events.parse_event({**ALL[1].to_wire(), **raw})
    assert [fault.field.split(".")[-1] for fault in faults_of(caught.value)] == [field]
