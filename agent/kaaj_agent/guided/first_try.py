"""What the embedded model mends on its own, before a model that uses tools is asked to fix something.

A repair that a check can judge takes seconds here and not one token there. Where none is found, nothing is lost but
those seconds.
"""

from __future__ import annotations

from typing import Final

from kaaj_agent.failures import ModelError
from kaaj_agent.guided.budget import Budget
from kaaj_agent.guided.job import Job
from kaaj_agent.guided.last_word import Story, last_word
from kaaj_agent.guided.mending import mend
from kaaj_agent.guided.plan import Plan
from kaaj_agent.limits import LimitReachedError
from kaaj_agent.ports import Message
from kaaj_agent.tries import Tries
from kaaj_agent.work import Outcome, Work

SECONDS: Final = 25.0
"""How long it may try. Measured: half of the one-line faults are mended in 5 s, and few after 20."""

GO_ON: Final = "That stands in the files as you read them. Go on with what is left of it."


async def first_try(work: Work) -> Outcome | None:
    """The whole fix, or None where the task's model is to go on; what was mended by then stays staged, and it is told.

    Raises LimitReachedError where the task's own limits are reached, and CancelledError.
    """
    request = work.request
    if request.intent != "fix" or request.todo or work.bench.plan_only or work.staging.files:
        return None
    if await work.lend() is None:
        return None
    baseline = await work.check()
    plan, story = Plan(work), Story(baseline, baseline)
    job = Job(work, plan, story, Budget(work.limits, SECONDS), Tries(request, work.attached), rewrites=False)
    job.budget.begin()
    item = plan.add("Find the cause and mend it")
    try:
        await mend(job, request.prompt, item)
    except ModelError as error:  # of the embedded one: the task's own model was not asked
        story.tried.append(str(error))
    except LimitReachedError:
        if work.limits.left <= 0:
            raise
        story.out_of_time = True
    if story.done and not (story.tried or story.left or story.out_of_time):
        outcome = last_word(story, await work.check(), work.staging.files, could_run=not work.unchecked)
        work.text(outcome.summary)
        work.session.say(Message("assistant", outcome.summary))
        return Outcome("done", outcome.summary)
    plan.withdraw()
    if story.done:
        work.session.say(Message("assistant", "\n".join(story.done)))
        work.tell(GO_ON)
    return None
