"""The event stream: the notification `kaaj/event`, for clients that declare `experimental.kaaj = {version: 1}`.

Ordering, for each session:

- `seq` starts at 1 and grows by exactly 1. A client that sees a gap has lost something and asks for `kaaj.snapshot`,
  whose `seq` names the last event that is already in it.
- A task opens with `task_started` and ends with exactly one `task_finished`. What concerns the task comes between
  them, save `change` (it may be decided or undone later), `todo` (it follows a decision) and `notice`.
- Each `tool_started` gets exactly one `tool_finished` with the same `call`, also where the task is cancelled.
- Tasks of a session may run side by side: their events interleave, and `task` tells them apart.
- `todo`, `change` and `usage` carry the whole value, never a difference: the last one holds.

`time` is seconds since the epoch. Clients skip types and fields that they do not know.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from kaaj_protocol.context import ContextItem
from kaaj_protocol.shapes import Approval, Author, Change, Level, Mode, Time, TodoItem, Usage
from kaaj_protocol.wire import Id, Json, Message, Uri


class _Event(Message):
    session: Id
    seq: Annotated[int, Field(ge=1)]
    time: Time


class TaskStarted(_Event):
    """The first event of a task. `uri` is the document it was started from, `context` what was handed along, if any."""

    type: Literal["task_started"] = "task_started"
    task: Id
    prompt: str
    mode: Mode
    model: str
    uri: Uri | None = None
    context: list[ContextItem] | None = None


class Text(_Event):
    """A piece of the model's prose, in order. Pieces between two other events of the task are one paragraph.

    `reset` is there where the reply begins anew (its stream was cut): what came of that paragraph so far is void.
    """

    type: Literal["text"] = "text"
    task: Id
    text: str
    reset: Literal[True] | None = None


class ToolStarted(_Event):
    """A tool is about to run. `title` is one line for a person; `uri` is the file concerned, if there is one."""

    type: Literal["tool_started"] = "tool_started"
    task: Id
    call: Id
    tool: str
    title: str
    uri: Uri | None = None


class ToolProgress(_Event):
    """What a tool that runs is just at: `note` is one line for a person, in the place of the one before."""

    type: Literal["tool_progress"] = "tool_progress"
    task: Id
    call: Id
    note: str


class ToolFinished(_Event):
    """The end of the `call` of that id; `summary` is one line for a person.

    `ok` is false where the tool refused, failed, or was cancelled.
    """

    type: Literal["tool_finished"] = "tool_finished"
    task: Id
    call: Id
    ok: bool
    summary: str


class Todo(_Event):
    """The task's whole to-do list, in the order in which it is worked on. It replaces the one before.

    `by` says who changed it.
    """

    type: Literal["todo"] = "todo"
    task: Id
    items: list[TodoItem]
    by: Author


class ChangeEvent(_Event):
    """A change set, whole, after each change of its state or content. It replaces the one with the same id."""

    type: Literal["change"] = "change"
    task: Id
    change: Change


class ApprovalEvent(_Event):
    """A question was put to the person (`pending`), or it is settled (`resolved`). Each id comes exactly twice.

    `approval` is there while pending. `answer` is there once resolved, and then absent where nobody answered.
    """

    type: Literal["approval"] = "approval"
    task: Id
    id: Id
    state: Literal["pending", "resolved"]
    approval: Approval | None = None
    answer: str | None = None


class UsageEvent(_Event):
    """The task's tokens so far, as a sum over its requests. It comes after each request to the model."""

    type: Literal["usage"] = "usage"
    task: Id
    usage: Usage


class Notice(_Event):
    """Something a person should know, in `message`: what happened, what was kept, what to do next.

    `task` is absent where the notice concerns the session as a whole.
    """

    type: Literal["notice"] = "notice"
    level: Level
    message: str
    task: Id | None = None


class TaskFinished(_Event):
    """The last event of a task's run. `summary` is for a person."""

    type: Literal["task_finished"] = "task_finished"
    task: Id
    status: Literal["done", "stopped", "cancelled", "failed"]
    summary: str


Event: TypeAlias = Annotated[
    TaskStarted
    | Text
    | ToolStarted
    | ToolProgress
    | ToolFinished
    | Todo
    | ChangeEvent
    | ApprovalEvent
    | UsageEvent
    | Notice
    | TaskFinished,
    Field(discriminator="type"),
]
"""Any event; `type` tells which."""


@cache
def adapter() -> TypeAdapter[Event]:
    """The reader of events, built on first use."""
    return TypeAdapter(Event)


def parse_event(raw: Json) -> Event:
    """One event out of JSON values. Raises pydantic's ValidationError."""
    return adapter().validate_python(raw)
