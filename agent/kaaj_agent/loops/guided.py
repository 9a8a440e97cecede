"""The loop for small models: the harness plans, finds the places, checks and backs out; the model only writes code.

Measured on models of 0.5B to 8B: they repair what a check can judge, and they rewrite a function that is put before
them; they do not choose tools, name places or keep a plan. So none of this is asked of them.
"""

from __future__ import annotations

import re
from typing import Final

from kaaj_agent.changes import CheckResult
from kaaj_agent.failures import ModelError
from kaaj_agent.guided import evidence, syntax_repair, telling
from kaaj_agent.guided.changing import Changing
from kaaj_agent.guided.plan import Plan
from kaaj_agent.guided.repairing import Repairing
from kaaj_agent.limits import LimitReachedError
from kaaj_agent.ports import Message
from kaaj_agent.work import Outcome, Work

_REPAIR: Final = re.compile(
    r"\b(?:fix|bugs?\b|faulty|fails?\b|failing|failure|broken|wrong|repair|mend|crash|defect|incorrect|debug|traceback"
    r"|tests? (?:should |must )?pass|(?:syntax|type|name|import|attribute) ?error|does ?n[o']t work|not work)",
    re.IGNORECASE,
)


async def run(work: Work) -> Outcome:
    """Raises LimitReachedError, ModelError, CancelledError; what is staged by then stays staged."""
    if work.request.intent == "explain":
        return await telling.explain(work)
    if work.bench.plan_only:
        return await telling.plan(work)
    outcome = await _work(work)
    work.text(outcome.summary)
    work.session.say(Message("assistant", outcome.summary))
    return outcome


async def _work(work: Work) -> Outcome:
    """The request, then what the user added to the list meanwhile, in order."""
    plan = Plan(work)
    inherited = work.staging.files
    first = plan.add("Run the check")
    second = plan.add("Find the cause and mend it" if _asks_repair(work) else _short(work.request.prompt))
    last = plan.add("Check again")
    baseline = await _baseline(work, plan, first)
    try:
        done, tried, result = await _request(work, plan, baseline, second, last)
    except (LimitReachedError, ModelError) as error:
        if work.staging.files == inherited:
            raise
        return await _end(work, plan, last, baseline, [], [str(error)], changed=True)
    while (item := plan.next_of_user()) is not None:
        if not plan.start(item.id):
            continue
        changing = Changing(work, plan, item.title, result, pointed=False)
        changed = await changing.change(item.id, last)
        done += changed.lines
        tried += changed.tried if not changed.ok else []
        result = changed.result if changed.ok else result
    changed_any = work.staging.files != inherited
    return await _end(work, plan, last, baseline, done, tried, changed=changed_any)


async def _baseline(work: Work, plan: Plan, item: str) -> CheckResult:
    """How things stand before anything is done, so that nothing else is blamed on the change."""
    if not plan.start(item):
        return CheckResult("none")
    with work.activity("check", "run the check on what is there") as activity:
        result = await work.check()
        cases = evidence.failing_cases(result.output)
        if result.status == "none":
            activity.summary = "no check is known here"
        elif result.ok:
            activity.summary = f"{result.command} passes"
        else:
            activity.summary = _count(len(cases)) if cases else f"{result.command} fails"
    if result.status != "none":
        plan.name(item, f"Run `{result.command}`")
    plan.done(item, note=activity.summary)
    return result


async def _request(
    work: Work, plan: Plan, baseline: CheckResult, item: str, last: str
) -> tuple[list[str], list[str], CheckResult]:
    """What was done and what was tried in vain, one sentence each, and how the check stands now."""
    words = work.request.prompt
    if (_asks_repair(work) or _is_about(words, baseline)) and work.request.intent in ("task", "fix"):
        mended = await _syntax(work, plan, item)
        if mended is not None:
            return mended
        if baseline.status == "failed":
            repair = await Repairing.of(work, plan, words, baseline)
            outcome = await repair.mend(item, last)
            return outcome.lines, outcome.tried if outcome.left else [], outcome.result
    changed = await Changing(work, plan, words, baseline).change(item, last)
    return changed.lines, [] if changed.ok else changed.tried, changed.result


async def _syntax(work: Work, plan: Plan, item: str) -> tuple[list[str], list[str], CheckResult] | None:
    """A file that does not parse comes first: no other check tells anything before it does."""
    request = work.request
    paths = [problem.path for problem in request.diagnostics] + ([request.path] if request.path else [])
    found = await syntax_repair.broken(work, list(dict.fromkeys(paths)))
    if found is None:
        return None
    path, text, problem = found
    name = work.staging.folders.name_of(path)
    plan.name(item, f"Mend the syntax of {name}, line {problem.line}")
    if not plan.start(item):
        return [], ["skipped at your wish"], CheckResult("none")
    new = await syntax_repair.mended(work, path, text, problem, work.scorer)
    if new is None:
        plan.failed(item, "Nothing that was tried parses.")
        return [], [f"{name}, line {problem.line}: nothing that was tried parses"], CheckResult("none")
    await work.staging.put(path, new)
    work.show_draft()
    result = await work.check()
    plan.done(item, check="parses")
    return [f"{name} parses again (line {problem.line}: {problem.message})."], [], result


async def _end(
    work: Work, plan: Plan, last: str, baseline: CheckResult, done: list[str], tried: list[str], *, changed: bool
) -> Outcome:
    """An honest summary; nothing is kept where nothing was reached."""
    failures = [f"- {line}" for line in dict.fromkeys(tried)]
    if not changed:
        plan.failed(last, "There is nothing to check.")
        told = "\n".join(["Nothing was changed. Tried in vain:", *failures]) if failures else "Nothing was changed."
        return Outcome("stopped", told, keep=False)
    plan.start(last)
    result = await work.check()
    if result.status == "passed":
        plan.done(last, check=result.command)
        before = evidence.failing_cases(baseline.output)
        named = ", ".join(case.name for case in before[:3]) + (" and others" if len(before) > 3 else "")
        done.append(f"`{result.command}` passes" + (f"; before, {named} failed." if before else "."))
    elif result.status == "none":
        plan.done(last, note="No check is known here; the changed files parse.")
        done.append("No check ran; the changed files parse. Look closely.")
    else:
        count = len(evidence.failing_cases(result.output))
        plan.failed(last, f"`{result.command}` still fails.")
        done.append(f"`{result.command}` still fails" + (f" ({_count(count)}, none of them new)." if count else "."))
    if failures:
        done += ["Not done, tried in vain:", *failures]
    return Outcome("stopped" if failures else "done", "\n".join(done))


def _asks_repair(work: Work) -> bool:
    return work.request.intent == "fix" or bool(_REPAIR.search(work.request.prompt))


def _is_about(words: str, baseline: CheckResult) -> bool:
    """Whether a request names a test that fails."""
    return any(case.name and case.name in words for case in evidence.failing_cases(baseline.output))


def _count(cases: int) -> str:
    return f"{cases} test fails" if cases == 1 else f"{cases} tests fail"


def _short(prompt: str) -> str:
    """The request's first sentence as an item's title."""
    first = re.split(r"(?<=[.!?])\s|\n", prompt.strip(), maxsplit=1)[0]
    return first[:1].upper() + first[1:].rstrip(".")
