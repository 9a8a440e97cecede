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
_KNOWN: Final = frozenset({"prompt", "check", "timeout", "files", "mode"})


@dataclass(frozen=True, slots=True)
class EvalTask:
    """One task. `timeout` counts seconds of the whole run; `name` tells it from the others of one evaluation."""

    name: str
    folder: Path
    prompt: str
    check: str
    timeout: float
    mode: Mode = "auto"

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"


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
    files: Any = table.get("files", [])
    if not isinstance(files, list) or not all(isinstance(file, str) for file in cast("list[object]", files)):
        raise wrong("files", "must be a list of paths")
    mode = _MODES.get(str(table.get("mode", "auto")))
    if mode is None:
        raise wrong("mode", "must be plan, ask or auto")
    for field in table.keys() - _KNOWN:
        raise wrong(field, "is not known")
    if not (folder / "workspace").is_dir():
        raise BadRequestError(f"{folder} has no folder `workspace`.", field="DIR")
    prompt = str(table["prompt"]).strip()
    if files:
        prompt += "\n\nFiles: " + ", ".join(cast("list[str]", files))
    return EvalTask(name, folder, prompt, str(table["check"]), float(timeout), mode)


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
