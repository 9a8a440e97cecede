"""Which sessions leave the memory: nobody works on them, and many were used since. Their logs keep them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from kaaj_agent.session import Session

LIVE_MAX: Final = 50
"""Sessions in memory, besides those at work, with a proposal that waits, or that the disk does not take."""

TASKS_MAX: Final = 16
"""Tasks at work at once."""


def resting(
    sessions: Iterable[Session], busy: Collection[str], deciding: Collection[str], used: Mapping[str, int], room: int
) -> list[Session]:
    """Those to let go of, so that `room` of the idle ones are left, the ones that were used last.

    `busy` are ids of tasks, `deciding` of changes, `used` numbers the uses by the session's id.
    """
    idle = [
        session
        for session in sessions
        if session.log.file is not None
        and not session.continued
        and session.running is None
        and not session.proposed()
        and not any(task in busy for task in session.tasks)
        and not any(change in deciding for change in session.changes)
    ]
    idle.sort(key=lambda session: used.get(session.id, 0), reverse=True)
    return idle[room:]
