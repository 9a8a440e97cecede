"""Papers that the client has open are the person's buffers: they are edited through the client, one edit at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kaaj_agent.document import Document
from kaaj_agent.hunks import diff
from kaaj_server.lsp.protocol import RequestFailedError

if TYPE_CHECKING:
    from kaaj_server.lsp.engine import Engine

Json: TypeAlias = Any
_ANSWER_SECONDS: Final = 10.0
_MOVE_SECONDS: Final = 1.0
"""From a client's answer to the text that shows it; some send their changes a moment later."""
_PATIENCE: Final = 50
"""How often a text that came out otherwise is tried again before the next event: the person types, or a formatter
insists.
"""
_log: Final = logging.getLogger(__name__)


class PaperEdits:
    """Asks for edits. `again` is called when a paper has to be looked at anew."""

    def __init__(self, engine: Engine, again: Callable[[], None]) -> None:
        self._engine = engine
        self._again = again
        self._asked: set[Path] = set()
        self._waiting: set[Path] = set()
        self.patience = _PATIENCE

    def renew(self) -> None:
        """Something new has happened, so that it is worth trying again."""
        self.patience = _PATIENCE

    async def offer(self, path: Path, base: str, text: str) -> None:
        """Lead the buffer of `path` from `base`, for which `text` was made, to `text`.

        A buffer that is no longer `base` is left alone: what the person typed meanwhile would be lost.
        """
        if path in self._asked:
            self._waiting.add(path)
            return
        hunks = await asyncio.to_thread(diff, "", base, text)
        server, convert = self._engine.server, self._engine.convert
        buffer = server.documents.at(path)
        if buffer is None or buffer.text != base:
            self._again()
            return
        before = Document(path, base, buffer.version)
        edits = [{"range": convert.range(before, hunk.start, hunk.end), "newText": hunk.new} for hunk in hunks]
        if server.features.document_changes:
            target = {"uri": buffer.uri, "version": buffer.version}
            edit: Json = {"documentChanges": [{"textDocument": target, "edits": edits}]}
        else:
            edit = {"changes": {buffer.uri: edits}}
        self._asked.add(path)
        server.own(self._ask(path, base, text, edit))

    async def _ask(self, path: Path, base: str, text: str, edit: Json) -> None:
        moved = asyncio.Event()
        end = self._engine.server.world.listen(lambda touched: moved.set() if touched == path else None)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                # Without a label: Neovim prints one each time.
                await self._engine.server.protocol.ask("workspace/applyEdit", {"edit": edit})
            async with asyncio.timeout(_MOVE_SECONDS):
                await moved.wait()
        except (TimeoutError, RequestFailedError) as error:
            _log.info("editing %s: %s", path.name, error or "the editor does not do it")
        finally:
            end()
            self._asked.discard(path)
        waited = path in self._waiting
        self._waiting.discard(path)
        if waited:
            self._again()
        elif self._text(path) not in (None, base, text) and self.patience > 0:
            self.patience -= 1
            self._again()

    def _text(self, path: Path) -> str | None:
        buffer = self._engine.server.documents.at(path)
        return buffer.text if buffer is not None else None
