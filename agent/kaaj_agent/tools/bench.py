"""What a tool gets to work with, and what it gives back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from kaaj_agent.failures import FileError, OutsideError
from kaaj_agent.hunks import Hunk
from kaaj_agent.ignore import GUARDED, Ignore, Reason
from kaaj_agent.outputs import Outputs
from kaaj_agent.ports import CommandResult, Diagnoser, ToolSpec
from kaaj_agent.refusals import Refusal
from kaaj_agent.staging import Staging
from kaaj_agent.todo import Todo, TodoList

if TYPE_CHECKING:
    from kaaj_agent.repomap.map import RepoMap


Use: TypeAlias = Literal["read", "write"]
_USED: Final[dict[Use, str]] = {"read": "read", "write": "written"}


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`text` is what the model reads, `summary` one line for people.

    `key` is what two results have in common that say the same, such as a run's output without its duration.
    """

    text: str
    summary: str
    ok: bool = True
    key: str = ""

    @property
    def same(self) -> str:
        return self.key or self.text


def refusal(text: str) -> ToolResult:
    """The model erred: it reads what was wrong and may mend it; nothing has changed."""
    return ToolResult(text, text.split("\n", 1)[0][:120], ok=False)


@dataclass(slots=True)
class Bench:
    """One task's workbench, as far as tools may touch it.

    `command` runs in the shadow workspace with what is staged laid out there, and stages what the command changed;
    it answers with the result and the names of the files so staged. `notes` says what was looked up for a to-do
    item, by its id. `get_removed` gives the items that the user took off the list,
    `ordered` tells whether its order is the user's. `shown` remembers what was read and is still in the prompt,
    so that reading it again costs a line: (path, first, last) to the text's digest. `outputs` keeps what commands
    printed, `named` gives the texts that are no files by the word before the colon (`output:3`), `mcp` calls a tool of
    an MCP server, `explore` looks into a question in a context of its own, `refused` gives the hunks that the user
    refused. `permit` asks the person whether a file that holds secrets may be read or written.
    """

    staging: Staging
    ignore: Ignore
    diagnoser: Diagnoser
    command: Callable[[str], Awaitable[tuple[CommandResult, tuple[str, ...]] | str]]
    get_todo: Callable[[], TodoList]
    set_todo: Callable[[TodoList], None]
    get_removed: Callable[[], tuple[Todo, ...]] = tuple
    ordered: Callable[[], bool] = bool
    notes: dict[str, str] = field(default_factory=dict[str, str])
    plan_only: bool = False
    shown: dict[tuple[Path, int, int], str] = field(default_factory=dict[tuple[Path, int, int], str])
    repo_map: Callable[[], RepoMap] | None = None
    outputs: Outputs | None = None
    named: Mapping[str, Callable[[str], Awaitable[str | None]]] = field(default_factory=dict[str, Any])
    mcp: Callable[[str], Awaitable[ToolResult]] | None = None
    explore: Callable[[str], Awaitable[ToolResult]] | None = None
    refused: Callable[[], Sequence[Refusal]] = tuple
    permit: Callable[[Path, Use], Awaitable[bool]] | None = None

    async def path(self, name: str, use: Use | None = None) -> Path:
        """The file that a name means. Raises OutsideError where it may not be touched.

        Where it holds secrets the person is asked, if there is a `use` to ask for.
        """
        path, reason = await asyncio.to_thread(self._find, name)
        if reason == "secret" and use is not None and self.permit is not None:
            if not await self.permit(path, use):
                raise OutsideError(f"The user did not allow {name} to be {_USED[use]}. Go on without it.", path=name)
        elif reason is not None and (reason in GUARDED or not self._stands(path)):
            raise OutsideError(f"{name} is withheld by an ignore rule.", path=name)
        return path

    async def waits(self, name: str) -> bool:
        """Whether the person would be asked before a file is written."""
        try:
            _, reason = await asyncio.to_thread(self._find, name)
        except FileError:
            return False
        return reason == "secret" and self.permit is not None

    def _stands(self, path: Path) -> bool:
        return any(file.target == path for file in self.staging.files)

    def name(self, path: Path) -> str:
        return self.staging.folders.name_of(path)

    def hunks(self, path: Path) -> tuple[Hunk, ...]:
        """What is staged for a file."""
        return next((file.hunks for file in self.staging.files if path in (file.path, file.target)), ())

    def refused_note(self, path: Path, before: Sequence[Hunk]) -> str:
        """What the model has to hear where it just staged what the user refused; `before` is what stood there."""
        known = {(hunk.old, hunk.new) for hunk in before}
        fresh = {(hunk.old, hunk.new) for hunk in self.hunks(path)} - known
        for one in self.refused():
            if one.path == path and (one.old, one.new) in fresh:
                why = f" (reason: {one.reason})" if one.reason else ""
                return f"\nThe user refused this very change before{why}. Undo it, unless they asked for it since."
        return ""

    def _find(self, name: str) -> tuple[Path, Reason | None]:
        """The path, and why it is left alone, if it is. Looks at the disk."""
        path = self.staging.folders.resolve(name)
        return path, self.ignore.reason(path)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its schema, a one-line title for people, and its function.

    `reads`: it changes nothing at all. `stages`: it changes the staging area alone.
    """

    spec: ToolSpec
    title: Callable[[Mapping[str, Any]], str]
    run: Callable[[Bench, Mapping[str, Any]], Awaitable[ToolResult]]
    reads: bool = False
    stages: bool = False


def schema(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A JSON Schema object with its properties in the order given."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }
