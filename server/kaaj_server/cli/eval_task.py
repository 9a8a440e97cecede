"""An evaluation's task as it stands on disk, and the line that a run of it leaves."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

from kaaj_agent.failures import BadRequestError

Mode: TypeAlias = Literal["plan", "ask", "auto"]
_MODES: Final[Mapping[str, Mode]] = {"plan": "plan", "ask": "ask", "auto": "auto"}
_TEXTS: Final = ("agent_check", "setup", "kind", "language", "split")
_KNOWN: Final = frozenset({"prompt", "check", "timeout", "files", "mode", "needs", "untouched", *_TEXTS})
FOLDER_VARIABLE: Final = "KAAJ_TASK"
"""Names the task's folder to `setup` and `check`, and to nothing that the agent starts."""


@dataclass(frozen=True, slots=True)
class EvalTask:
    """One task. `timeout` counts seconds of the whole run; `name` tells it from the others of one evaluation.

    `check` decides; a task with a folder `hidden` keeps it to itself, and the agent is told `agent_check` instead
    (empty: nothing). `setup` runs in the fresh copy of the workspace before the agent does. `needs` are programs
    that the check cannot do without. An `untouched` task is solved by leaving everything as it is. `kind`,
    `language` and `split` ("tune" or "report") sort the tasks of a set.
    """

    name: str
    folder: Path
    prompt: str
    check: str
    timeout: float
    mode: Mode = "auto"
    agent_check: str = ""
    setup: str = ""
    needs: tuple[str, ...] = ()
    untouched: bool = False
    kind: str = ""
    language: str = ""
    split: str = ""

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def environ(self, base: Mapping[str, str]) -> dict[str, str]:
        """The environment of `setup` and `check`."""
        return {**base, FOLDER_VARIABLE: str(self.folder)}


@dataclass(frozen=True, slots=True)
class Result:
    """One run's line. `seconds` is wall time; `edits` counts the hunks that were applied."""

    task: str
    solved: bool
    status: str
    seconds: float
    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    edits: int = 0
    seed: int | None = None
    error: str | None = None

    @property
    def key(self) -> tuple[str, int | None]:
        """What tells one run from another."""
        return self.task, self.seed

    def line(self) -> str:
        """As JSON, without what has nothing to say."""
        row = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(row, ensure_ascii=False)


def read_task(folder: Path, name: str) -> EvalTask:
    """The task in `folder`. Raises BadRequestError, which names the file and the field."""
    path = folder / "task.toml"
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRequestError(f"{path} cannot be read: {error}.", field="DIR") from error

    def wrong(field: str, what: str) -> BadRequestError:
        return BadRequestError(f"{path}: `{field}` {what}.", field=field)

    for field in ("prompt", "check"):
        if not isinstance(table.get(field), str) or not table[field].strip():
            raise wrong(field, "must be a text")
    timeout = table.get("timeout")
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or timeout <= 0:
        raise wrong("timeout", "must be a number of seconds")
    for field, what in (("files", "paths"), ("needs", "programs")):
        value: Any = table.get(field, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in cast("list[object]", value)):
            raise wrong(field, f"must be a list of {what}")
    files = cast("list[str]", table.get("files", []))
    for field in _TEXTS:
        if not isinstance(table.get(field, ""), str):
            raise wrong(field, "must be a text")
    if table.get("split", "") not in ("", "tune", "report"):
        raise wrong("split", "must be tune or report")
    if not isinstance(table.get("untouched", False), bool):
        raise wrong("untouched", "must be true or false")
    mode = _MODES.get(str(table.get("mode", "auto")))
    if mode is None:
        raise wrong("mode", "must be plan, ask or auto")
    for field in table.keys() - _KNOWN:
        raise wrong(field, "is not known")
    if not (folder / "workspace").is_dir():
        raise BadRequestError(f"{folder} has no folder `workspace`.", field="DIR")
    prompt = str(table["prompt"]).strip()
    if files:
        prompt += "\n\nFiles: " + ", ".join(files)
    check = str(table["check"])
    texts = {field: str(table.get(field, "")).strip() for field in _TEXTS}
    if "agent_check" not in table and not (folder / "hidden").is_dir():
        texts["agent_check"] = check
    return EvalTask(
        name,
        folder.resolve(),
        prompt,
        check,
        float(timeout),
        mode,
        needs=tuple(table.get("needs", ())),
        untouched=bool(table.get("untouched", False)),
        **texts,
    )


def find_tasks(folders: Sequence[Path]) -> tuple[EvalTask, ...]:
    """The tasks of the folders and the folders right in them, in order. Raises BadRequestError.

    A task is called after its folder; where two would have the same name, after the folder above it too.
    """
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise BadRequestError(f"{folder} is not a folder.", field="DIR")
        if (folder / "task.toml").is_file():
            found.append(folder.resolve())
        else:
            found += sorted(path.parent.resolve() for path in folder.glob("*/task.toml"))
    unique = list(dict.fromkeys(found))
    short = [path.name for path in unique]
    names = [path.name if short.count(path.name) == 1 else f"{path.parent.name}/{path.name}" for path in unique]
    return tuple(read_task(path, name) for path, name in zip(unique, names, strict=True))


def finished_runs(out: Path) -> dict[tuple[str, int | None], Result]:
    """The runs in a results file. A torn last line (the machine went down) counts for nothing. Raises OSError."""
    try:
        lines = out.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return {}
    runs: dict[tuple[str, int | None], Result] = {}
    names = set(Result.__dataclass_fields__)
    for line in lines:
        try:
            row: object = json.loads(line)
            fields = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
            result = Result(**{name: value for name, value in fields.items() if name in names})
        except (ValueError, TypeError):
            continue
        runs[result.key] = result
    return runs
