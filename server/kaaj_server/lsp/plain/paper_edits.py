"""Papers that the client has open are the person's buffers: they are edited through the client, one edit at a time.

What stands below the chat's mark is the person's, and is typed while the conversation above it grows. An edit above the
mark names no version: its lines are where they were whatever is typed below, and Neovim would answer a keystroke that
crosses the edit with a message ("newer than edits") over which it stops.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kaaj_agent.document import Document
from kaaj_agent.hunks import diff
from kaaj_server.lsp.plain.chat import above_mark
from kaaj_server.lsp.protocol import RequestFailedError

if TYPE_CHECKING:
    from kaaj_server.lsp.engine import Engine

Json: TypeAlias = Any
_ANSWER_SECONDS: Final = 10.0
"""For a client's answer, and then again for the text that shows it: some send their changes a moment later."""
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
        old, new = above_mark(base), above_mark(text)
        above = base[len(old) :] == text[len(new) :]
        hunks = await asyncio.to_thread(diff, "", *((old, new) if above else (base, text)))
        server, convert = self._engine.server, self._engine.convert
        buffer = server.documents.at(path)
        if buffer is None or buffer.text != base:
            self._again()
            return
        before = Document(path, base, buffer.version)
        edits = [{"range": convert.range(before, hunk.start, hunk.end), "newText": hunk.new} for hunk in hunks]
        if server.features.document_changes:
            target = {"uri": buffer.uri, "version": None if above else buffer.version}
            edit: Json = {"documentChanges": [{"textDocument": target, "edits": edits}]}
        else:
            edit = {"changes": {buffer.uri: edits}}
        self._asked.add(path)
        server.own(self._ask(path, base, text, edit))

    async def _ask(self, path: Path, base: str, text: str, edit: Json) -> None:
        moved = asyncio.Event()
        end = self._engine.server.world.listen(lambda _: moved.set() if self._moved(path, base, text) else None)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                # Without a label: Neovim prints one each time.
                await self._engine.server.protocol.ask("workspace/applyEdit", {"edit": edit})
            async with asyncio.timeout(_ANSWER_SECONDS):
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

    def _moved(self, path: Path, base: str, text: str) -> bool:
        """Whether the part that is edited is no longer as in `base`: what is typed elsewhere does not count."""
        now = self._text(path)
        if now is None:
            return True
        old = above_mark(base)
        return now != base if old == above_mark(text) else above_mark(now) != old

    def _text(self, path: Path) -> str | None:
        buffer = self._engine.server.documents.at(path)
        return buffer.text if buffer is not None else None
