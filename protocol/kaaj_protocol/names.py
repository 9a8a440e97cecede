"""The names on the wire, free of every heavy import, so that the way to `initialize` stays short."""

from __future__ import annotations

from typing import Final

SECTION: Final = "kaaj"
"""The section of the settings, and the key under `capabilities.experimental`."""

EVENT: Final = "kaaj/event"
"""The notification, from server to client, that carries one event."""

DIAGNOSTICS: Final = "kaaj/diagnostics"
"""The request, from server to client, for the problems that the editor shows."""

START: Final = "kaaj.start"
CANCEL: Final = "kaaj.cancel"
ACCEPT: Final = "kaaj.accept"
REJECT: Final = "kaaj.reject"
UNDO: Final = "kaaj.undo"
TODO: Final = "kaaj.todo"
SNAPSHOT: Final = "kaaj.snapshot"
FIX: Final = "kaaj.fix"
FORGET: Final = "kaaj.forget"

COMMANDS: Final = (START, CANCEL, ACCEPT, REJECT, UNDO, TODO, SNAPSHOT, FIX, FORGET)
"""Every command of `workspace/executeCommand`; each takes one object as its only argument."""

TASK_STARTED: Final = "task_started"
TEXT: Final = "text"
TOOL_STARTED: Final = "tool_started"
TOOL_PROGRESS: Final = "tool_progress"
TOOL_FINISHED: Final = "tool_finished"
TODO_EVENT: Final = "todo"
CHANGE: Final = "change"
APPROVAL: Final = "approval"
USAGE: Final = "usage"
NOTICE: Final = "notice"
TASK_FINISHED: Final = "task_finished"

EVENT_TYPES: Final = (
    TASK_STARTED,
    TEXT,
    TOOL_STARTED,
    TOOL_PROGRESS,
    TOOL_FINISHED,
    TODO_EVENT,
    CHANGE,
    APPROVAL,
    USAGE,
    NOTICE,
    TASK_FINISHED,
)
"""The `type` of every event."""
