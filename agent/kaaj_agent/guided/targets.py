"""Which files and functions a requested change is about: what was pointed at and named, else what the model picks."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from kaaj_agent.failures import FileError
from kaaj_agent.guided import localise
from kaaj_agent.guided.rewrite import WHOLE_LINES, Unit, sampling
from kaaj_agent.guided.sources import Sources
from kaaj_agent.guided.units import CODE, Span, enclosing
from kaaj_agent.ports import Json, Message, Request
from kaaj_agent.work import Work

FILES_MAX: Final = 4
_LISTED: Final = 60
_ABOUT_TESTS: Final = re.compile(r"\btests?\b|\bspecs?\b", re.IGNORECASE)
_SURE: Final = 4.0


async def units(work: Work, sources: Sources, wish: str, *, pointed: bool = True, told: str = "") -> list[Unit]:
    """What is to be rewritten for a wish. `pointed`: the request's file and lines are what it is about.

    `told` is the wish with what it is a part of, where it is one.
    """
    request = work.request
    if pointed and request.path is not None and request.span is not None and request.intent != "tests":
        unit = await _selected(work, sources, request.path, request.span)
        if unit is not None:
            return [unit]
    if request.intent == "tests" and request.path is not None:
        return [_tests_of(sources, request.path)]
    marked = _marked(work, sources) if pointed else []
    if pointed and request.intent != "tests" and (lines := await _attached(work, sources, wish, marked)):
        return lines
    fresh = await _new_files(work, sources, wish)
    words = {word: weight for word, weight in localise.identifiers(wish).items() if weight >= _SURE}
    tests_too = bool(_ABOUT_TESTS.search(wish)) or any(map(sources.is_test, _about(work, marked)))
    defining = await asyncio.to_thread(_defining, sources, words)
    paths = list(dict.fromkeys([*localise.named_files(sources, wish), *defining]))
    using = [path for path in sources.mentioning(words) if path not in paths]
    if not tests_too:
        paths = [path for path in paths if not sources.is_test(path)]
        using = [path for path in using if not sources.is_test(path)]
    if marked and (not paths or set(marked).intersection(paths)):  # else they are only to be looked at
        named = localise.named_files(sources, wish)
        paths, using = list(dict.fromkeys([*named, *marked])), []
    if request.path is not None and request.path in sources.texts and pointed and not paths:
        paths = [request.path]
    if not fresh and (not paths or using):
        asked = await _which(work, sources, told or wish, [*paths, *using] or _all(sources, tests=tests_too))
        paths = list(dict.fromkeys([*paths, *asked])) if paths else asked
    found: list[Unit] = list(fresh)
    for path in paths[:FILES_MAX]:
        found += await asyncio.to_thread(_in_file, sources, path, list(words), wish)
    return [replace(unit, concerns=_concerns(sources, unit, words)) for unit in found] if len(found) > 1 else found


def _about(work: Work, marked: Sequence[Path]) -> list[Path]:
    """The files that were pointed at."""
    return [*marked, *([work.request.path] if work.request.path is not None else [])]


def _marked(work: Work, sources: Sources) -> list[Path]:
    """The files that were handed along, and those of problems that were."""
    places = [path for path, _ in work.attached.places] + [problem.path for problem in work.attached.problems]
    return [path for path in dict.fromkeys(places) if path in sources.texts]


async def _attached(work: Work, sources: Sources, wish: str, marked: Sequence[Path]) -> list[Unit]:
    """The lines that were handed along, or that a problem is at, as units; none where the wish names other files."""
    lines = [(path, span) for path, span in work.attached.places if span is not None]
    problems = [*work.attached.problems, *(work.request.diagnostics if work.request.span is None else ())]
    lines += [(problem.path, (problem.line - 1, problem.line)) for problem in problems]
    if any(path not in marked for path in localise.named_files(sources, wish)):
        return []
    found: dict[tuple[Path, Span | None], Unit] = {}
    for path, span in lines:
        unit = await _selected(work, sources, path, span)
        if unit is not None and (path, None) not in found:
            found.setdefault((path, unit.span), unit)
    return list(found.values())[:FILES_MAX]


def _concerns(sources: Sources, unit: Unit, words: dict[str, float]) -> tuple[str, ...]:
    """What of the named is defined in a unit's file; nothing where all of it is."""
    here = {span.bare for span in sources.spans(unit.path)}
    named = [word for word in words if sources.definitions(word, tests=True)]
    mine = tuple(word for word in named if word in here)
    return mine if len(mine) < len(named) else ()


def _defining(sources: Sources, words: dict[str, float]) -> list[Path]:
    return [path for word in words for path, _ in sources.definitions(word, tests=True)]


def _all(sources: Sources, *, tests: bool) -> list[Path]:
    return [path for path in sources.texts if tests or not sources.is_test(path)]


