"""The commands of `workspace/executeCommand`: the one object that each takes, and what it answers.

Every command answers at once with what is known; the work itself is told by events (or progress). Arguments that are
wrong are answered with `InvalidParams`, whose message names the field.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import ConfigDict, Field, ValidationError, model_validator

from kaaj_protocol import names
from kaaj_protocol.context import Context, ContextItem
from kaaj_protocol.shapes import (
    Approval,
    Change,
    ChangeState,
    Level,
    Mode,
    TaskStatus,
    Time,
    TodoItem,
    TodoStatus,
    Usage,
)
from kaaj_protocol.wire import Count, Fault, Id, Json, Message, Range, Uri, faults_of

TODO_MAX: Final = 200
"""Items of a to-do list."""

Prompt: TypeAlias = Annotated[str, Field(min_length=1, max_length=1_000_000, pattern=r"\S")]
"""What is asked, in the person's words: 1 to 1,000,000 characters, not blank."""


class InvalidArgumentError(ValueError):
    """The argument of a command is wrong; `faults` has each field that is, in order, and at least one."""

    def __init__(self, command: str, faults: Sequence[Fault]) -> None:
        self.command = command
        self.faults = tuple(faults)
        super().__init__(f"{command}: " + "; ".join(map(str, self.faults)))

    @property
    def field(self) -> str:
        return self.faults[0].field


class TodoEdit(Message):
    """One item as the person wants it. Without `id` it is new.

    Of the statuses, `pending` and `skipped` are the person's to set; another one leaves the item's own as it is.
    """

    title: Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"\S")]
    id: Id | None = None
    status: TodoStatus | None = None


class StartArgument(Message):
    """Start a task.

    `mode` overrides the setting. `uri` and `range` say where the person is (a range needs its `uri`). `session`
    continues a session; without it the task opens a new one. `context` is what the person hands along. `todo` is the
    list to begin with: it is worked through in its order. Ids in it have no meaning, since the task gives its own;
    what is `skipped` or `done` in it is not worked on.
    """

    prompt: Prompt
    mode: Mode | None = None
    uri: Uri | None = None
    range: Range | None = None
    session: Id | None = None
    context: Context | None = None
    todo: Annotated[list[TodoEdit], Field(min_length=1, max_length=TODO_MAX)] | None = None

    @model_validator(mode="after")
    def _range_has_a_document(self) -> StartArgument:
        if self.range is not None and self.uri is None:
            raise ValueError("uri: a range needs the uri of its document")
        return self


class StartResult(Message):
    """The task runs; it answers within 50 ms, before the model is asked anything."""

    session: Id
    task: Id


class CancelArgument(Message):
    """Stop a task. What it staged is kept as a change and can still be looked at; nothing of it is applied."""

    task: Id


class CancelResult(Message):
    """`cancelled` is false where the task had ended already."""

    task: Id
    cancelled: bool


class DecideArgument(Message):
    """Accept or reject a proposed change, or some hunks of it.

    `digest` is the one that the person saw: another one is refused, since the change is then not what was looked at.
    `hunks` are ids; without it the whole change is meant, and an empty list is refused. Accepting some
    leaves the others proposed, as a new change of the same task; rejecting some takes them out and leaves the others
    proposed, under a new digest. `reason` goes to the model.
    """

    change: Id
    digest: Id
    hunks: Annotated[list[Id], Field(min_length=1)] | None = None
    reason: str | None = None


class UndoArgument(Message):
    """Take an applied change back, at any later time. Refused where its lines were edited since (`data.stale` of the
    error names those files); edits of other lines stay. `uri` takes back what the change did to that file alone.
    `merge` writes nothing: the way back is proposed as a change of its own, with later edits merged in, and places
    that only the person can decide between marks.
    """

    change: Id
    uri: Uri | None = None
    merge: bool | None = None


class ChangeResult(Message):
    """What became of the change. `message` says it to a person, also where nothing was done, and why."""

    change: Id
    state: ChangeState
    message: str


class TodoArgument(Message):
    """The whole list in the order wanted. An item that is not in it is dropped, save one that is done.

    It may be edited while the task runs, and after that as long as the task is the newest of its session: a plan is
    edited before it is run.
    """

    task: Id
    items: Annotated[list[TodoEdit], Field(max_length=TODO_MAX)]


class TodoResult(Message):
    """The list as it stands now."""

    task: Id
    items: list[TodoItem]


class SnapshotArgument(Message):
    """Without `session`, the one that was last active."""

    session: Id | None = None


class SessionInfo(Message):
    """One session, newest first in a list. `title` is its first prompt, cut to a line; `updated` is its last event.

    `prompts` are all its prompts for searching, oldest first, each cut to a line of 120 characters; at most the last
    50.
    """

    id: Id
    title: str
    started: Time
    updated: Time
    running: bool
    prompts: list[str]


