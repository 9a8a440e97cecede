"""The agent's sessions as `kaaj.snapshot` tells them: all that a client needs to draw itself anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from kaaj_agent import events as ev
from kaaj_agent.agent import SessionOverview
from kaaj_agent.ports import Profile
from kaaj_protocol.version import PROTOCOL_VERSION
from kaaj_server.convert import Convert, approval_row, todo_rows, usage_row

Json: TypeAlias = Any
_TITLE_MAX: Final = 80
_PROMPT_MAX: Final = 120
_PROMPTS_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """How the server stands. `profile` is None until a model is connected."""

    version: str
    mode: ev.Mode = "ask"
    restricted: bool = False
    profile: Profile | None = None


def snapshot(sessions: Sequence[SessionOverview], shown: str | None, convert: Convert, standing: Standing) -> Json:
    """`shown` names a session; None is the one that was last active."""
    ordered = sorted(sessions, key=_updated, reverse=True)
    session = next((one for one in ordered if shown is None or one.id == shown), None)
    row: dict[str, Json] = {
        "version": PROTOCOL_VERSION,
        "server": standing.version,
        "sessions": [_session_row(one) for one in ordered],
        "seq": session.seq if session else 0,
        "tasks": task_rows(session, convert) if session else [],
        "changes": [convert.change(change) for change in session.changes] if session else [],
        "transcript": entries(session.events, convert.concerned) if session else [],
        "approvals": [approval_row(question) for question in session.questions] if session else [],
        "mode": standing.mode,
        "restricted": standing.restricted,
    }
    profile = standing.profile
    if profile is not None:
        row["model"] = {"name": profile.model, "context_window": profile.window, "embedded": profile.embedded}
    return row | ({"session": session.id} if session else {})


def _updated(session: SessionOverview) -> float:
    return session.events[-1].time if session.events else session.created


def _session_row(session: SessionOverview) -> Json:
    return {
        "id": session.id,
        "title": _line(session.tasks[0].prompt, _TITLE_MAX) if session.tasks else "",
        "started": session.created,
        "updated": _updated(session),
        "running": any(task.status is None for task in session.tasks),
        "prompts": [_line(task.prompt, _PROMPT_MAX) for task in session.tasks[-_PROMPTS_MAX:]],
    }


def _line(prompt: str, limit: int) -> str:
    return prompt.strip().partition("\n")[0][:limit]


def task_rows(session: SessionOverview, convert: Convert) -> list[Json]:
    started: dict[str, float] = {}
    ended: dict[str, float] = {}
    for event in session.events:
        if isinstance(event.body, ev.TaskStarted):
            started[event.body.task] = event.time
        elif isinstance(event.body, ev.TaskFinished):
            ended[event.body.task] = event.time
    rows: list[Json] = []
    for task in session.tasks:
        row: dict[str, Json] = {
            "id": task.id,
            "prompt": task.prompt,
            "mode": task.mode,
            "status": task.status or "running",
            "summary": task.summary,
            "todo": todo_rows(task.todo),
            "usage": usage_row(task.usage, task.used, task.window, task.cost),
            "started": started.get(task.id, session.created),
        }
        if task.context:
            row["context"] = convert.context_rows(task.context)
        rows.append(row | ({"ended": ended[task.id]} if task.id in ended else {}))
    return rows


def _nothing(_tool: str, _arguments: Mapping[str, Json]) -> Json:
    return {}


def entries(events: Sequence[ev.Event], concerned: Callable[[str, Mapping[str, Json]], Json] = _nothing) -> list[Json]:
    """The conversation: pieces of prose between two other events of their task are one entry.

    `concerned` gives what is told of the file that a tool's arguments name.
    """
    rows: list[Json] = []
    pieces: list[tuple[dict[str, Json], list[str]]] = []
    open_text: dict[str, list[str]] = {}
    calls: dict[tuple[str, str], dict[str, Json]] = {}
    for event in events:
        body = event.body
        if isinstance(body, ev.TextAdded):
            prose = open_text.get(body.task)
            if prose is None:
                row: dict[str, Json] = _head(event) | {"kind": "model"}
                prose = open_text[body.task] = []
                rows.append(row)
                pieces.append((row, prose))
            if body.reset:
                prose.clear()
            prose.append(body.text)
            continue
        open_text.pop(body.task, None)
        head = _head(event)
        match body:
            case ev.TaskStarted(prompt=prompt):
                rows.append(head | {"kind": "user", "text": prompt})
            case ev.ToolStarted(task, call, tool, title, arguments):
                row = head | {"kind": "tool", "text": title, "tool": tool, "call": call} | concerned(tool, arguments)
                calls[task, call] = row
                rows.append(row)
            case ev.ToolProgressed(task, call, note):
                calls.get((task, call), head)["detail"] = note
            case ev.ToolFinished(task, call, ok, summary):
                row = calls.get((task, call), head)
                row["ok"], row["detail"] = ok, summary
            case ev.Noticed(level=level, text=text):
                rows.append(head | {"kind": "notice", "text": text, "level": level})
            case _:
                pass
    for row, prose in pieces:
        row["text"] = "".join(prose)
    return [row for row in rows if row["kind"] != "model" or row["text"]]


def _head(event: ev.Event) -> dict[str, Json]:
    return {"seq": event.seq, "time": event.time, "task": event.body.task}
