"""What `kaaj run` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kaaj_agent.ports import Diagnostic
from kaaj_agent.settings import AgentSettings


@dataclass(frozen=True, slots=True)
class Job:
    """What the command line asks for. `root` is absolute, its links resolved."""

    prompt: str
    root: Path
    mode: Literal["plan", "ask", "auto"] = "ask"
    check: str | None = None
    model: str = ""
    base_url: str = ""
    session: str | None = None
    seed: int | None = None
    yes: bool = False
    as_json: bool = False

    def settings(self, base: AgentSettings) -> AgentSettings:
        """The person's settings with this job's own over them."""
        urls = (self.base_url,) if self.base_url else base.base_urls
        seed = base.seed if self.seed is None else self.seed
        return replace(base, base_urls=urls, model=self.model or base.model, mode=self.mode, seed=seed)


class NoEditor:
    """On the command line no editor shows problems."""

    async def diagnostics(self, path: Path | None) -> tuple[Diagnostic, ...]:  # noqa: ARG002 - the port's name
        return ()
