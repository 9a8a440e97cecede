"""Where a fault, or what a request is about, may stand: by the evidence, never by the model's guess."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kaaj_agent.guided.coverage import Coverage, Lines
from kaaj_agent.guided.evidence import Case, Place
from kaaj_agent.guided.sources import Sources
from kaaj_agent.guided.units import Span, enclosing, names_called
from kaaj_agent.mentions import identifiers as identifiers  # noqa: PLC0414 - a part of this module's interface
from kaaj_agent.ports import Diagnostic

SUSPECTS_MAX: Final = 12
_DEPTH: Final = 2
_FADE: Final = 0.8
_WHOLE_MAX: Final = 120
"""Lines of a file that is suspected as a whole."""
_EXECUTED: Final = 3.0
"""The score of a function that a failing test executes, if nothing else tells of it."""
_IDLE: Final = 0.1
_FILES: Final = 50
_TESTS: Final = 20
"""How many failing and how many passing tests are followed into the code."""

_SPECIAL: Final = frozenset({
    "__init__", "__post_init__", "__eq__", "__lt__", "__hash__", "__iter__", "__next__", "__len__", "__contains__",
    "__getitem__", "__str__", "__repr__", "__call__", "__enter__", "__exit__", "__add__", "__sub__", "__mul__",
    "constructor",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suspect:
    """A region that may hold the fault. `score` only orders."""

    path: Path
    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class Focus:
    """What the person pointed at: a file, lines of it (from 0, the end not included), words, problems."""

    words: str
    path: Path | None = None
    lines: tuple[int, int] | None = None
    problems: Sequence[Diagnostic] = ()
    also: Sequence[tuple[Path, tuple[int, int] | None]] = ()
    """What was handed along: files, each with lines or None for the whole of it."""


@dataclass(slots=True)
class _Board:
    """Scores by region: evidence of one kind counts once, at its strongest; what the person said is added."""

    sources: Sources
    scores: dict[tuple[Path, Span], float] = field(default_factory=dict[tuple[Path, Span], float])
    said: dict[tuple[Path, Span], float] = field(default_factory=dict[tuple[Path, Span], float])

    def put(self, path: Path, span: Span, score: float) -> None:
        for part in self._parts(path, span):
            self.scores[path, part] = max(score, self.scores.get((path, part), 0.0))

    def add(self, path: Path, span: Span, score: float) -> None:
        for part in self._parts(path, span):
            self.said[path, part] = self.said.get((path, part), 0.0) + score

    def _parts(self, path: Path, span: Span) -> list[Span]:
        """A class stands for what runs without being called by name."""
        if span.kind != "class":
            return [enclosing(self.sources.spans(path), span.first) or span]
        inner = [s for s in self.sources.spans(path) if s.name.startswith(f"{span.name}.") and s.bare in _SPECIAL]
        return inner or ([span] if span.size <= 40 else [])

    def ranked(self) -> list[Suspect]:
        keys = {**self.scores, **self.said}
        found = [Suspect(*key, self.scores.get(key, 0.0) + self.said.get(key, 0.0)) for key in keys]
        return sorted(found, key=lambda s: (-s.score, s.span.size, str(s.path), s.span.first))


def suspects(
    sources: Sources,
    cases: Sequence[Case],
    places: Sequence[Place],
    focus: Focus,
    failing: Sequence[Case] = (),
    *,
    coverage: Coverage | None = None,
) -> list[Suspect]:
    """The likeliest places of the fault behind some cases, best first. Blocks; call it off the event loop.

    `failing` are all cases that fail, `cases` among them. Where `coverage` knows of one of `cases`, what tests execute
    counts, else what their texts call.
    """
    board = _Board(sources)
    rank = 0
    for place in places:
        if sources.is_test(place.path):
            continue
        span = enclosing(sources.spans(place.path), place.line)
        if span is not None:
            board.put(place.path, span, max(8.0, 16.0 - 2 * rank))
            rank += 1
    for case in cases:
        _of_test(board, case, [place for place in places if sources.is_test(place.path)])
    for _ in range(_DEPTH):
        _callees(board)
    if coverage is None or not _by_execution(board, cases, coverage):
        _by_spectrum(board, failing or cases)
    _of_focus(board, focus)
    found = board.ranked()[:SUSPECTS_MAX]
    return found + _whole_files(sources, found)


def reached(sources: Sources, case: Case) -> frozenset[tuple[Path, Span]]:
    """The functions that a test's text leads to, by the names it calls and those that they call. Blocks."""
    board = _Board(sources)
    _of_test(board, case, [])
    for _ in range(_DEPTH):
        _callees(board)
    return frozenset(board.scores)


