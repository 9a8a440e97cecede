"""What happened, as immutable values: the only thing that a UI draws and a session is resumed from.

A session's events are numbered from 1 without gaps. Within one task the order is: `TaskStarted` first; then any
number of the others; `TaskFinished` last. `ToolFinished` follows the `ToolStarted` of the same call, always, also
when the call was cancelled. A `ChangeChanged` carries the whole change set in its new state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from kaaj_agent.attachments import Attachment
from kaaj_agent.changes import ChangeSet
from kaaj_agent.ports import Question, Usage
from kaaj_agent.todo import Author, TodoList

Mode: TypeAlias = Literal["plan", "ask", "auto"]
Ending: TypeAlias = Literal["done", "stopped", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class TaskStarted:
    task: str
    prompt: str
    mode: Mode
    path: Path | None = None
    model: str = ""
    context: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class TextAdded:
    """Prose of the model, as it streams. `reset`: the reply begins anew, forget its text so far."""

    task: str
    text: str
    reset: bool = False


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """`title` is one line for people, such as `read cart.py`."""

    task: str
    call: str
    tool: str
    title: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolProgressed:
    """What a tool that runs is just at, as one line for people. It takes the place of the line before."""

    task: str
    call: str
    note: str


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """`summary` is one line for people; what the model reads is in the session's messages."""

    task: str
    call: str
    ok: bool
    summary: str


@dataclass(frozen=True, slots=True)
class TodoChanged:
    task: str
    todo: TodoList
    by: Author = "model"


@dataclass(frozen=True, slots=True)
class ChangeChanged:
    task: str
    change: ChangeSet


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    task: str
    question: Question


@dataclass(frozen=True, slots=True)
class ApprovalAnswered:
    """`answer` is one of the question's choices, or None where nobody answered."""

    task: str
    question: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class UsageAdded:
    """`total` is the task's so far, `cost` what it cost, None where no price is known.

    `window` is the model's context window in tokens, `used` what the last prompt took.
    """

    task: str
    total: Usage
    used: int = 0
    window: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something that a person should know: what happened, what was kept, what to do next."""

    task: str
    level: Literal["info", "warning", "error"]
    text: str


@dataclass(frozen=True, slots=True)
class TaskFinished:
    task: str
    status: Ending
    summary: str


Body: TypeAlias = (
    TaskStarted
    | TextAdded
    | ToolStarted
    | ToolProgressed
    | ToolFinished
    | TodoChanged
    | ChangeChanged
    | ApprovalAsked
    | ApprovalAnswered
    | UsageAdded
    | Noticed
    | TaskFinished
)


@dataclass(frozen=True, slots=True)
class Event:
    """`time` is seconds since the epoch; `seq` counts from 1 within the session."""

    session: str
    seq: int
    time: float
    body: Body
