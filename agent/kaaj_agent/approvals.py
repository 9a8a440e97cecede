"""The one owner of questions that wait for the person."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

from kaaj_agent import events as ev
from kaaj_agent.limits import Limits
from kaaj_agent.ports import Approver, Clock, Question
from kaaj_agent.session import Session


@dataclass(slots=True)
class Approvals:
    """Asks through the port, tells the session before and after, and stops the task's clock meanwhile."""

    approver: Approver
    clock: Clock
    pending: dict[str, Question] = field(default_factory=dict[str, Question])

    async def ask(self, session: Session, limits: Limits, question: Question) -> str | None:
        """The person's choice, or None. Cancelling withdraws the question."""
        asked = replace(question, id="q" + secrets.token_hex(4))
        self.pending[asked.id] = asked
        session.emit(ev.ApprovalAsked(asked.task, asked))
        began = self.clock.monotonic()
        answer: str | None = None
        try:
            answer = await self.approver.ask(asked)
            if answer not in asked.choices:
                answer = None
        finally:
            limits.paused += self.clock.monotonic() - began
            del self.pending[asked.id]
            session.emit(ev.ApprovalAnswered(asked.task, asked.id, answer))
        return answer
