"""Requests that change nothing: an explanation, or a plan."""

from __future__ import annotations

from typing import Final

from kaaj_agent.document import Lines
from kaaj_agent.failures import FileError
from kaaj_agent.guided import rename, targets
from kaaj_agent.guided.plan import Plan
from kaaj_agent.guided.rewrite import sampling
from kaaj_agent.guided.sources import Sources, load_for
from kaaj_agent.languages import language_of
from kaaj_agent.ports import Message, Request
from kaaj_agent.work import Outcome, Work

_SHOWN_MAX: Final = 10_000
_ANSWER_TOKENS: Final = 700


async def explain(work: Work) -> Outcome:
    """The model's answer, streamed to the person. Raises LimitReachedError, ModelError, CancelledError."""
    request = work.request
    parts: list[str] = []
    if request.path is not None:
        try:
            document = await work.staging.find(request.path)
        except FileError as error:
            document = None
            work.notice(str(error), "warning")
        if document is not None:
            name, language = work.staging.folders.name_of(request.path), language_of(request.path).fence
            parts.append(f"{name}:\n```{language}\n{_around(document.text, request.span)}\n```")
            if request.span is not None and request.span[0] < request.span[1]:
                lines = Lines.of(document.text)
                chosen = document.text[lines.start(request.span[0]) : lines.start(request.span[1])]
                parts.append(f"These lines are selected:\n```{language}\n{chosen.rstrip()[:4_000]}\n```")
    if work.attached.text:
        parts.append(work.attached.text[:_SHOWN_MAX])
    parts += [f"Problem in line {problem.line}: {problem.message}" for problem in request.diagnostics[:5]]
    parts.append(f"{request.prompt.strip()}\nAnswer briefly and to the point, in the language of the question.")
    messages = (
        Message("system", "You are an expert programmer who explains code clearly and truthfully."),
        Message("user", "\n\n".join(parts)),
    )
    asked = Request(messages, sampling=sampling(work, 0), max_tokens=_ANSWER_TOKENS)
    reply = await work.ask_aside(asked, show=True)
    text = reply.text.strip()
    if not text:
        return Outcome("stopped", "The model gave no answer.", keep=False)
    if reply.finish == "length":
        text += "\n[cut at the length limit]"
    work.session.say(Message("assistant", text))
    return Outcome("done", text, keep=False)


def _around(text: str, span: tuple[int, int] | None) -> str:
    """The whole text where it is short, else the part around the span."""
    if len(text) <= _SHOWN_MAX:
        return text.rstrip()
    lines = Lines.of(text)
    first = max(0, (span[0] if span else 0) - 60)
    return text[lines.start(first) : lines.start(first) + _SHOWN_MAX].rstrip() + "\n[cut]"


async def plan(work: Work) -> Outcome:
    """The to-do list and what it would touch; nothing runs and nothing is changed."""
    request = work.request
    if request.todo:  # the person has planned it already
        planned = "\n".join([f"Your plan for: {request.prompt.strip()}", *(f"- {item.title}" for item in request.todo)])
        work.text(planned)
        work.session.say(Message("assistant", planned))
        return Outcome("done", planned, keep=False)
    sources = await load_for(work, request.prompt)
    steps = await _steps(work, sources)
    todo = Plan(work)
    for step in steps:
        todo.add(step)
    if work.request.check or work.limits.settings.check not in ("", "none"):
        todo.add("Run the check")
    told = [f"A plan for: {request.prompt.strip()}", *(f"- {item.title}" for item in work.todo.items)]
    if not steps:
        told = ["No file of the workspace seems to be what the request is about; name a file or a function."]
    summary = "\n".join(told)
    work.text(summary)
    work.session.say(Message("assistant", summary))
    return Outcome("done" if steps else "stopped", summary, keep=False)


async def _steps(work: Work, sources: Sources) -> list[str]:
    wish = work.request.prompt
    exact = rename.asked(wish)
    if exact is not None:
        return [
            f"Rename `{exact.old}` to `{exact.new}` in {sources.name(path)}"
            for path in sources.mentioning([exact.old])[:12]
        ]
    return [f"Change {unit.title}" for unit in await targets.units(work, sources, wish)]