def is_open(sources: Sources, found: Sequence[Suspect]) -> bool:
    """Whether Python functions of the workspace are left to choose from beside the one suspect. Blocks."""
    one = {(suspect.path, suspect.span) for suspect in found if suspect.span.kind == "function"}
    if len(one) > 1:
        return any(path.suffix == ".py" for path, _ in one)
    code = [path for path in sources.texts if path.suffix == ".py" and not sources.is_test(path)][:_FILES]
    return any(span.kind == "function" and (path, span) not in one for path in code for span in sources.spans(path))


def led_to(sources: Sources, case: Case, coverage: Coverage | None) -> frozenset[tuple[Path, Span]]:
    """The functions that a test executes, or, where that is not known, those that its text leads to. Blocks."""
    tests = coverage.of([case]) if coverage else []
    found = frozenset[tuple[Path, Span]]().union(*(executed(sources, test.lines) for test in tests))
    return found or reached(sources, case)


def executed(sources: Sources, lines: Lines) -> frozenset[tuple[Path, Span]]:
    """The functions that some executed lines stand in, tests' own apart. Blocks."""
    found: set[tuple[Path, Span]] = set()
    for path, numbers in lines.items():
        if path in sources.texts and not sources.is_test(path):
            spans = sources.spans(path)
            around = (enclosing(spans, number) for number in numbers)
            found.update((path, span) for span in around if span is not None)
    return frozenset(found)


def _by_execution(board: _Board, cases: Sequence[Case], coverage: Coverage) -> bool:
    """Ochiai's coefficient over what tests execute; False where no function is known to be executed by `cases`.

    What no failing test executes comes last, and is not dropped: it may run in a process of its own.
    """
    sources = board.sources
    failing = [executed(sources, test.lines) for test in coverage.of(cases)[:_TESTS]]
    if not any(failing):
        return False
    passing = [executed(sources, test.lines) for test in coverage.passing[:_TESTS]]
    between = executed(sources, coverage.between)
    for path, span in frozenset[tuple[Path, Span]]().union(*failing):
        board.put(path, span, _EXECUTED)
    for key in board.scores:
        path, span = key
        if span.kind != "function" or path.suffix != ".py":
            continue
        bad, good = sum(key in one for one in failing), sum(key in one for one in passing)
        if bad:
            board.scores[key] *= 0.25 + 1.5 * bad / math.sqrt(len(failing) * (bad + good))
        elif key not in between:
            board.scores[key] *= _IDLE
    return True


def _by_spectrum(board: _Board, cases: Sequence[Case]) -> None:
    """What failing tests reach and passing ones do not is suspected more (Ochiai's coefficient)."""
    sources = board.sources
    failing = [reached(sources, case) for case in cases[:_TESTS]]
    names = {case.name for case in cases}
    files = {path for case in cases if case.name for path, _ in sources.definitions(case.name, tests=True)}
    others = [
        Case("", span.bare, "", sources.name(path))
        for path in sorted(files)
        if sources.is_test(path)
        for span in sources.spans(path)
        if span.kind == "function" and span.bare.lower().startswith("test") and span.bare not in names
    ]
    passing = [reached(sources, case) for case in others[:_TESTS]]
    for key in board.scores:
        bad, good = sum(key in one for one in failing), sum(key in one for one in passing)
        if bad:
            board.scores[key] *= 0.25 + 1.5 * bad / math.sqrt(len(failing) * (bad + good))


def _of_test(board: _Board, case: Case, places: Sequence[Place]) -> None:
    sources = board.sources
    for path, span in sources.definitions(case.name, tests=True) or _test_regions(sources, case, places):
        if case.file and not sources.name(path).endswith(case.file.lstrip("./")):
            continue
        code = sources.lines(path, span)
        imported = _imported(sources, path)
        failing = "\n".join(
            _statement(sources, path, place.line) for place in places if place.path == path and span.holds(place.line)
        )
        for text, weight in ((failing, 8.0), (code, 4.0)):
            names = [*names_called(text), *re.findall(r"\.([^\W\d]\w*)(?!\w*\s*\()", text)]
            for name in dict.fromkeys(names):
                for where, found in sources.definitions(name):
                    board.put(where, found, weight if not imported or where in imported else weight / 2)


def _test_regions(sources: Sources, case: Case, places: Sequence[Place]) -> list[tuple[Path, Span]]:
    """Runners whose tests have names that are no identifiers: some lines around the place of the failure."""
    found = [(place.path, Span("", max(1, place.line - 8), place.line + 4)) for place in places[:2]]
    if not found and case.file:
        paths = [path for path in sources.texts if sources.name(path).endswith(case.file.lstrip("./"))]
        found = [(path, Span("", 1, 10_000)) for path in paths]
    return found


def _statement(sources: Sources, path: Path, line: int) -> str:
    """The line, and those after it while its brackets are open."""
    lines = sources.texts[path].split("\n")[line - 1 : line + 9]
    depth = 0
    taken: list[str] = []
    for text in lines:
        taken.append(text)
        depth += sum(text.count(c) for c in "([{") - sum(text.count(c) for c in ")]}")
        if depth <= 0:
            break
    return "\n".join(taken)


