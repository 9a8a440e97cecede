"""A long working day in minutes, for tests: people who type and start tasks, against the real server over stdio.

`work(...)` returns what was done and what the server held on to; the model is a script that edits the file that the
prompt names. Every event is looked at as it comes: numbers without gaps, a task's first and last where they belong.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import VSCODE, FakeEditor, with_events
from kaaj_server.testing_wire import memory_of

Json: TypeAlias = Any
AT_ONCE: Final = 4
_LINES: Final = 200
_WAIT: Final = 120.0
_USAGE: Final = {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960}
_PROSE: Final = "I look at the file, change the value that you named, and leave everything else as it stands. " * 20


@dataclass(frozen=True, slots=True)
class Held:
    """What the server's process holds: bytes of memory, threads, open descriptors, child processes."""

    memory: int
    threads: int
    descriptors: int
    children: int


@dataclass(slots=True)
class Report:
    """`early` is measured once the server has seen each kind of thing some times, `late` at the end."""

    tasks: int = 0
    keystrokes: int = 0
    events: int = 0
    decisions: dict[str, int] = field(default_factory=dict[str, int])
    early: Held = Held(0, 0, 0, 0)
    late: Held = Held(0, 0, 0, 0)
    peak: int = 0


def held(process: int) -> Held:
    """Linux alone tells."""
    place = Path(f"/proc/{process}")
    children = 0
    for thread in (place / "task").iterdir():
        children += len((thread / "children").read_text().split())
    return Held(
        memory_of(process)[0], len(list((place / "task").iterdir())), len(list((place / "fd").iterdir())), children
    )


