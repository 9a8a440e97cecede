"""The loop for small models: the harness plans, finds the places, checks and backs out; the model only writes code.

Measured on models of 0.5B to 8B: they repair what a check can judge, and they rewrite a function that is put before
them; they do not choose tools, name places or keep a plan. So none of this is asked of them.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from kaaj_agent.changes import CheckResult
from kaaj_agent.failures import ModelError
from kaaj_agent.guided import evidence, going_on, premise, telling
from kaaj_agent.guided.budget import Budget
from kaaj_agent.guided.changing import Changing
from kaaj_agent.guided.job import Job
from kaaj_agent.guided.last_word import Story, count, last_word, nothing_changed, reservation
from kaaj_agent.guided.mending import mend
from kaaj_agent.guided.plan import Plan, asks_for_check
from kaaj_agent.guided.sources import load_for
from kaaj_agent.limits import LimitReachedError
from kaaj_agent.ports import Message
from kaaj_agent.todo import Todo
from kaaj_agent.tries import Tries
from kaaj_agent.work import Outcome, Work

_REPAIR: Final = re.compile(
    r"\b(?:fix|bugs?\b|faulty|fails?\b|failing|failure|broken|wrong|repair|mend|crash|defect|incorrect|debug|traceback"
    r"|tests? (?:should |must )?pass|(?:syntax|type|name|import|attribute) ?error|does ?n[o']t work|not work)",
    re.IGNORECASE,
)


async def run(work: Work) -> Outcome:
    """Raises LimitReachedError, ModelError, CancelledError; what is staged by then stays staged."""
    tries = going_on.take_up(work)
    if work.request.intent == "explain":
        return await telling.explain(work)
    if work.bench.plan_only:
        return await telling.plan(work)
    outcome = await _work(work, tries)
    work.text(outcome.summary)
    work.session.say(Message("assistant", outcome.summary))
    return outcome


async def _work(work: Work, tries: Tries) -> Outcome:
    """The request and what the user put on the list, in the list's order of the moment. A list that the user gave the
    task to begin with is the plan.
    """
    plan = Plan(work)
    inherited = work.staging.files
    given = bool(work.request.todo)
    first = "" if given else plan.add("Run the check")
    own = "" if given else plan.add("Find the cause and mend it" if _asks_repair(work) else _short(work.request.prompt))
    last = plan.closing()
    baseline = await _baseline(work, plan, first)
    story = Story(baseline, baseline, reservation(work.request.prompt))
    job = Job(work, plan, story, Budget(work.limits), tries, last)
    job.budget.begin()
    try:
        while (item := plan.next(own)) is not None:
            if job.budget.left <= 0:
                story.out_of_time = True
                story.tried.append(f"no time was left for: {item.title}")
                continue
            if item.id == own:
                await _request(job, own)
            else:
                await _item(job, item)
    except LimitReachedError as error:
        story.found.append(str(error))
        story.out_of_time = True
    except ModelError as error:
        if work.staging.files == inherited:
            raise
        story.tried.append(str(error))
    return await _end(job, changed=work.staging.files != inherited)


async def _baseline(work: Work, plan: Plan, item: str) -> CheckResult:
    """How things stand before anything is done, so that nothing else is blamed on the change."""
    if item and not plan.start(item):
        return CheckResult("none")
    with work.activity("check", "run the check on what is there") as activity:
        result = await work.check()
        cases = evidence.failing_cases(result.output)
        if result.status == "none":
            activity.summary = "no check is known here"
        elif result.ok:
            activity.summary = f"{result.command} passes"
        else:
            activity.summary = count(len(cases)) if cases else f"{result.command} fails"
    if result.status != "none":
        plan.name(item, f"Run `{result.command}`")
    plan.done(item, note=activity.summary)
    return result


async def _request(job: Job, item: str) -> None:
    """Do what was asked for."""
    work, story = job.work, job.story
    words = work.request.prompt
    repairs = (_asks_repair(work) or _is_about(words, story.result)) and work.request.intent in ("task", "fix")
    if repairs and await mend(job, words, item):
        return
    if repairs and story.result.status == "passed" and not work.request.diagnostics:
        sources = await load_for(work, words)
        if await asyncio.to_thread(premise.only_that_tests_fail, words, story.result.command, sources):
            story.found.append(f"`{story.result.command}` passes as it is, so there is nothing to mend.")
            job.plan.done(item, note="Nothing fails.")
            return
    await _change(job, Changing(work, job.plan, words, story.result, job.budget, job.tries), item)


async def _item(job: Job, item: Todo) -> None:
    """Do what an item of the user's says; where the whole list is theirs, as a part of the request."""
    work, plan, story = job.work, job.plan, job.story
    if not plan.start(item.id):
        return
    given, words = bool(work.request.todo), item.title
    if asks_for_check(words):
        story.result = await work.check()
        if story.result.status == "failed":
            plan.failed(item.id, f"`{story.result.command}` fails.")
        else:
            plan.done(item.id, check=story.result.command, note="" if story.result.command else "No check is known.")
        return
    if _REPAIR.search(words) or _is_about(words, story.result):
        if story.result.status == "passed" and story.baseline.status == "failed":
            plan.done(item.id, check=story.result.command)  # an item before it mended this as well
            return
        if await mend(job, words, item.id):
            return
    told = f"{work.request.prompt.strip()}\nOf this, do now only: {words}" if given else ""
    changing = Changing(work, plan, words, story.result, job.budget, job.tries, pointed=given, told=told)
    await _change(job, changing, item.id)


async def _change(job: Job, changing: Changing, item: str) -> None:
    story = job.story
    changed = await changing.change(item, job.last)
    story.done += changed.lines
    story.found += changed.found
    story.tried += [] if changed.ok else changed.tried
    story.exact = story.exact and changed.exact
    story.out_of_time = story.out_of_time or changed.out_of_time
    story.result = changed.result if changed.ok else story.result


async def _end(job: Job, *, changed: bool) -> Outcome:
    """An honest summary; nothing is kept where nothing was reached."""
    work, plan, story = job.work, job.plan, job.story
    if not changed:
        plan.failed(job.last, "There is nothing to check.")
        return nothing_changed(story)
    plan.start(job.last)
    result = await work.check()
    match result.status:
        case "passed":
            plan.done(job.last, check=result.command)
        case "none":
            plan.done(job.last, note="Not checked.")
        case "failed":
            plan.failed(job.last, f"`{result.command}` still fails.")
    return last_word(story, result, work.staging.files, could_run=not work.unchecked)


def _asks_repair(work: Work) -> bool:
    return work.request.intent == "fix" or bool(_REPAIR.search(work.request.prompt))


def _is_about(words: str, baseline: CheckResult) -> bool:
    """Whether a request names a test that fails."""
    return any(case.name and case.name in words for case in evidence.failing_cases(baseline.output))


def _short(prompt: str) -> str:
    """The request's first sentence as an item's title."""
    first = re.split(r"(?<=[.!?])\s|\n", prompt.strip(), maxsplit=1)[0]
    return first[:1].upper() + first[1:].rstrip(".")
