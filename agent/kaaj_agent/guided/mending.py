"""Mending what something can judge: a text that does not parse, a problem that its tool tells, a check that fails."""

from __future__ import annotations

from pathlib import Path

from kaaj_agent.guided import problem_repair, syntax_repair
from kaaj_agent.guided.budget import OutOfTimeError
from kaaj_agent.guided.job import Job
from kaaj_agent.guided.problem_judge import ProblemJudge
from kaaj_agent.guided.repairing import Repairing
from kaaj_agent.ports import Diagnostic
from kaaj_agent.syntax import SyntaxProblem


async def mend(job: Job, words: str, item: str) -> bool:
    """Mend what there is to be seen for the to-do item, the file's syntax first; False where there is nothing.

    What is staged by it passed its judge; the job's story tells the rest. Raises LimitReachedError, ModelError,
    CancelledError.
    """
    story, request = job.story, job.work.request
    if await _syntax(job, item) or await _problems(job, item):
        story.exact = False
        return True
    if story.result.status != "failed":
        return False
    repair = await Repairing.of(job, words)
    if request.intent == "fix" and request.diagnostics:
        pointed = {problem.path for problem in request.diagnostics}
        if not await repair.concerns(pointed):
            return False
    try:
        await repair.mend(item, job.last)
    finally:
        mended = repair.mended
        story.exact = False
        story.done += mended.lines
        story.left += mended.left
        story.found += mended.found
        story.tried += mended.tried if mended.left else []
        story.out_of_time = story.out_of_time or mended.out_of_time
        story.result = mended.result
    return True


async def _syntax(job: Job, item: str) -> bool:
    """A file that does not parse comes first: no other check tells anything before it does. False where all do."""
    work, story = job.work, job.story
    request = work.request
    paths = [problem.path for problem in request.diagnostics] + ([request.path] if request.path else [])
    found = await syntax_repair.broken(work, list(dict.fromkeys(paths)))
    if found is None:
        return False
    path, text, problem = found
    name = work.staging.folders.name_of(path)
    job.plan.name(item, f"Mend the syntax of {name}, line {problem.line}")
    if not job.plan.start(item):
        story.tried.append("skipped at your wish")
        return True
    new = await _parsing(job, path, text, problem)
    if new is None:
        job.plan.failed(item, "Nothing that was tried parses.")
        story.tried.append(f"{name}, line {problem.line}: nothing that was tried parses")
        return True
    await work.staging.put(path, new)
    work.show_draft()
    story.result = await work.check()
    job.plan.done(item, check="parses")
    story.done.append(f"{name} parses again (line {problem.line}: {problem.message}).")
    return True


async def _parsing(job: Job, path: Path, text: str, problem: SyntaxProblem) -> str | None:
    try:
        async with job.budget.item():
            return await syntax_repair.mended(job.work, path, text, problem, rewrites=job.rewrites)
    except OutOfTimeError as error:
        job.story.out_of_time = True
        job.story.tried.append(str(error))
        return None


async def _problems(job: Job, item: str) -> bool:
    """The problems that the person pointed at, where a tool on this machine tells them as well; False where none does.

    What the model writes is judged here, so there is no sense in having it write once more without a judge.
    """
    work, story = job.work, job.story
    if work.request.intent != "fix" or work.request.todo:
        return False
    current: str | None = item
    touched: set[Path] = set()
    unjudged: list[Diagnostic] = []
    for problem in work.request.diagnostics:
        judge = await ProblemJudge.of(work, problem, story.result)
        if judge is None:
            unjudged += [] if problem.path in touched else [problem]  # else it went with one before it
            continue
        current = current or job.plan.add(problem.message, before=job.last or None)
        await _problem(job, current, judge)
        touched.add(problem.path)
        current = None
    if touched:
        name = work.staging.folders.name_of
        story.tried += [f"{name(p.path)}, line {p.line}: {p.message} (no tool here tells it)" for p in unjudged]
    return bool(touched)


async def _problem(job: Job, item: str, judge: ProblemJudge) -> None:
    work, story, problem = job.work, job.story, judge.problem
    where = f"{work.staging.folders.name_of(problem.path)}, line {problem.line}"
    job.plan.name(item, f"Mend {where}: {problem.message}")
    if not job.plan.start(item):
        story.tried.append("skipped at your wish")
        return
    try:
        async with job.budget.item() as share:
            found = await problem_repair.mended(work, judge, share, rewrites=job.rewrites)
    except OutOfTimeError as error:
        found, story.out_of_time = None, True
        story.tried.append(str(error))
    if found is None:
        job.plan.failed(item, f"Nothing that was tried satisfies `{judge.tool}`.")
        story.tried.append(f"{where}: nothing that was tried satisfies `{judge.tool}`")
        return
    text, what = found
    await work.staging.put(problem.path, text)
    work.show_draft()
    story.result = await work.check()
    told = f"Mended {where}:  {what}\n`{judge.tool}` tells that problem no more, and nothing new."
    job.plan.done(item, check=judge.command, note=told)
    story.done.append(told)