async def _selected(work: Work, sources: Sources, path: Path, lines: tuple[int, int]) -> Unit | None:
    """The function around a selection, else the short file, else the lines themselves."""
    try:
        document = await work.staging.find(path)
    except FileError:
        return None
    if document is None:
        return None
    name, text = work.staging.folders.name_of(path), document.text
    sources.put(path, text)
    found = await asyncio.to_thread(sources.spans, path)
    first, last = lines[0] + 1, max(lines[0] + 1, lines[1])
    span = enclosing(found, first)
    if span is not None and last <= span.last + 1:
        return Unit(path, name, text, span)
    if text.count("\n") < WHOLE_LINES:
        return Unit(path, name, text, None)
    if lines[1] <= lines[0]:
        first, last = max(1, first - 8), last + 12
    return Unit(path, name, text, Span("", first, min(last, text.count("\n") + 1), "lines"))


def _in_file(sources: Sources, path: Path, words: Sequence[str], wish: str) -> list[Unit]:
    """The whole file where it is short, else the functions named, else something new in it."""
    name, text = sources.name(path), sources.texts[path]
    if text.count("\n") < WHOLE_LINES:
        return [Unit(path, name, text, None)]
    found = sources.spans(path)
    named = [span for span in found if span.bare in words and span.kind == "function"]
    if not named:
        loose = localise.identifiers(wish)
        named = [span for span in found if span.bare in loose and span.kind == "function"][:1]
    inner = [span for span in named if not any(o is not span and o.holds(span.first) for o in named)]
    return [Unit(path, name, text, span) for span in inner[:3]] or [Unit(path, name, text, Span("", 1, 1, "new"))]


async def _new_files(work: Work, sources: Sources, wish: str) -> list[Unit]:
    """Files that a wish names and that do not exist yet."""
    found: list[Unit] = []
    for match in re.finditer(r"(?<![\w./])[\w./-]*\w\.[A-Za-z]{1,4}(?![\w(])", wish):
        if Path(match[0]).suffix.lower() not in CODE or localise.named_files(sources, match[0]):
            continue
        if not re.search(r"\b(?:creat|add|new|write|make|generat)", wish, re.IGNORECASE):
            continue
        try:
            path = await work.bench.path(match[0])
        except FileError:
            continue
        found.append(Unit(path, sources.name(path), "", None))
    return found[:FILES_MAX]


def _tests_of(sources: Sources, path: Path) -> Unit:
    """The test file of a file: the one that is there by its name, else one beside the other tests."""
    wanted = {f"test_{path.stem}{path.suffix}", f"{path.stem}_test{path.suffix}", f"{path.stem}.test{path.suffix}"}
    for other, text in sources.texts.items():
        if other.name in wanted:
            return Unit(other, sources.name(other), text, None)
    beside = next((other for other in sources.texts if sources.is_test(other) and other.suffix == path.suffix), None)
    name = f"test_{path.stem}{path.suffix}" if path.suffix == ".py" else f"{path.stem}.test{path.suffix}"
    fresh = (beside.parent if beside is not None else path.parent) / name
    return Unit(fresh, sources.name(fresh), "", None)


async def _which(work: Work, sources: Sources, wish: str, among: Sequence[Path]) -> list[Path]:
    """The model's pick of the files that a wish changes, out of what the harness found. May be empty."""
    if len(among) <= 1:
        return list(among)
    listed = {sources.name(path): path for path in among[:_LISTED]}
    rows = await asyncio.to_thread(_rows, sources, listed)
    schema = {
        "type": "object",
        "properties": {"files": {"type": "array", "items": {"enum": list(listed)}, "maxItems": FILES_MAX}},
        "required": ["files"],
        "additionalProperties": False,
    }
    messages = (
        Message("system", "You pick the files that must be changed. You answer in JSON."),
        Message(
            "user",
            "Files and what they define:\n" + "\n".join(rows) + f"\n\nWhich files must be changed for this: {wish}\n"
            'Answer as {"files": [names]} with only those that must be changed.',
        ),
    )
    with work.activity("plan", "pick the files") as activity:
        reply = await work.ask_aside(
            Request(messages, sampling=sampling(work, 0), max_tokens=200, schema=schema), show=False
        )
        picked = [listed[name] for name in _files_in(reply.text, listed)]
        activity.summary = ", ".join(sources.name(path) for path in picked) or "none"
    return picked


def _rows(sources: Sources, listed: dict[str, Path]) -> list[str]:
    """A line a file, with the first names that it defines."""
    return [f"{name}: {', '.join(span.bare for span in sources.spans(path)[:14])}" for name, path in listed.items()]


def _files_in(reply: str, listed: dict[str, Path]) -> list[str]:
    """The names in a reply: as JSON, or wherever they stand in it."""
    match = re.search(r"\{.*\}", reply, re.DOTALL)
    try:
        data: Json = json.loads(match[0]) if match else None
    except ValueError:
        data = None
    named: Json = cast("dict[str, Json]", data).get("files") if isinstance(data, dict) else None
    if isinstance(named, list):
        wanted = [str(one) for one in cast("list[object]", named)]
        return [name for name in dict.fromkeys(wanted) if name in listed]
    return [name for name in listed if name in reply][:FILES_MAX]
