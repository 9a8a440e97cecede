"""The last word on a guided task: what was done, what was shown of it and what was not, and never more than that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from kaaj_agent.changes import CheckResult, FileChange
from kaaj_agent.guided import evidence
from kaaj_agent.guided.evidence import Case
from kaaj_agent.languages import is_test
from kaaj_agent.syntax import judges
from kaaj_agent.work import Outcome

KEEP_TRYING: Final = 'Say "keep trying" to go on from here.'
_NAMED: Final = 3


@dataclass(slots=True)
class Story:
    """How the check stood before anything was done and stands now, and what happened in between, in sentences.

    `found` is what became clear, such as that two tests contradict each other; `left` are cases that were meant and
    still fail; `exact`: all that was changed is the harness's own exact work, such as a renaming; `reservation` is the
    person's own condition for leaving everything alone; `out_of_time`: there was more to try.
    """

    baseline: CheckResult
    result: CheckResult
    reservation: str = ""
    done: list[str] = field(default_factory=list[str])
    tried: list[str] = field(default_factory=list[str])
    found: list[str] = field(default_factory=list[str])
    left: list[Case] = field(default_factory=list[Case])
    exact: bool = True
    out_of_time: bool = False


_CONDITION: Final = re.compile(r"\b(?:if|unless|when|where|should|in case|otherwise|else)\b", re.IGNORECASE)
_LEAVE: Final = re.compile(
    r"\b(?:chang|touch|edit|modify|alter|do)(?:e|ing)?\s+(?:then\s+)?nothing\b"
    r"|\bnothing\s+(?:\w+\s+)?(?:to\s+)?be\s+(?:changed|done|touched|edited)"
    r"|\b(?:do\s+not|don't|never)\s+(?:change|touch|edit|modify|do)\s+anything\b"
    r"|\bwithout\s+(?:changing|touching|editing)\s+anything\b"
    r"|\bleave\s+(?:it|them|that|this|everything|all|the\s+\w+)(?:\s+\w+)?\s+(?:alone|untouched|as\s+(?:it|they)\s)",
    re.IGNORECASE,
)


def reservation(words: str) -> str:
    """The sentence by which a request wants everything left alone under a condition; empty where there is none."""
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", words.strip()):
        if _LEAVE.search(sentence) and _CONDITION.search(sentence):
            return " ".join(sentence.split())
    return ""


def proof(result: CheckResult) -> tuple[str, str]:
    """What a result that is good enough to go on with shows: (the check that passed, else a note)."""
    match result.status:
        case "passed":
            return result.command, ""
        case "failed":
            return "", f"`{result.command}` fails as before, and nothing new fails."
        case _:
            return "", "Not checked."


def nothing_changed(story: Story) -> Outcome:
    """Why there is nothing to look at: what was found out, and what was tried."""
    told = [" ".join(["Nothing was changed.", *story.found])]
    if story.tried:
        told = [*told[:-1], f"{told[-1]} Tried in vain:", *_rows(story.tried)]
    elif not story.found:
        told = ["Nothing was changed: nothing of it was to be done any more."]
    if story.out_of_time:
        told.append(KEEP_TRYING)
    return Outcome("stopped", "\n".join(told), keep=False)


def last_word(story: Story, result: CheckResult, files: Sequence[FileChange], *, could_run: bool) -> Outcome:
    """What is proposed and how it was shown to be right. `result` is the check of the whole of it.

    `could_run`: the check that there is ran, or there is none.
    """
    told = [*story.done]
    sure = result.status == "passed" and story.baseline.status == "failed"
    match result.status:
        case "passed":
            told.append(_passes(story, result, files))
        case "none":
            told.append(_unchecked(result, files, could_run=could_run))
        case "failed":
            told.append(_fails(story, result))
    told += story.found
    doubt = bool(story.reservation) and not (sure or story.exact)
    if doubt:
        told.append(
            f'You said: "{story.reservation}" Nothing that ran can tell whether that is the case, so this is not '
            "called done: look at the change, or refuse it."
        )
    still = [case.name or case.id for case in story.left if case.name or case.id]
    if still and result.status == "passed":
        still = []
    if story.tried or still:
        told += ["Not done, tried in vain:", *_rows(story.tried or [f"to make {_some(still)} pass"])]
    if story.out_of_time:
        told.append(KEEP_TRYING)
    whole = result.ok and not doubt and not story.tried and not still
    return Outcome("done" if whole else "stopped", "\n".join(told))


def _passes(story: Story, result: CheckResult, files: Sequence[FileChange]) -> str:
    passes = f"`{result.command}` passes"
    match story.baseline.status:
        case "failed":
            named = [case.name for case in evidence.failing_cases(story.baseline.output) if case.name]
            return f"{passes}; before, {_some(named) if named else 'it'} failed. Nothing else vouches for the change."
        case "none":
            return f"{passes}; before, it was not run."
        case _ if any(is_test(file.target) for file in files):
            return f"{passes} with the changed tests in place."
        case _ if story.exact:
            return f"{passes}, as it did before."
        case _:
            return f"{passes}, as it did before: it does not tell whether the change does what was asked. Look closely."


def _unchecked(result: CheckResult, files: Sequence[FileChange], *, could_run: bool) -> str:
    if not could_run:
        why = "the check could not be run."
    elif result.command:
        why = f"`{result.command}` found no test to run."
    else:
        why = "no check is known here."
    there = [file for file in files if file.after is not None]
    parse = bool(there) and all(judges(file.target) for file in there)
    return f"Not checked: {why}{' The changed files parse.' if parse else ''} Look closely."


def _fails(story: Story, result: CheckResult) -> str:
    if not result.parsed:
        return f"What is changed does not parse: {evidence.tail(result.output.strip(), 300)}"
    then = {case.id for case in evidence.failing_cases(story.baseline.output)}
    now = evidence.failing_cases(result.output)
    fresh = [case.name for case in now if case.id not in then]
    if not now:
        return f"`{result.command}` still fails."
    new = f"new: {_some(fresh)}" if fresh else "none of them new"
    return f"`{result.command}` still fails ({count(len(now))}, {new})."


def count(cases: int) -> str:
    return f"{cases} test fails" if cases == 1 else f"{cases} tests fail"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")


def _rows(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in dict.fromkeys(lines)]
