"""Code actions: what can be done here, listed in no time and worked out only when it is chosen.

An action whose outcome is an edit is resolved lazily where the client can: `codeAction/resolve` runs the task and
gives its edit. Elsewhere the action carries a command, and the change is proposed like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from kaaj_agent.changes import Applied, ChangeSet, Proposed
from kaaj_protocol import names
from kaaj_server.convert import span_of
from kaaj_server.lsp.board import counted
from kaaj_server.lsp.commands import COMMENT, EXPLAIN, TESTS
from kaaj_server.lsp.comments import asks_for_work, instruction_in
from kaaj_server.lsp.language_server import OPEN, SEND
from kaaj_server.lsp.lenses import decision, verb
from kaaj_server.lsp.resolving import Resolving

if TYPE_CHECKING:
    from kaaj_server.lsp.engine import Engine

Json: TypeAlias = Any
FIX: Final = "quickfix"
REWRITE: Final = "refactor.rewrite"
OTHER: Final = "refactor"
TAKE_OUT: Final = "Then take the comment out that asks for this."
_FIXES_MAX: Final = 8
_ASK_SECONDS: Final = 0.15
"""How long the light bulb waits for what other problems a file has."""
_PROBLEMS_MAX: Final = 1000
"""Problems of one request that are taken in; the whole of a generated file may be selected."""


class Actions:
    """Listing looks at what is in memory only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.resolving = Resolving(engine)

    async def resolve(self, action: Json) -> Json:
        """Raises RequestFailedError, BadRequestError; a cancelled request cancels its task."""
        return await self.resolving.resolve(action)

    async def offer(self, params: Json) -> list[Json]:
        """What can be done here; what waits for a decision comes first."""
        engine = self._engine
        if engine.plain is not None:
            await engine.plain.papers.look()
        uri = params["textDocument"]["uri"]
        path = engine.server.places.locate(uri)
        if path is None:
            return []
        paper = engine.plain.papers.at(path) if engine.plain is not None else None
        context: Mapping[str, Json] = params.get("context") or {}
        if context.get("diagnostics") and _wanted(FIX, context.get("only")):
            await engine.diagnostics.refresh(path, _ASK_SECONDS)
        place: Mapping[str, Json] = params["range"]
        if paper is None:
            found = self._pending(path, place) + self._asked_for(uri, path, place)
            found += self._fixes(uri, path, context.get("diagnostics") or ()) or self._line(uri, path, place)
            found += self._selection(uri, place)
            found += self._unsent()
        else:
            first, last = span_of(place, whole_lines=True)
            found = [
                _action(lens["command"]["title"], OTHER, command=lens["command"])
                for lens in engine.lenses.near(path, first, last)
            ]
        found += self._papers(paper)
        return [self._as_told(action) for action in found if _wanted(action["kind"], context.get("only"))]

    def _as_told(self, action: Json) -> Json:
        """As the client can read it: one that knows no literals gets bare commands."""
        return action if self._engine.server.features.action_literals or "command" not in action else action["command"]

    # --- problems --------------------------------------------------------------------------------------------------

    def _fixes(self, uri: str, path: Path, raw: Sequence[Json]) -> list[Json]:
        engine = self._engine
        actions: list[Json] = []
        told: list[Any] = []
        for one in raw[:_PROBLEMS_MAX]:
            try:
                problem = engine.convert.diagnostic(path, one)
            except (KeyError, TypeError, ValueError):
                continue  # not a diagnostic; the others are
            told.append(problem)
            if len(actions) < _FIXES_MAX:
                argument = {"uri": uri, "range": one["range"], "diagnostics": [one]}
                title = f"Fix with Kaaj: {_short(problem.message)}"
                actions.append(self._work(title, FIX, "fix", argument, names.FIX) | {"diagnostics": [one]})
        engine.diagnostics.tell(path, told)
        count, buffer = len(engine.diagnostics.of(path)), engine.server.documents.at(path)
        if actions and count > 1 and buffer is not None:
            start, end = {"line": 0, "character": 0}, {"line": len(buffer.lines), "character": 0}
            argument = {"uri": uri, "range": {"start": start, "end": end}}
            title = f"Fix all {count} problems in this file with Kaaj"
            actions.append(self._work(title, FIX, "fix", argument, names.FIX))
        return actions

    def _line(self, uri: str, path: Path, place: Mapping[str, Json]) -> list[Json]:
        """Some clients (Neovim, eglot) tell a server no other server's problems: then the lines are what is meant."""
        if self._engine.plain is None:
            return []
        if not any(line.strip() for line in self._lines(path, place)):
            return []
        return [self._work("Kaaj: fix what is wrong here", OTHER, "fix", {"uri": uri, "range": place}, names.FIX)]

    # --- a selection -----------------------------------------------------------------------------------------------

    def _asked_for(self, uri: str, path: Path, place: Mapping[str, Json]) -> list[Json]:
        """What a comment here asks for: its words where it begins with `kaaj:`, else whatever it says."""
        lines = self._lines(path, place)
        here = {"uri": uri, "range": place}
        if instruction := instruction_in(lines):
            argument = here | {"prompt": f"{instruction}\n\n{TAKE_OUT}"}
            return [self._work(f"Kaaj: do “{_short(instruction)}”", REWRITE, "comment", argument, names.START)]
        if asks_for_work(lines):
            return [self._work("Kaaj: do this comment", REWRITE, "comment", here | {"prompt": COMMENT}, names.START)]
        return []

    def _selection(self, uri: str, place: Mapping[str, Json]) -> list[Json]:
        if place["start"] == place["end"]:
            return []
        here = {"uri": uri, "range": place}
        actions: list[Json] = []
        plain = self._engine.plain
        if plain is not None and (instruction := plain.papers.prompt()):
            title = f"Kaaj: edit: {_short(instruction)}"
            actions.append(self._work(title, REWRITE, "edit", here | {"prompt": instruction}, names.START))
        elif plain is not None:
            title = "Kaaj: edit… (say what in the chat, or in a comment `kaaj: …`)"
            actions.append(_action(title, REWRITE, command=verb(title, OPEN, {"document": "chat"})))
        title = "Kaaj: explain"
        actions.append(_action(title, OTHER, command=verb(title, names.START, here | {"prompt": EXPLAIN})))
        actions.append(self._work("Kaaj: write tests", OTHER, "tests", here | {"prompt": TESTS}, names.START))
        return actions

    def _lines(self, path: Path, place: Mapping[str, Json]) -> list[str]:
        buffer = self._engine.server.documents.at(path)
        if buffer is None:
            return []
        first, last = span_of(place, whole_lines=True)
        return buffer.lines[first:last]

    # --- a change that waits, or was applied -----------------------------------------------------------------------

    def _pending(self, path: Path, place: Mapping[str, Json]) -> list[Json]:
        board = self._engine.board
        actions: list[Json] = []
        for change in board.proposed(path):
            hunks = [] if len(change.hunks) < 2 else self._hunks_at(change, path, place)
            if hunks:
                what = "this hunk" if len(hunks) == 1 else f"these {len(hunks)} hunks"
                actions.append(_verb(f"Kaaj: apply {what}", names.ACCEPT, decision(change, *hunks)))
                actions.append(_verb(f"Kaaj: reject {what}", names.REJECT, decision(change, *hunks)))
            actions.append(_verb(f"Kaaj: apply the change ({counted(change)})", names.ACCEPT, decision(change)))
            actions.append(_verb("Kaaj: reject the change", names.REJECT, decision(change)))
        applied = next((one for one in board.applied(path) if self._undoable(one, path)), None)
        if applied is not None:
            actions.append(_verb("Kaaj: undo", names.UNDO, {"change": applied.id}))
            if len(applied.files) > 1:
                uri = self._engine.convert.uri(path)
                actions.append(
                    _verb("Kaaj: take back in this file only", names.UNDO, {"change": applied.id, "uri": uri})
                )
        elif (later := next(iter(board.applied(path)), None)) is not None and self._edited_since(later, path):
            actions.append(
                _verb("Kaaj: take back, merged with later edits", names.UNDO, {"change": later.id, "merge": True})
            )
        running = [task for task in board.running() if task.path in (path, None)]
        return actions + [_verb("Kaaj: cancel", names.CANCEL, {"task": task.id}) for task in running]

    def _hunks_at(self, change: ChangeSet, path: Path, place: Mapping[str, Json]) -> list[str]:
        first, last = span_of(place, whole_lines=True)
        assert isinstance(change.state, Proposed)  # noqa: S101 - the board gave it as such
        return [
            hunk.id
            for file in change.files
            if file.path == path
            for hunk in file.hunks
            if hunk.line - 1 < last and first < hunk.line - 1 + max(1, hunk.old.count("\n"))
        ]

    def _undoable(self, change: ChangeSet, path: Path) -> bool:
        buffer = self._engine.server.world.buffer(path)
        state = change.state
        return isinstance(state, Applied) and buffer is not None and state.after.get(path) == buffer.digest

    def _edited_since(self, change: ChangeSet, path: Path) -> bool:
        """Whether a change of this session has been built upon: what is older is not offered on every file for ever."""
        board, buffer = self._engine.board, self._engine.server.world.buffer(path)
        task = board.tasks.get(change.task)
        if task is None or task.session != board.session or buffer is None:
            return False
        return buffer.digest != change.before.get(path)

    def _unsent(self) -> list[Json]:
        """What was written into the chat by a client that does not tell the server of that document."""
        plain = self._engine.plain
        prompt = plain.papers.prompt() if plain is not None and not plain.papers.is_open("chat") else ""
        return [_verb(f"Kaaj: send what is in the chat: {_short(prompt)}", SEND, {})] if prompt else []

    def _papers(self, here: str | None) -> list[Json]:
        """Ways to the papers, for clients that have no other."""
        if self._engine.plain is None:
            return []
        titles = {"chat": "Kaaj: open the chat", "plan": "Kaaj: open the plan", "diff": "Kaaj: show the diff"}
        shown = titles if self._engine.board.latest_task() is not None else {"chat": titles["chat"]}
        return [_verb(title, OPEN, {"document": paper}) for paper, title in shown.items() if paper != here]

    # --- making one ------------------------------------------------------------------------------------------------

    def _work(self, title: str, kind: str, intent: str, argument: Json, command: str) -> Json:
        """An action that ends in an edit: resolved lazily, or started by its command. A client with the event stream
        gets the command: it shows the change hunk by hunk.
        """
        features = self._engine.server.features
        if features.resolve_edit and not features.events:
            return _action(title, kind) | {"data": {names.SECTION: {"intent": intent, "command": command, **argument}}}
        return _action(title, kind, command=verb(title, command, argument))


def _action(title: str, kind: str, *, command: Json = None) -> dict[str, Json]:
    return {"title": title, "kind": kind} | ({"command": command} if command is not None else {})


def _verb(title: str, command: str, argument: Json) -> Json:
    return _action(title, OTHER, command=verb(title, command, argument))


def _wanted(kind: str, only: Json) -> bool:
    if not isinstance(only, list) or not only:
        return True
    return any(kind == one or kind.startswith(f"{one}.") or one == "" for one in cast("list[str]", only))


def _short(text: str) -> str:
    first = text.strip().partition("\n")[0]
    return first if len(first) <= 72 else first[:71] + "…"
