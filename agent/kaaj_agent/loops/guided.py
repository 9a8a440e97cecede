"""The loop for small models: the harness plans, finds the places, checks and backs out; the model only writes code.

Measured on models of 0.5B to 8B: they repair what a check can judge, and they rewrite a function that is put before
them; they do not choose tools, name places or keep a plan. So none of this is asked of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from kaaj_agent.changes import CheckResult
from kaaj_agent.failures import ModelError
from kaaj_agent.guided import evidence, syntax_repair, telling
from kaaj_agent.guided.changing import Changing
from kaaj_agent.guided.plan import Plan, asks_for_check
from kaaj_agent.guided.repairing import Repairing
from kaaj_agent.limits import LimitReachedError
from kaaj_agent.ports import Message
from kaaj_agent.todo import Todo
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
    state = _State(baseline, baseline)
    try:
        while (item := plan.next(own)) is not None:
            if item.id == own:
                await _request(work, plan, state, own, last)
            else:
                await _item(work, plan, state, item, last)
    except (LimitReachedError, ModelError) as error:
        if work.staging.files == inherited:
            raise
        state.tried.append(str(error))
    return await _end(work, plan, last, state, changed=work.staging.files != inherited)


@dataclass(slots=True)
class _State:
    """How the check stood before anything was done and stands now; what was done, and what was tried in vain."""

    baseline: CheckResult
    result: CheckResult
    done: list[str] = field(default_factory=list[str])
    tried: list[str] = field(default_factory=list[str])


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
            activity.summary = _count(len(cases)) if cases else f"{result.command} fails"
    if result.status != "none":
        plan.name(item, f"Run `{result.command}`")
    plan.done(item, note=activity.summary)
    return result


async def _request(work: Work, plan: Plan, state: _State, item: str, last: str) -> None:
    """Do what was asked for."""
    words = work.request.prompt
    repairs = (_asks_repair(work) or _is_about(words, state.result)) and work.request.intent in ("task", "fix")
    if not (repairs and await _repair(work, plan, state, words, item, last)):
        await _change(Changing(work, plan, words, state.result), state, item, last)


async def _item(work: Work, plan: Plan, state: _State, item: Todo, last: str) -> None:
    """Do what an item of the user's says; where the whole list is theirs, as a part of the request."""
    if not plan.start(item.id):
        return
    given, words = bool(work.request.todo), item.title
    if asks_for_check(words):
        state.result = await work.check()
        if state.result.status == "failed":
            plan.failed(item.id, f"`{state.result.command}` fails.")
        else:
            plan.done(item.id, check=state.result.command, note="" if state.result.command else "No check is known.")
        return
    if _REPAIR.search(words) or _is_about(words, state.result):
        if state.result.status == "passed" and state.baseline.status == "failed":
            plan.done(item.id, check=state.result.command)  # an item before it mended this as well
            return
        if await _repair(work, plan, state, words, item.id, last):
            return
    told = f"{work.request.prompt.strip()}\nOf this, do now only: {words}" if given else ""
    await _change(Changing(work, plan, words, state.result, pointed=given, told=told), state, item.id, last)


async def _repair(work: Work, plan: Plan, state: _State, words: str, item: str, last: str) -> bool:
    """Mend a text that does not parse, else what fails; False where neither is to be seen."""
    mended = await _syntax(work, plan, item)
    if mended is not None:
        done, tried, state.result = mended
        state.done += done
        state.tried += tried
        return True
    if state.result.status != "failed":
        return False
    repair = await Repairing.of(work, plan, words, state.result)
    outcome = await repair.mend(item, last)
    state.done += outcome.lines
    state.tried += outcome.tried if outcome.left else []
    state.result = outcome.result
    return True


async def _change(changing: Changing, state: _State, item: str, last: str) -> None:
    changed = await changing.change(item, last)
    state.done += changed.lines
    state.tried += [] if changed.ok else changed.tried
    state.result = changed.result if changed.ok else state.result


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


async def _end(work: Work, plan: Plan, last: str, state: _State, *, changed: bool) -> Outcome:
    """An honest summary; nothing is kept where nothing was reached."""
    baseline, done, tried = state.baseline, state.done, state.tried
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
