"""Questions to the person by `window/showMessageRequest`, which every client has."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

from kaaj_agent.ports import Question
from kaaj_server.lsp.json_values import a_string, an_object
from kaaj_server.lsp.protocol import RequestFailedError

Json: TypeAlias = Any
_log: Final = logging.getLogger(__name__)
_ACTIONS_MAX: Final = 4
_INFO: Final = 3
_WARNING: Final = 2


class Questions:
    """The `Approver` port. A client that never answers keeps only its own task waiting."""

    def __init__(self, ask: Callable[[str, Json], Awaitable[Json]]) -> None:
        self._ask = ask

    async def ask(self, question: Question) -> str | None:
        message = "\n\n".join(part for part in (question.title, question.detail) if part)
        return await self.choose(message, question.choices, warn=question.kind == "command")

    async def choose(self, message: str, titles: Sequence[str], *, warn: bool = False) -> str | None:
        """One of `titles` (at most four are shown), or None where the person closed the question."""
        shown = tuple(titles[:_ACTIONS_MAX])
        params = {
            "type": _WARNING if warn else _INFO,
            "message": message,
            "actions": [{"title": title} for title in shown],
        }
        try:
            answer = await self._ask("window/showMessageRequest", params)
        except RequestFailedError as error:
            _log.info("window/showMessageRequest: %s", error)
            return None
        title = a_string(an_object(answer).get("title"))
        return title if title in shown else None