class TaskInfo(Message):
    """One task of a session, oldest first in a list. `ended` is absent while it runs.

    `context` is what was handed along with the prompt, if anything was.
    """

    id: Id
    prompt: str
    mode: Mode
    status: TaskStatus
    summary: str
    todo: list[TodoItem]
    usage: Usage
    started: Time
    ended: Time | None = None
    context: list[ContextItem] | None = None


class TranscriptEntry(Message):
    """One entry of the conversation, in order.

    `user` is a prompt, `model` its prose, `tool` a call (`text` is its title, `detail` its summary), `notice` a word
    from Kaaj. `ok` is there for a call that ended, `uri` for one that concerns a file, `level` for a notice.
    """

    kind: Literal["user", "model", "tool", "notice"]
    seq: Count
    time: Time
    text: str
    task: Id | None = None
    detail: str | None = None
    tool: str | None = None
    call: Id | None = None
    ok: bool | None = None
    uri: Uri | None = None
    level: Level | None = None


class ModelInfo(Message):
    """The model that is connected. `context_window` counts tokens; `embedded` runs inside Kaaj and costs nothing."""

    name: str
    context_window: Count
    embedded: bool


class SnapshotResult(Message):
    """All that a client needs to draw itself anew.

    `session` is the one shown, absent where there is none yet. `seq` is its last event in here: events up to it are
    skipped, the next one is `seq + 1`. `approvals` are those still pending. `server` is Kaaj's version.
    `model` is absent until one is connected. `mode` is the setting. `restricted`: the workspace is not trusted, so
    tasks only plan, nothing runs, and nothing is applied.
    """

    version: Literal[1]
    server: str
    sessions: list[SessionInfo]
    seq: Count
    tasks: list[TaskInfo]
    changes: list[Change]
    transcript: list[TranscriptEntry]
    approvals: list[Approval]
    mode: Mode
    restricted: bool
    model: ModelInfo | None = None
    session: Id | None = None


class Markup(Message):
    """Text with its kind, as LSP has it."""

    model_config = ConfigDict(extra="ignore")

    kind: str
    value: str


class Diagnostic(Message):
    """A problem as the editor has it. Its other fields (`tags`, `data`, ...) may be sent along and are skipped."""

    model_config = ConfigDict(extra="ignore")

    range: Range
    message: str | Markup
    severity: Annotated[int, Field(ge=1, le=4)] | None = None
    code: str | int | None = None
    source: str | None = None

    @property
    def text(self) -> str:
        return self.message if isinstance(self.message, str) else self.message.value


class FixArgument(Message):
    """Start a task that mends the problems in `range`.

    Without `diagnostics` those that the server knows there are meant, and if it knows none the text is looked at.
    """

    uri: Uri
    range: Range
    diagnostics: list[Diagnostic] | None = None


class ForgetArgument(Message):
    """Delete a session from the history. Refused while it runs."""

    session: Id


class ForgetResult(Message):
    """`forgotten` is false where it could not be deleted from the disk."""

    session: Id
    forgotten: bool


Argument: TypeAlias = (
    StartArgument
    | CancelArgument
    | DecideArgument
    | UndoArgument
    | TodoArgument
    | SnapshotArgument
    | FixArgument
    | ForgetArgument
)

ARGUMENTS: Final[dict[str, type[Argument]]] = {
    names.START: StartArgument,
    names.CANCEL: CancelArgument,
    names.ACCEPT: DecideArgument,
    names.REJECT: DecideArgument,
    names.UNDO: UndoArgument,
    names.TODO: TodoArgument,
    names.SNAPSHOT: SnapshotArgument,
    names.FIX: FixArgument,
    names.FORGET: ForgetArgument,
}

RESULTS: Final[dict[str, type[Message]]] = {
    names.START: StartResult,
    names.CANCEL: CancelResult,
    names.ACCEPT: ChangeResult,
    names.REJECT: ChangeResult,
    names.UNDO: ChangeResult,
    names.TODO: TodoResult,
    names.SNAPSHOT: SnapshotResult,
    names.FIX: StartResult,
    names.FORGET: ForgetResult,
}


def parse_argument(command: str, arguments: Sequence[Json] | None) -> Argument:
    """The one argument of `command`, out of the plain JSON values of `executeCommand`.

    `kaaj.snapshot` may come without any. Raises InvalidArgumentError, which names each field that is wrong, and
    KeyError where there is no such command.
    """
    model = ARGUMENTS[command]
    rows: list[Json] = list(arguments or ())
    if not rows and model is SnapshotArgument:
        rows = [{}]
    if len(rows) != 1:
        raise InvalidArgumentError(command, [Fault("", f"takes one object as its only argument, not {len(rows)}")])
    try:
        return model.model_validate(rows[0])
    except ValidationError as error:
        raise InvalidArgumentError(command, [_named(fault) for fault in faults_of(error)]) from None


def _named(fault: Fault) -> Fault:
    """A fault of the whole object that begins with the name of a field is that field's."""
    field, colon, problem = fault.problem.partition(": ")
    return Fault(field, problem) if not fault.field and colon else fault
