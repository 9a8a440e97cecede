"""Where a task's commands and checks run: its shadow workspaces, laid out when they are first needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from kaaj_agent import check_choice
from kaaj_agent.approvals import Approvals
from kaaj_agent.changes import ChangeSet, CheckResult
from kaaj_agent.check_choice import CheckMemory
from kaaj_agent.checks import ShadowChecker, find_check
from kaaj_agent.failures import SandboxError
from kaaj_agent.limits import Limits
from kaaj_agent.ports import CommandResult, Question
from kaaj_agent.request import StartRequest
from kaaj_agent.session import Session
from kaaj_agent.settings import AgentSettings
from kaaj_agent.shadow import Shadow
from kaaj_agent.staging import Staging

RUN_IT = "Run it"
NOT_NOW = "Do not run it"
USE_IT = "Use it from now on"
NO_CHECK = "Run no check here"


@dataclass
class Workshop:
    """Owns a task's shadow of the first workspace folder. An async context; leaving it ends what runs there."""

    settings: AgentSettings
    state_dir: Path
    approvals: Approvals
    session: Session
    task: str
    request: StartRequest
    limits: Limits
    staging: Staging
    _shadow: Shadow | None = None
    _check: str | None = None
    _allowed: set[str] = field(default_factory=set[str])
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shadow is not None:
            await self._shadow.close()

    @property
    def root(self) -> Path:
        """The folder that commands run in: that of the file the task is about, else the first."""
        folders = self.staging.folders
        about = folders.root_of(self.request.path) if self.request.path else None
        return about or folders.roots[0]
