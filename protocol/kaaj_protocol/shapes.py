"""The shapes that events and the snapshot share: to-do items, changes, checks, approvals, usage."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from kaaj_protocol.wire import Count, Id, Message, Range, Seconds, Uri

Mode: TypeAlias = Literal["plan", "ask", "auto"]
"""`plan` writes the to-do list and stops; `ask` proposes and waits; `auto` applies once the checks pass."""

Author: TypeAlias = Literal["model", "user", "harness"]
TodoStatus: TypeAlias = Literal["pending", "running", "done", "failed", "skipped"]
ChangeState: TypeAlias = Literal["draft", "checked", "proposed", "applied", "rejected", "stale", "undone"]
FileKind: TypeAlias = Literal["edit", "create", "delete", "rename"]
TaskStatus: TypeAlias = Literal["running", "done", "stopped", "cancelled", "failed"]
"""`done`: it is finished. `stopped`: a limit was reached or nothing could be proposed. `failed`: an error."""


class Evidence(Message):
    """Why a to-do item counts as done: hunks (by id) that serve it, the check that passed, or why none was needed."""

    hunks: list[Id]
    check: str
    note: str


class TodoItem(Message):
    """One item of the to-do list. `by` says who wrote it; `harness` is Kaaj itself."""

    id: Id
    title: str
    status: TodoStatus
    by: Author
    evidence: Evidence | None = None


class Check(Message):
    """What checking the change in the shadow workspace gave.

    `status` is `none` where there was no command to run, or it was not allowed. `parsed` says whether each touched
    file parses. `seconds` is wall time. `output` is what the command printed, at most 16 KB, the cut told in it.
    `exit_code` is absent where no command ran to its end.
    """

    status: Literal["passed", "failed", "none"]
    command: str
    output: str
    seconds: Seconds
    parsed: bool
    sandboxed: bool
    exit_code: int | None = None


class Hunk(Message):
    """One piece of a file's change that can be taken or refused on its own: whole lines.

    `range` lies in the text that the change was made for (`old` stands there; an insertion has an empty range).
    `old` and `new` are exact, line ends included. `todo` is the id of the to-do item that the hunk serves. `warning`
    tells what a look at the new lines does not show, such as invisible characters: show it wherever the hunk is shown.
    """

    id: Id
    range: Range
    old: str
    new: str
    todo: Id | None = None
    warning: str | None = None


class FileChange(Message):
    """What becomes of one file. `new_uri` is there only where the file is renamed. `warning` tells what is odd about
    its name, or what a program does with such a file by itself.

    Hunks are in the order of the text and do not touch. A file that is created, deleted or only renamed has exactly
    one, so that it too can be refused.
    """

    uri: Uri
    kind: FileKind
    hunks: list[Hunk]
    new_uri: Uri | None = None
    warning: str | None = None


class Change(Message):
    """One change set, whole: a later one with the same `id` takes its place.

    States go draft → checked → proposed → applied | rejected | stale, and applied → undone. `digest` covers every
    path, base and new text; it is what `kaaj.accept` and `kaaj.reject` must name, and it differs as soon as what was
    proposed differs. `files` are in the order in which they were first touched. `check` is there from `checked` on.
    `applied` names the hunks that were taken, and is there while the state is `applied`.
    """

    id: Id
    task: Id
    digest: Id
    state: ChangeState
    summary: str
    files: list[FileChange]
    check: Check | None = None
    applied: list[Id] | None = None


class Approval(Message):
    """An open question that only the person may decide: a `command` to run, a workspace's `check` command, or a file
    that holds a `secret`, to be read or written.

    The question itself is put with the request `window/showMessageRequest`, to every client, and answered there; this
    shape tells that it is open. `choices` are in the order shown. (A change to apply needs none: it is `proposed`.)
    """

    id: Id
    task: Id
    kind: Literal["command", "check", "secret"]
    title: str
    detail: str
    choices: list[str]


class Usage(Message):
    """Tokens as the endpoint counts them; `cached_tokens` is the part of `prompt_tokens` that came from its cache.
    `cost` is in the currency of the setting `prices`, absent where no price is known, 0 for the embedded model.

    `context_tokens` is what the last prompt took of `context_window`, both in tokens; 0 where it is not known.
    """

    requests: Count
    prompt_tokens: Count
    cached_tokens: Count
    completion_tokens: Count
    context_tokens: Count = 0
    context_window: Count = 0
    cost: Annotated[float, Field(ge=0)] | None = None


Level: TypeAlias = Literal["info", "warning", "error"]
Time: TypeAlias = Annotated[float, Field(ge=0)]
"""Seconds since the epoch, UTC."""
