"""What happened in one run of an evaluation, and when: made from the session's events, kept beside the results."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

Kind: TypeAlias = Literal["request", "tool", "check", "repair", "notice", "end"]
_TITLE_MAX: Final = 200
_STEPS_MAX: Final = 400
"""Steps that are kept of one run, so that a run in a loop does not fill the report; the last one is always kept."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that took time, or a moment. `start` and `seconds` count from the task's start.

    `ok` is None where it cannot be told. Of a request, the tokens are those that it added.
    """

    kind: Kind
    start: float
    seconds: float
    title: str
    ok: bool | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(slots=True)
class Recorder:
    """Reads a session's events one by one, as `kaaj run --json` prints them."""

    steps: list[Step] = field(default_factory=list[Step])
    _began: float | None = None
    _mark: float = 0.0
    """When the next request can have begun: after the last thing that ended."""
    _open: dict[str, tuple[Kind, float, str]] = field(default_factory=dict[str, tuple[Kind, float, str]])
    _used: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def feed(self, row: Mapping[str, Any]) -> None:
        """The next event. What is no event (the result at the end) is passed over."""
        if not isinstance(row.get("time"), int | float):
            return
        time = float(row["time"])
        if self._began is None:
            self._began = time
        now = max(0.0, time - self._began)
        match row.get("type"):
            case "tool_started":
                self._open[str(row.get("call"))] = (_kind(str(row.get("tool"))), now, str(row.get("title", "")))
            case "tool_finished":
                kind, start, title = self._open.pop(str(row.get("call")), ("tool", now, ""))
                said = str(row.get("summary", ""))
                self._add(Step(kind, start, now - start, f"{title}: {said}" if title else said, bool(row.get("ok"))))
                self._mark = now
            case "change":
                self._checked(cast("Mapping[str, Any]", row.get("change") or {}), now)
            case "usage":
                self._request(cast("Mapping[str, Any]", row.get("usage") or {}), now)
            case "notice":
                self._add(Step("notice", now, 0.0, str(row.get("message", "")), row.get("level") != "error"))
            case "task_finished":
                status = str(row.get("status", ""))
                self._add(Step("end", now, 0.0, f"{status}: {row.get('summary', '')}", status == "done"))
            case _:
                pass

    def close(self, seconds: float) -> None:
        """The run is over, `seconds` after it began: what was still under way then was broken off."""
        for kind, start, title in self._open.values():
            self._add(Step(kind, start, max(0.0, seconds - start), f"{title}: not finished", ok=False))
        self._open.clear()

    def _checked(self, change: Mapping[str, Any], now: float) -> None:
        """A change that has just been checked says how that went."""
        check = change.get("check")
        if change.get("state") != "checked" or not isinstance(check, dict):
            return
        told = cast("Mapping[str, Any]", check)
        status, took = str(told.get("status")), float(told.get("seconds") or 0.0)
        ok = None if status == "none" else status == "passed"
        self._add(Step("check", max(0.0, now - took), took, f"{told.get('command') or 'no command'}: {status}", ok))
        self._mark = now

    def _request(self, used: Mapping[str, Any], now: float) -> None:
        def more(name: str) -> int:
            return max(0, int(used.get(name, 0)) - int(self._used.get(name, 0)))

        count = more("requests")
        if count:
            title = "a request" if count == 1 else f"{count} requests"
            tokens = (more("prompt_tokens"), more("cached_tokens"), more("completion_tokens"))
            self._add(Step("request", self._mark, now - self._mark, title, None, *tokens))
        self._used = used
        self._mark = now

    def _add(self, step: Step) -> None:
        if len(self.steps) >= _STEPS_MAX:
            self.steps.pop()
        title = " ".join(step.title.split())
        cut = title if len(title) <= _TITLE_MAX else title[: _TITLE_MAX - 1] + "…"
        self.steps.append(replace(step, title=cut))


def _kind(tool: str) -> Kind:
    match tool:
        case "check":
            return "check"
        case "repair":
            return "repair"
        case _:
            return "tool"


# --- on disk ----------------------------------------------------------------------------------------------------------


def timelines_path(out: Path) -> Path:
    """The file beside the results."""
    return out.with_name(f"{out.stem}.timelines.jsonl")


def append_timeline(path: Path, key: tuple[str, int | None], steps: Sequence[Step]) -> None:
    """Raises OSError."""
    task, seed = key
    rows = [{name: value for name, value in asdict(step).items() if value or name == "ok"} for step in steps]
    line = json.dumps({"task": task, "seed": seed, "steps": rows}, ensure_ascii=False)
    with path.open("ab") as file:
        if file.tell() and not _ends_a_line(path):
            file.write(b"\n")
        file.write(line.encode("utf-8", "replace") + b"\n")


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def timelines(path: Path) -> dict[tuple[str, int | None], tuple[Step, ...]]:
    """What the file holds, the newest of each run. A torn line counts for nothing, a missing file for none."""
    found: dict[tuple[str, int | None], tuple[Step, ...]] = {}
    with suppress(FileNotFoundError):
        for line in path.read_text("utf-8", "replace").splitlines():
            with suppress(ValueError, TypeError, KeyError):
                row = cast("dict[str, Any]", json.loads(line))
                empty: dict[str, Any] = {"start": 0.0, "seconds": 0.0, "title": ""}
                found[str(row["task"]), row["seed"]] = tuple(Step(**{**empty, **step}) for step in row["steps"])
    return found
