"""What a front end asks the agent to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from kaaj_agent.events import Mode
from kaaj_agent.ports import Diagnostic

Intent: TypeAlias = Literal["task", "fix", "edit", "explain", "tests", "comment"]


@dataclass(frozen=True, slots=True)
class StartRequest:
    """`span` is the selected lines of `path`, from 0, the end not included. `check` overrides the check command."""

    prompt: str
    mode: Mode = "ask"
    path: Path | None = None
    span: tuple[int, int] | None = None
    session: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    intent: Intent = "task"
    check: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    session: str
    task: str