class Worker(FakeEditor):
    """An editor that keeps no events, but the newest of each task; what is out of order it writes to `wrong`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.seen = 0
        self.newest: dict[str, str] = {}
        """By task: the state of its change, or how it ended."""
        self.proposals: dict[str, Json] = {}
        self.wrong: list[str] = []
        self._last: dict[str, int] = {}
        self._open_calls: set[tuple[str, str]] = set()

    def _take(self, message: Json) -> None:
        del self.wire[:-50]
        if message.get("method") == "kaaj/event":
            self._look_at(message["params"])
        else:
            super()._take(message)

    def _look_at(self, event: Json) -> None:
        self.seen += 1
        session, task, kind = event["session"], event.get("task", ""), event["type"]
        if event["seq"] != self._last.get(session, 0) + 1:
            self.wrong.append(f"{session}: {event['seq']} after {self._last.get(session, 0)}")
        self._last[session] = event["seq"]
        if (kind == "task_started") is (task in self.newest):
            self.wrong.append(f"{task}: {kind} where it stood at {self.newest.get(task)}")
        if self.newest.get(task, "") in ("done", "stopped", "cancelled", "failed") and kind not in ("change", "todo"):
            self.wrong.append(f"{task}: {kind} after its end")
        match kind:
            case "task_started":
                self.newest[task] = "running"
            case "task_finished":
                self.newest[task] = event["status"]
            case "tool_started":
                self._open_calls.add((task, event["call"]))
            case "tool_finished":
                self._open_calls.discard((task, event["call"]))
            case "change":
                self.proposals[task] = event["change"]
                if event["change"]["state"] == "proposed" and self.newest[task] == "running":
                    self.newest[task] = "proposed"
            case _:
                pass


def _reply(body: Json) -> Answer:
    """An edit of the file that the newest turn of the person names, then a last word."""
    last = body["messages"][-1]
    if last["role"] == "user":
        found = re.search(r"In (\w+\.py) set value (\d+), was (\d+)( and run)?", last["content"])
        if found is not None:
            name, new, old, runs = found.groups()
            calls = [("edit", {"path": name, "old": f"value = {old}\n", "new": f"value = {new}\n"})]
            if runs:
                calls.append(("run", {"command": "echo checked"}))
            made = answer_calls(*calls, text=_PROSE, chunk=16)
            return replace(made, usage=_USAGE)
    return replace(answer(_PROSE, chunk=24), usage=_USAGE)


async def work(folder: Path, *, tasks: int, keystrokes: int, files: int = 50, runs_each: int = 50) -> Report:
    """So many tasks, four at a time, while so many keystrokes go into so many open files.

    Each task edits a file of its own worker's; its proposal is accepted, refused, or accepted and taken back, or the
    task is cancelled, by a draw. Nobody types into a file while its proposal is being applied. Every `runs_each`-th
    runs a command, too.
    """
    workspace = (folder / "w").resolve()
    await asyncio.to_thread(_fill, workspace, files)
    async with ScriptedEndpoint(last=_reply) as endpoint:
        env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {
            "HOME": str(folder / "home"),
            "KAAJ_BASE_URL": endpoint.base_url,
            "KAAJ_MODEL": "scripted",
            "KAAJ_STATE_DIR": str(folder / "state"),
        }
        async with Worker(workspace, with_events(VSCODE), env, {"check": "none"}) as editor:
            day = _Day(editor, endpoint, tasks, keystrokes, files, runs_each)
            return await day.spend()


def _fill(workspace: Path, files: int) -> None:
    workspace.mkdir()
    filler = "".join(f"# line {number} of what nobody changes: naïve 😀\n" for number in range(_LINES))
    for number in range(files):
        (workspace / f"f{number}.py").write_text(f"value = 0\n\n{filler}")


class _Day:
    def __init__(
        self, editor: Worker, endpoint: ScriptedEndpoint, tasks: int, keystrokes: int, files: int, runs_each: int
    ) -> None:
        self.editor = editor
        self.endpoint = endpoint
        self.tasks = tasks
        self.keystrokes = keystrokes
        self.files = files
        self.runs_each = runs_each
        self.report = Report()
        self._draw = random.Random(tasks)
        self._values: dict[int, int] = {}
        self._begun = 0
        self._deciding: set[int] = set()

    async def spend(self) -> Report:
        editor, report = self.editor, self.report
        for number in range(self.files):
            await editor.open(f"f{number}.py")
        await editor.command("kaaj.snapshot", {})
        typing = asyncio.create_task(self._type())
        workers = [asyncio.create_task(self._work(number)) for number in range(AT_ONCE)]
        await asyncio.gather(*workers)
        await typing
        report.events = editor.seen
        await self._is_sound()
        await self._settle()
        report.late = held(editor.process.pid)
        report.peak = memory_of(editor.process.pid)[1]
        return report

    async def _work(self, worker: int) -> None:
        session = ""
        while self._begun < self.tasks:
            number, self._begun = self._begun, self._begun + 1
            file = worker + AT_ONCE * self._draw.randrange(self.files // AT_ONCE)
            how = self._draw.choice(("accept", "accept", "reject", "undo", "cancel"))
            new = self._draw.random() < 0.5
            session = await self._task(number, file, how, "" if new else session)
            self.report.tasks += 1
            self.report.decisions[how] = self.report.decisions.get(how, 0) + 1
            del self.endpoint.received[:]
            if self.report.tasks == max(20, self.tasks // 5):
                self.report.early = held(self.editor.process.pid)

    async def _task(self, number: int, file: int, how: str, session: str) -> str:
        editor = self.editor
        old = self._values.get(file, 0)
        runs = " and run" if number % self.runs_each == 1 else ""
        prompt = f"In f{file}.py set value {number + 1}, was {old}{runs}"
        uri = editor.uri(f"f{file}.py")
        argument = {"prompt": prompt, "uri": uri} | ({"session": session} if session else {})
        started = await editor.command("kaaj.start", argument, wait=_WAIT)
        task = started["task"]
        if how == "cancel":
            await editor.command("kaaj.cancel", {"task": task}, wait=_WAIT)
            await editor.eventually(lambda: editor.newest.get(task) == "cancelled", f"{task} cancelled", _WAIT)
            return str(started["session"])
        await editor.eventually(lambda: editor.newest.get(task, "running") != "running", f"{task} proposed", _WAIT)
        assert editor.newest[task] == "proposed", (task, editor.newest[task], prompt)
        change = editor.proposals[task]
        decision = {"change": change["id"], "digest": change["digest"]}
        self._deciding.add(file)
        try:
            await self._decide(how, file, number + 1, decision)
        finally:
            self._deciding.discard(file)
        return str(started["session"])

    async def _decide(self, how: str, file: int, value: int, decision: Json) -> None:
        editor, old = self.editor, self._values.get(file, 0)
        if how in ("accept", "undo"):
            await editor.command("kaaj.accept", decision, wait=_WAIT)
            self._values[file] = value
        if how == "undo":
            await editor.command("kaaj.undo", {"change": decision["change"]}, wait=_WAIT)
            self._values[file] = old
        if how == "reject":
            await editor.command("kaaj.reject", decision, wait=_WAIT)

    async def _type(self) -> None:
        """A letter, and it is taken out again, far below what tasks edit; as fast as tasks come along."""
        editor, report = self.editor, self.report
        while report.keystrokes < self.keystrokes:
            due = self.keystrokes * (report.tasks + 1) // self.tasks
            while report.keystrokes < min(due, self.keystrokes):
                file = self._draw.randrange(self.files)
                if file in self._deciding:  # a version that has moved on is refused, and rightly
                    continue
                uri = editor.uri(f"f{file}.py")
                line = self._draw.randrange(_LINES // 2, _LINES)
                editor.edit(uri, (line, 2), (line, 2), "x")
                editor.edit(uri, (line, 2), (line, 3), "")
                report.keystrokes += 2
                if report.keystrokes % 50 == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(0.01)

    async def _is_sound(self) -> None:
        """The server's texts are the editor's, event by event nothing was out of order, and every value stands."""
        editor = self.editor
        assert not editor.wrong, editor.wrong[:10]
        for file, value in self._values.items():
            assert editor.text(editor.uri(f"f{file}.py")).startswith(f"value = {value}\n"), file
        running = [task for task, state in editor.newest.items() if state == "running"]
        assert not running, running[:10]

    async def _settle(self) -> None:
        """What a server lets go of, it lets go of soon: threads that are idle stay."""
        for _ in range(20):
            if held(self.editor.process.pid).children == 0:
                return
            await asyncio.sleep(0.25)


def told(report: Report) -> str:
    """A report for people."""
    early, late = report.early, report.late
    decisions: Mapping[str, int] = report.decisions
    return (
        f"{report.tasks:,} tasks ({', '.join(f'{count} {how}' for how, count in sorted(decisions.items()))}), "
        f"{report.keystrokes:,} keystrokes, {report.events:,} events\n"
        f"memory {early.memory / 1_048_576:.0f} MB after a fifth, {late.memory / 1_048_576:.0f} MB at the end, "
        f"peak {report.peak / 1_048_576:.0f} MB; threads {early.threads} -> {late.threads}, "
        f"descriptors {early.descriptors} -> {late.descriptors}, children {early.children} -> {late.children}"
    )
