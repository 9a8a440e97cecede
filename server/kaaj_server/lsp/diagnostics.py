"""The problems that the editor shows.

A client that declares it is asked (`kaaj/diagnostics`), and its answer holds for all languages and servers. Of any
other it is known as far as it has told: with code-action requests and with `kaaj.fix`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kaaj_agent.failures import BadRequestError
from kaaj_agent.ports import Diagnostic
from kaaj_agent.world import World
from kaaj_protocol import names
from kaaj_server.lsp.json_values import a_list, a_string, an_object
from kaaj_server.lsp.protocol import RequestFailedError

if TYPE_CHECKING:
    from kaaj_server.convert import Convert

Json: TypeAlias = Any
ASK_SECONDS: Final = 2.0
"""How long the answer is waited for; then what is known counts."""
FILES_MAX: Final = 1_000
PROBLEMS_MAX: Final = 1_000
"""Of one file."""
_log: Final = logging.getLogger(__name__)


class EditorDiagnostics:
    """The `Diagnoser` of the language server. What is known of a file is forgotten when its text changes.

    `ask(method, params)` puts the question to the client; None where it does not take it.
    """

    def __init__(
        self,
        world: World,
        convert: Convert,
        ask: Callable[[str, Json], Awaitable[Json]] | None = None,
        seconds: float = ASK_SECONDS,
    ) -> None:
        self._world = world
        self._convert = convert
        self._ask = ask
        self._seconds = seconds
        self._known: dict[Path, dict[Diagnostic, None]] = {}
        world.listen(self._forget)

    @property
    def asks(self) -> bool:
        """Whether the client can be asked."""
        return self._ask is not None

    def tell(self, path: Path, found: Sequence[Diagnostic]) -> None:
        """Problems of some part of a file; they are added to what is known of its present text."""
        if found:
            self._known.setdefault(path, {}).update(dict.fromkeys(found))

    def of(self, path: Path) -> tuple[Diagnostic, ...]:
        return tuple(sorted(self._known.get(path, ()), key=lambda one: (one.line, one.column)))

    async def diagnostics(self, path: Path | None) -> Sequence[Diagnostic]:
        await self.refresh(path)
        if path is not None:
            return self.of(path)
        return [one for known in sorted(self._known) for one in self.of(known)]

    async def refresh(self, path: Path | None, seconds: float | None = None) -> None:
        """Ask the client, where it can be asked; what is known stays where it does not answer in time, or wrongly."""
        if self._ask is None:
            return
        try:
            async with asyncio.timeout(self._seconds if seconds is None else seconds):
                params = {} if path is None else {"uri": self._convert.uri(path)}
                answer = await self._ask(names.DIAGNOSTICS, params)
        except (TimeoutError, RequestFailedError) as error:
            _log.info("%s: %s", names.DIAGNOSTICS, error or "no answer in time")
            return
        files = an_object(answer).get("files")
        if not isinstance(files, list):
            _log.warning("%s: the answer has no list of files", names.DIAGNOSTICS)
            return
        found = self._read(a_list(files))
        if path is None:
            self._known = found
        else:
            self._known[path] = found.get(path, {})

    def _read(self, files: Sequence[Json]) -> dict[Path, dict[Diagnostic, None]]:
        """What of an answer can be read, and is of the workspace."""
        found: dict[Path, dict[Diagnostic, None]] = {}
        for row in files[:FILES_MAX]:
            try:
                path = self._convert.path(a_string(an_object(row).get("uri")))
            except BadRequestError:
                continue  # an unsaved text, a notebook's cell: no file
            if self._world.folders.root_of(path) is None:
                continue
            known = found.setdefault(path, {})
            for raw in a_list(an_object(row).get("diagnostics"))[:PROBLEMS_MAX]:
                try:
                    known[self._convert.diagnostic(path, raw)] = None
                except (KeyError, TypeError, ValueError, AttributeError):
                    continue  # not a diagnostic; the others are
        return found

    def _forget(self, path: Path) -> None:
        self._known.pop(path, None)
