"""What every step of one guided task goes by."""

from __future__ import annotations

from dataclasses import dataclass

from kaaj_agent.guided.budget import Budget
from kaaj_agent.guided.last_word import Story
from kaaj_agent.guided.plan import Plan
from kaaj_agent.tries import Tries
from kaaj_agent.work import Work


@dataclass(slots=True)
class Job:
    """`last` is the to-do item of the last check, before which new ones are put; empty: at the end.

    `rewrites`: whether the task's model is asked to write code anew where nothing smaller helps.
    """

    work: Work
    plan: Plan
    story: Story
    budget: Budget
    tries: Tries
    last: str = ""
    rewrites: bool = True
