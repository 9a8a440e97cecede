"""Whether a command of the model's may run, and how: by what is read in it, what was allowed, what the person says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent.allowed_commands import Allowed, AllowedCommands
from kaaj_agent.command_policy import shown
from kaaj_agent.command_policy.verdict import Judgement, Where, judge, read
from kaaj_agent.ports import Question
from kaaj_agent.shadow import Shadow

RUN_IT: Final = "Run it"
ALWAYS: Final = "Always in this workspace"
OFFLINE: Final = "Run it without the network"
NOT_NOW: Final = "Do not run it"

_HOW: Final[dict[Where, str]] = {
    "sandbox": "It would run in the sandbox: on a copy of the workspace, without network, your home out of sight.",
    "network": (
        "It would run in the sandbox, on a copy of the workspace, your home out of sight, but with the network: it "
        "could send what is in the workspace anywhere, and reach what listens on this machine (localhost): databases, "
        "development servers, a model's endpoint."
    ),
    "unboxed": "It would run on a copy of the workspace, but with all your rights, network and files included.",
}


@dataclass(slots=True)
class CommandGate:
    """One task's. `ask` puts a question. `network`: commands that want it are asked for with it."""

    task: str
    root: Path
    roots: tuple[Path, ...]
    state_dir: Path
    network: bool
    ask: Callable[[Question], Awaitable[str | None]]

    async def decide(self, command: str, shadow: Shadow) -> Where | Refusal:
        """How the command may run, or why it may not."""
        judgement = await asyncio.to_thread(self._judge, command, shadow)
        if judgement.verdict == "allowed":
            return judgement.where
        name = shown.title(command)
        if judgement.verdict == "refused":
            return Refusal(f"`{name}` was not run. {' '.join(judgement.reasons)} Do it otherwise, or go on without it.")
        memory = await asyncio.to_thread(AllowedCommands.of, self.state_dir, self.roots)
        where = judgement.where
        if memory is not None and await asyncio.to_thread(memory.allows, self.root, command, where):
            return where
        answer = await self.ask(self._question(command, judgement, shadow.sandbox.reason, lasting=memory is not None))
        if answer == RUN_IT:
            return where
        if answer == ALWAYS and memory is not None:
            await asyncio.to_thread(memory.add, Allowed(str(self.root), command, where))
            return where
        if answer == OFFLINE:
            return "sandbox"
        why = " ".join(judgement.reasons)
        return Refusal(f"The user did not allow `{name}`; it was not run. {why} Go on without it.".replace("  ", " "))

    async def may_look(self, command: str, shadow: Shadow) -> bool:
        """Whether a command of Kaaj's own may run in the sandbox without anyone being asked."""
        judgement = await asyncio.to_thread(self._judge, command, shadow)
        return judgement.verdict == "allowed" and judgement.where == "sandbox"

    def _judge(self, command: str, shadow: Shadow) -> Judgement:
        sandboxed = shadow.shell.sandboxed
        if sandboxed:
            found = read(command, self.roots, shadow.sandbox.home, start_in=self.root)
        else:
            # Without a sandbox the workspace's own paths lead to the person's files, not to the copy.
            place = shadow.place_of(self.root)
            copies = tuple(shadow.place_of(root) for root in self.roots)
            found = read(command, copies, shadow.sandbox.home, start_in=place, originals=self.roots)
        return judge(found, command, sandboxed=sandboxed, network=self.network)

    def _question(self, command: str, judgement: Judgement, no_sandbox: str, *, lasting: bool) -> Question:
        where = judgement.where
        rows: list[str] = []
        if shown.is_cut(command) or "\n" in command.strip():
            rows.append(shown.visible(command.strip()))
        if where == "unboxed":
            rows.append(f"There is no sandbox. {no_sandbox}")
        rows.append(_HOW[where])
        rows += judgement.reasons
        if judgement.programs:
            rows.append(f"Programs: {', '.join(shown.title(name) for name in judgement.programs)}.")
        if lasting:
            rows.append(f"“{ALWAYS}” holds for exactly this text; `kaaj allowed` takes it back.")
        choices = [RUN_IT, *([ALWAYS] if lasting else []), *([OFFLINE] if where == "network" else []), NOT_NOW]
        asked = f"Run `{shown.title(command)}`{' with the network' if where == 'network' else ''}?"
        return Question("command", self.task, asked, "\n".join(rows), tuple(choices), unboxed=where == "unboxed")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a command was not run: a sentence for the model."""

    sentence: str