_FROM: Final = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import|import\s+([\w., ]+))", re.MULTILINE)
_REQUIRED: Final = re.compile(r"(?:from|require\(|import)\s*\(?['\"]([^'\"]+)['\"]")


def _imported(sources: Sources, path: Path) -> frozenset[Path]:
    """The files of the workspace that a file imports, by the tails of their names."""
    text = sources.texts[path]
    wanted: list[str] = []
    for match in _FROM.finditer(text):
        for module in (match[1] or match[2]).split(","):
            parts = module.strip().split(" ")[0].strip(".")
            if parts:
                wanted.append(parts.replace(".", "/"))
    wanted += [match[1].lstrip("./") for match in _REQUIRED.finditer(text)]
    found: set[Path] = set()
    for other in sources.texts:
        stem = other.with_suffix("").as_posix()
        if stem.endswith(("/__init__", "/index", "/mod")):
            stem = stem.rpartition("/")[0]
        if any(stem.endswith(f"/{name.rsplit('.', 1)[0] if '/' in name else name}") for name in wanted):
            found.add(other)
    return frozenset(found)


def _callees(board: _Board) -> None:
    sources = board.sources
    for suspect in board.ranked()[:SUSPECTS_MAX]:
        for name in names_called(sources.lines(suspect.path, suspect.span)):
            if name != suspect.span.bare:
                for path, span in sources.definitions(name):
                    board.put(path, span, suspect.score * _FADE)


def _of_focus(board: _Board, focus: Focus) -> None:
    sources = board.sources
    for word, weight in identifiers(focus.words).items():
        for path, span in sources.definitions(word):
            board.add(path, span, weight)
    if focus.path is not None and focus.path in sources.texts and not sources.is_test(focus.path):
        for span in sources.spans(focus.path):
            if focus.lines and span.kind == "function" and _touch(span, focus.lines):
                board.add(focus.path, span, 8.0)
    for path, lines in focus.also:
        if path in sources.texts and not sources.is_test(path):
            for span in sources.spans(path):
                if span.kind == "function" and (lines is None or _touch(span, lines)):
                    board.add(path, span, 2.0 if lines is None else 8.0)
    for path in named_files(sources, focus.words):
        size = sources.texts[path].count("\n") + 1
        if not sources.is_test(path) and size <= _WHOLE_MAX and not sources.spans(path):
            board.add(path, Span("", 1, size, "text"), 12.0)
    for problem in focus.problems:
        if problem.path in sources.texts:
            span_ = enclosing(sources.spans(problem.path), problem.line)
            if span_ is not None:
                board.add(problem.path, span_, 8.0 if problem.severity == "error" else 4.0)


def _touch(span: Span, lines: tuple[int, int]) -> bool:
    return span.first <= max(lines[1], lines[0] + 1) and lines[0] + 1 <= span.last


def _whole_files(sources: Sources, found: Sequence[Suspect]) -> list[Suspect]:
    """Constants and other code outside of functions: the first suspects' files, where they are short."""
    whole: list[Suspect] = []
    for path in dict.fromkeys(suspect.path for suspect in found[:4]):
        size = len(sources.texts[path].split("\n"))
        if size <= _WHOLE_MAX and not any(s.path == path and s.span.kind == "text" for s in found):
            whole.append(Suspect(path, Span("", 1, size, "file"), 0.5))
    return whole


def named_files(sources: Sources, words: str) -> list[Path]:
    """The files that a request names, by their whole name or a tail of it."""
    found: list[Path] = []
    for match in re.finditer(r"[\w./\\-]+\.\w+", words):
        name = match[0].replace("\\", "/").lstrip("./")
        found += [p for p in sources.texts if f"/{sources.name(p)}".endswith(f"/{name}") and p not in found]
    return found


def chosen_cases(cases: Sequence[Case], words: str) -> list[Case]:
    """The failing cases that the request names; all of them where it names none."""
    named = [case for case in cases if case.name in words or case.id in words]
    return named or list(cases)


def by_file(found: Sequence[Suspect]) -> list[list[Suspect]]:
    """The suspects of each file, the files by their first suspect."""
    files: dict[Path, list[Suspect]] = {}
    for suspect in found:
        files.setdefault(suspect.path, []).append(suspect)
    return list(files.values())


def first_of(found: Iterable[Suspect], lines: int) -> list[Suspect]:
    """As many suspects from the first on as fit into so many lines, at least one; each line of code once.

    What is inside of a region already taken is passed over; a whole file is taken only where nothing of it was.
    """
    taken: list[Suspect] = []
    left = lines
    for suspect in found:
        same = [s for s in taken if s.path == suspect.path]
        if any(s.span.holds(suspect.span.first) or suspect.span.holds(s.span.first) for s in same):
            continue
        if taken and suspect.span.size > left:
            break
        taken.append(suspect)
        left -= suspect.span.size
    return taken
