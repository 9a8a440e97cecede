"""Where an undo is refused since a file was edited later: the merge is offered in a question, for clients without a
place of their own for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from kaaj_agent.failures import KaajError, StaleError

if TYPE_CHECKING:
    from kaaj_server.lsp.engine import Engine

MERGE: Final = "Propose a merge"
LEAVE: Final = "Leave it"
_WHAT: Final = (
    "Kaaj can propose the way back with the later edits kept. Nothing is written before you have decided on it."
)


async def offer_merge(engine: Engine, change: str, path: Path | None, refused: StaleError) -> None:
    """Ask, and propose the merge if that is wanted; it is then put to the person as any change is."""
    if await engine.questions.choose(f"{refused.message} {refused.kept} {_WHAT}", [MERGE, LEAVE], warn=True) != MERGE:
        return
    try:
        await engine.undo(change, path, merge=True)
    except KaajError as error:
        engine.server.say("error", str(error))
