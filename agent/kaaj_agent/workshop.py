"""Where a task's commands and checks run: its shadow workspaces, laid out when they are first needed."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from kaaj_agent import check_choice
from kaaj_agent import events as ev
from kaaj_agent.allowed_commands import Allowed, AllowedCommands
from kaaj_agent.approvals import Approvals
from kaaj_agent.changes import ChangeSet, CheckResult
from kaaj_agent.check_choice import CheckMemory
from kaaj_agent.checks import ShadowChecker, find_check
from kaaj_agent.command_gate import CommandGate, Refusal
from kaaj_agent.command_policy.shown import title, visible
from kaaj_agent.command_policy.verdict import Where
from kaaj_agent.failures import FileError, SandboxError
from kaaj_agent.ignore import Ignore
from kaaj_agent.limits import Limits
from kaaj_agent.ports import CommandResult, Question
from kaaj_agent.request import StartRequest
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.session import Session
from kaaj_agent.settings import AgentSettings
from kaaj_agent.shadow import Shadow, ShadowChange
from kaaj_agent.shadow_loss import sentence
from kaaj_agent.staging import Staging
from kaaj_agent.tools.bench import Use
from kaaj_agent.warm_shadow import WarmShadow

USE_IT = "Use it from now on"
NO_CHECK = "Run no check here"
KEEP_AWAY = "Keep it away"
THIS_ONCE = "Allow it in this task"


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
    ignore: Ignore
    warm: WarmShadow | None = None
    _shadow: Shadow | None = None
    _check: str | None = None
    _decided: bool = False
    _told: set[str] = field(default_factory=set[str])
    _allowed: set[str] = field(default_factory=set[str])
    _permitted: set[tuple[Path, Use]] = field(default_factory=set[tuple[Path, Use]])
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shadow, self._shadow = self._shadow, None
        if shadow is not None and self.warm is not None:
            await self.warm.give(shadow, self._fits(shadow.sandbox))
        elif shadow is not None:
            await shadow.close()

    def _fits(self, sandbox: Sandbox) -> Hashable:
        """What another task must have in common with this one to go on with its shadow."""
        return self.staging.folders, self.root, self.settings, sandbox.available

    @property
    def root(self) -> Path:
        """The folder that commands run in: that of the file the task is about, else the first."""
        folders = self.staging.folders
        about = folders.root_of(self.request.path) if self.request.path else None
        return about or folders.roots[0]

    async def shadow(self) -> Shadow:
        """The task's shadow, opened at first use. Raises SandboxError where a sandbox is required and missing."""
        if self.settings.restricted:
            raise SandboxError("This workspace is not trusted, so nothing runs in it.", hint="Trust it first.")
        if self._shadow is None:
            sandbox = await Sandbox.find([self.state_dir], wanted=self.settings.sandbox != "off")
            if self.settings.sandbox == "required" and not sandbox.available:
                raise SandboxError(
                    f"No command may run: the sandbox is required and missing ({sandbox.reason}).",
                    hint="Install bubblewrap, or set sandbox to auto.",
                )
            folders = self.staging.folders
            kept = await self.warm.take(self._fits(sandbox)) if self.warm is not None else None
            if kept is not None:
                kept.serve(self.ignore)
            self._shadow = kept or await Shadow.open(
                folders, self.state_dir, root=self.root, sandbox=sandbox, ignore=self.ignore
            )
        return self._shadow

    async def command(self, command: str, staging: Staging) -> tuple[CommandResult, tuple[str, ...]] | str:
        """Run a command of the model's with what is staged in place, and stage what it changed.

        A refusal is a sentence for the model. Cancelling ends the command; what it changed is dropped.
        """
        async with self._busy:
            shadow = await self.shadow()
            where = await self._may_run(command, shadow)
            if isinstance(where, Refusal):
                return where.sentence
            await shadow.sync(staging.snapshot, staging.files)
            shell = shadow.networked if where == "network" else shadow.shell
            result = await shell.run(command, timeout=self.settings.command_timeout)
            staged = await self._adopt(await shadow.changed_files(), staging)
            left_out = self._tell_limits()
            return replace(result, left_out=left_out), staged

    async def check(
        self, change: ChangeSet, *, command: str | None = None, timeout: float | None = None
    ) -> CheckResult:
        """Parse what is touched, then run the workspace's check command on the staged tree.

        `command` is that command cut down to some of its tests, and as allowed as it; None runs all. `timeout`
        (seconds) can only shorten what the settings say.
        """
        async with self._busy:
            allowed = await self.check_command()
            command = (command or allowed) if allowed else allowed
            if not command and not any(file.after is not None for file in change.files):
                return CheckResult("none")
            seconds = min(self.settings.check_timeout, timeout or self.settings.check_timeout)
            checker = ShadowChecker(self.shadow, self.staging.snapshot, command, timeout=seconds)
            result = await checker.check(change)
            self._tell_limits()
            return result

    async def look(self, change: ChangeSet, command: str, *, timeout: float) -> CommandResult | None:
        """What a command that only looks tells of the staged tree; nothing that it writes is staged.

        None where it cannot run in a sandbox: nobody is asked for it. `timeout` is in seconds.
        """
        async with self._busy:
            try:
                shadow = await self.shadow()
            except SandboxError:
                return None
            if not shadow.shell.sandboxed or not await self._gate().may_look(command, shadow):
                return None
            await shadow.sync(self.staging.snapshot, change.files)
            return await shadow.shell.run(command, timeout=timeout)

    async def parse(self, change: ChangeSet) -> CheckResult:
        """Whether what is touched parses, where no command can run."""
        return await ShadowChecker(self.shadow, self.staging.snapshot, None).check(change)

    def _tell_limits(self) -> str:
        """Tell the person, once each, what the shadow could not show and what a command did that cannot be staged.

        What the model is to hear of that.
        """
        if self._shadow is None:
            return ""
        lost = sentence(self._shadow.lost, self.staging.folders)
        left = [f"Changed by a command and not staged, as it is no text: {name}." for name in self._shadow.skipped]
        for text in (*self._shadow.notes, *left, lost):
            if text and text not in self._told:
                self._told.add(text)
                self.session.emit(ev.Noticed(self.task, "info", text))
        self.session.in_part.update(loss.path for loss in self._shadow.lost if loss.kind == "no longer a folder")
        return lost

    async def check_command(self) -> str | None:
        """The check command that may run: the request's, the user's, the remembered one, or one found and agreed to."""
        if self._decided:
            return self._check
        self._check = await self._decide_check()
        self._decided = True
        return self._check

    async def _decide_check(self) -> str | None:
        given = self.request.check or self.settings.check
        if given:
            return self._allow(given)
        answers = await asyncio.to_thread(AllowedCommands.of, self.state_dir, self.staging.folders.roots)
        memory = CheckMemory(self.state_dir / "checks.json") if answers is not None else None  # or it may be planted
        remembered = await asyncio.to_thread(memory.recall, self.root) if memory is not None else None
        if remembered == check_choice.NONE:
            return None
        found = remembered or await find_check(self.root)
        if found is None:
            return None
        shadow = await self.shadow()
        if remembered is not None and (
            shadow.shell.sandboxed
            or (answers is not None and await asyncio.to_thread(answers.allows, self.root, found, "unboxed"))
        ):
            return self._allow(remembered)
        where = "in a sandbox without network"
        if not shadow.shell.sandboxed:
            where = f"with all your rights, as there is no sandbox ({shadow.sandbox.reason.rstrip('.')})"
        question = Question(
            "check",
            self.task,
            f"Check changes in {title(self.root.name)} with `{visible(found, lines=False)}`?",
            f"It runs on a copy of the workspace, {where}, before a change is shown.",
            (USE_IT, NO_CHECK),
            unboxed=not shadow.shell.sandboxed,
        )
        answer = await self.approvals.ask(self.session, self.limits, question)
        if answer == USE_IT:
            if memory is not None:
                await asyncio.to_thread(memory.remember, self.root, found)
            if answers is not None and not shadow.shell.sandboxed:
                await asyncio.to_thread(answers.add, Allowed(str(self.root), found, "unboxed"))
            return self._allow(found)
        if answer == NO_CHECK and memory is not None:
            await asyncio.to_thread(memory.remember, self.root, check_choice.NONE)
        return None

    def _allow(self, command: str) -> str | None:
        """The person's own choice of a check needs no second question, also where there is no sandbox."""
        if command == check_choice.NONE:
            return None
        self._allowed.add(command)
        return command

    async def permit(self, path: Path, use: Use) -> bool:
        """Whether the model may read or write a file that holds secrets: only by the person's yes, for this task.

        Who may write it may read it: what a hunk takes away is shown to the model, too.
        """
        if not self._permitted & {(path, use), (path, "write")}:
            name = self.staging.folders.name_of(path)
            question = Question(
                "secret",
                self.task,
                f"Let the model {use} {name}?",
                "By its name it holds keys or passwords. The model, and whoever runs it, then sees what is in it.",
                (KEEP_AWAY, THIS_ONCE),
            )
            if await self.approvals.ask(self.session, self.limits, question) != THIS_ONCE:
                return False
            self._permitted.add((path, use))
        return True

    async def _may_run(self, command: str, shadow: Shadow) -> Where | Refusal:
        if command in self._allowed:
            return "sandbox" if shadow.shell.sandboxed else "unboxed"
        return await self._gate().decide(command, shadow)

    def _gate(self) -> CommandGate:
        return CommandGate(
            self.task,
            self.root,
            tuple(self.staging.folders.roots),
            self.state_dir,
            self.settings.network == "ask",
            lambda question: self.approvals.ask(self.session, self.limits, question),
        )

    async def _adopt(self, changes: Sequence[ShadowChange], staging: Staging) -> tuple[str, ...]:
        """Stage what a command changed. What cannot be staged is told to the person, and the rest is staged."""
        seen = await asyncio.to_thread(self._wanted, changes)
        made = {change.path: change.text for change in seen if change.text is not None}
        names: list[str] = []
        for change in sorted(seen, key=lambda change: change.text is not None):
            if change.text is not None and change.path not in made:
                continue  # something was moved there, and is staged as such
            try:
                names.append(await self._adopt_one(change.path, made, staging))
            except FileError as error:
                text = f"Changed by a command and not staged: {error}"
                self.session.emit(ev.Noticed(self.task, "warning", text))
        return tuple(name for name in names if name)

    async def _adopt_one(self, path: Path, made: dict[Path, str], staging: Staging) -> str:
        """What to call the change that was staged. A file that is gone while its text stands elsewhere was moved."""
        name = staging.folders.name_of(path)
        if path in made:
            await staging.put(path, made[path])
            return name
        before = await staging.find(path)
        if before is None:
            return ""
        moved = next((other for other, text in made.items() if text and text == before.text), None)
        if moved is None or await staging.find(moved) is not None:
            await staging.delete(path)
            return f"{name} (deleted)"
        await staging.rename(path, moved)
        del made[moved]
        return f"{name} -> {staging.folders.name_of(moved)}"

    def _wanted(self, changes: Sequence[ShadowChange]) -> list[ShadowChange]:
        """The changes that no rule leaves alone. Looks at the disk."""
        return [change for change in changes if not self.ignore.ignored(change.path)]
