"""Asking for a whole function or file anew: the code first (so that it is evaluated once), the instruction last."""

from __future__ import annotations

import ast
import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kaaj_agent.guided.merge import Refusal, code_of, merge
from kaaj_agent.guided.units import PYTHON, Span, parse, spans
from kaaj_agent.languages import language_of
from kaaj_agent.ports import Message, Request, Sampling
from kaaj_agent.syntax import new_problem
from kaaj_agent.work import Work

WHOLE_LINES: Final = 80
"""A file of up to this many lines is rewritten whole, and shown whole around a function."""

_SHOWN_MAX: Final = 9_000
_FUNCTION_TOKENS: Final = 600
_FILE_TOKENS: Final = 1_200


@dataclass(frozen=True, slots=True)
class Unit:
    """What is to be written anew: a region of a file, or the whole file (`span` None).

    `concerns` are the names in it that the request names, where it names others elsewhere.
    """

    path: Path
    name: str
    text: str
    span: Span | None
    concerns: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """For the person: the function and its file."""
        if self.span is None or self.span.kind == "file":
            return self.name
        if self.span.kind == "new":
            return self.name
        if self.span.kind == "lines" or not self.span.name:
            return f"lines {self.span.first}-{self.span.last} of {self.name}"
        return f"`{self.span.name}` in {self.name}"

    @property
    def max_tokens(self) -> int:
        """Enough for the code twice over, within what was measured to suffice."""
        lines = self.text.split("\n")
        shown = lines if self.span is None else lines[self.span.first - 1 : self.span.last]
        size = sum(map(len, shown)) // 3 * 2 + 200
        least = _FILE_TOKENS if self.span is None or self.span.kind == "new" else _FUNCTION_TOKENS
        return max(least, min(size, 4 * least))


def shown(unit: Unit) -> str:
    """The file, or where that is long, its beginning, the header of the class around the region, and the region."""
    lines = unit.text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if unit.span is None or unit.span.kind == "file" or (len(lines) <= WHOLE_LINES and len(unit.text) <= _SHOWN_MAX):
        return "\n".join(lines)
    span = unit.span
    if span.kind == "new":
        return _outline(unit, lines)
    head = _head(unit, lines)
    first = span.first if span.kind == "function" else max(1, span.first - 15)
    last = span.last if span.kind == "function" else span.last + 8
    body = lines[max(first - 1, head) : last]
    outer = [line for line in lines[head : first - 1] if _is_outer(line, lines[span.first - 1])][-1:]
    gap = ["", "..."] if head else []
    return "\n".join([*lines[:head], *gap, *outer, *body])


def _outline(unit: Unit, lines: list[str]) -> str:
    """The top of a long file and the headers of what it defines, then its last lines, for something new in it."""
    head = _head(unit, lines) or 10
    headers = [lines[span.first - 1] for span in spans(unit.path, unit.text) if span.first > head][:60]
    return "\n".join([*lines[:head], "...", *headers, "...", *lines[-25:]])


def _head(unit: Unit, lines: list[str]) -> int:
    """How many lines at the top are imports and constants, at most 40."""
    tree = parse(unit.text) if unit.path.suffix.lower() in PYTHON else None
    first = unit.span.first if unit.span and unit.span.kind != "new" else len(lines)
    if tree is None:
        return min(15, first - 1)
    last = 0
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            break
        last = node.end_lineno or node.lineno
    return min(last, 40, first - 1)


def _is_outer(line: str, inner: str) -> bool:
    depth = len(inner) - len(inner.lstrip())
    return (
        line.lstrip().startswith(("class ", "impl ", "struct ", "export class "))
        and len(line) - len(line.lstrip()) < depth
    )


def fix_messages(unit: Unit, purpose: str, failure: str) -> tuple[Message, ...]:
    """For a fault that a check shows."""
    language = language_of(unit.path)
    fence = language.fence
    parts = [f"```{fence}\n{shown(unit)}\n```"]
    if purpose:
        parts.append(purpose)
    if failure:
        parts.append(f"It is wrong:\n{failure}")
    parts.append(f"Write the whole corrected {_what(unit)} in one ```{fence} code block and nothing else.")
    return _messages(f"You are an expert {language.name} programmer who fixes bugs.", parts)


def change_messages(unit: Unit, request: str, more: str = "", failure: str = "") -> tuple[Message, ...]:
    """For a change that was asked for. `more` is what else the model should see (other files, the problems)."""
    language = language_of(unit.path)
    fence = language.fence
    code = shown(unit)
    parts = [f"{unit.name}:\n```{fence}\n{code}\n```"] if code.strip() else [f"{unit.name} is a new file."]
    if more:
        parts.insert(0, more)
    parts.append(f"Change it as asked: {request}" if code.strip() else f"Write it: {request}")
    if unit.concerns:
        names = ", ".join(f"`{name}`" for name in unit.concerns)
        parts.append(f"Only the part about {names} belongs into {unit.name}; the rest is done in other files.")
    if failure:
        parts.append(f"An earlier attempt failed:\n{failure}")
    keep = " Keep everything that need not change." if code.strip() else ""
    whole = "whole changed" if code.strip() else "whole"
    parts.append(f"Write the {whole} {_what(unit)} in one ```{fence} code block and nothing else.{keep}")
    return _messages(f"You are an expert {language.name} programmer.", parts)


def _what(unit: Unit) -> str:
    span = unit.span
    if span is None or span.kind == "file":
        return f"file {unit.name}"
    if span.kind == "new":
        return f"new or changed functions of {unit.name} (only those)"
    if span.kind == "lines":
        part = "\n".join(unit.text.split("\n")[span.first - 1 : span.last])
        return f"new text of these lines only:\n```\n{part}\n```\n"
    return f"{span.kind} `{span.bare}`"


def _messages(system: str, parts: list[str]) -> tuple[Message, ...]:
    return (Message("system", system), Message("user", "\n\n".join(parts)))


async def rewritten(
    work: Work,
    unit: Unit,
    messages: tuple[Message, ...],
    *,
    attempt: int,
    may_lose: bool = False,
    repairing: bool = False,
) -> str | Refusal:
    """The whole new text of the file, by one sample; attempt 0 is greedy. Raises LimitReachedError, ModelError."""
    reply = await work.ask_aside(Request(messages, sampling=sampling(work, attempt), max_tokens=unit.max_tokens))
    if reply.finish == "length":
        return Refusal("The reply was cut at its length limit.")
    code = code_of(reply.text)
    if code is None:
        return Refusal("The reply has no code.")
    merged = await asyncio.to_thread(merge, unit.path, unit.text, code, unit.span, may_lose=may_lose)
    if isinstance(merged, Refusal):
        return merged
    problem = await new_problem(unit.path, unit.text or None, merged)
    if problem is not None:
        return Refusal(f"The rewrite does not parse: line {problem.line}: {problem.message}.")
    if repairing and unit.path.suffix.lower() in PYTHON and await asyncio.to_thread(_same, unit.text, merged):
        return Refusal("The reply gave the code back unchanged.")
    return merged


def _same(one: str, other: str) -> bool:
    a, b = parse(one), parse(other)
    return a is not None and b is not None and ast.dump(a) == ast.dump(b)


def sampling(work: Work, attempt: int) -> Sampling:
    """Greedy first, then at 0.7 with a seed of its own each time, so that a run can be had again."""
    seed = work.limits.settings.seed
    if attempt == 0:
        return Sampling(temperature=0.0, seed=seed)
    return Sampling(temperature=0.7, top_p=0.95, seed=None if seed is None else seed * 1000 + attempt)
