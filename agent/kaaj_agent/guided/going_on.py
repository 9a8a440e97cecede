"""To keep trying: the request before is meant, and what was tried for it is not tried again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from kaaj_agent.request import StartRequest
from kaaj_agent.tries import Tries
from kaaj_agent.work import Work

_GO_ON: Final = re.compile(
    r"\W*(?:please\W+)?(?:keep\s+(?:on\s+)?(?:trying|going|at\s+it)|go\s+on(?:\s+trying)?|carry\s+on|continue(?:\s+trying)?"
    r"|try\s+(?:it\s+)?(?:again|harder|more|on|longer|once\s+more)|(?:once\s+more|again)|weiter(?:machen)?)(?:\W+please)?\W*",
    re.IGNORECASE,
)


def goes_on(words: str) -> bool:
    """Whether a request only asks for more of the same."""
    return _GO_ON.fullmatch(words) is not None


def take_up(work: Work) -> Tries:
    """Work on the request before, where the person asks for more of it; what was tried for it so far."""
    session, request = work.session, work.request
    if goes_on(request.prompt):
        before = session.tries or _earlier(work)
        if before is not None:
            work.request = replace(
                before.request, mode=request.mode, session=request.session, todo=request.todo, check=request.check
            )
            work.attached = before.attached
            work.workshop.request = replace(
                work.workshop.request,
                check=request.check or before.request.check,
                path=request.path or before.request.path,
            )
            session.tries = replace(before, rounds=before.rounds + 1)
            return session.tries
    session.tries = Tries(request, work.attached)
    return session.tries


def _earlier(work: Work) -> Tries | None:
    """The last request of a session that came back from its log: what was tried for it is not known any more."""
    for state in reversed(work.session.tasks.values()):
        if state.id != work.task and not goes_on(state.prompt):
            request = StartRequest(state.prompt, path=state.path, context=state.context)
            return Tries(request, work.attached)
    return None
