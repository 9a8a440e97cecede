"""What a front end asks the agent to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from kaaj_agent.attachments import Attachment
from kaaj_agent.events import Mode
from kaaj_agent.ports import Diagnostic
from kaaj_agent.todo import Todo

Intent: TypeAlias = Literal["task", "fix", "edit", "explain", "tests", "comment"]


@dataclass(frozen=True, slots=True)
class StartRequest:
    """`span` is the selected lines of `path`, from 0, the end not included. `check` overrides the check command.

    `context` is what the person handed along; `todo` is the list to begin with, worked through in its order.
    """

    prompt: str
    mode: Mode = "ask"
    path: Path | None = None
    span: tuple[int, int] | None = None
    session: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    intent: Intent = "task"
    check: str | None = None
    context: tuple[Attachment, ...] = ()
    todo: tuple[Todo, ...] = ()


@dataclass(frozen=True, slots=True)
class Started:
    session: str
    task: str
