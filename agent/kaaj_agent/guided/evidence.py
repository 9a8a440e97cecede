"""What a failing check tells: which cases fail, and the places in the workspace that its output names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

DETAIL_MAX: Final = 1_200
"""Characters of a case's own output that are kept, from its end: runners say what counts last."""


@dataclass(frozen=True, slots=True)
class Case:
    """One failing test. `id` is the runner's own name for it, `name` the bare name of the function."""

    id: str
    name: str
    detail: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A file of the workspace and a line of it, from 1."""

    path: Path
    line: int


_UNITTEST: Final = re.compile(r"^(?:FAIL|ERROR): (\S+) \(([^)\n]*)\).*$", re.MULTILINE)
_PYTEST: Final = re.compile(r"^(?:FAILED|ERROR) ([^\s:]+\.py)(?:::(\S+?))?(?: - (.*))?$", re.MULTILINE)
_PYTEST_HEAD: Final = re.compile(r"^_{3,} (?:ERROR collecting )?(\S.*?) _{3,}$", re.MULTILINE)
_PYTEST_END: Final = re.compile(r"^=+ .* =+$", re.MULTILINE)
_OTHERS: Final = (
    re.compile(r"^\s*--- FAIL: (\S+)", re.MULTILINE),  # go
    re.compile(r"^test (\S+) \.\.\. FAILED", re.MULTILINE),  # cargo
    re.compile(r"^\s*not ok \d+ - (.+?)\s*$", re.MULTILINE),  # TAP, node:test
    re.compile(r"^\s*(?:✕|✖|×) (.+?)(?: \(\d[^)]*\))?$", re.MULTILINE),  # jest, vitest, node:test
)
_UNITTEST_RULE: Final = "=" * 70
_FRAME: Final = re.compile(r'File "([^"\n]+)", line (\d+)')
_PLACE: Final = re.compile(r"([\w./\\@+~-]*[\w-]\.[A-Za-z]\w{0,4}):(\d+)")


def failing_cases(output: str) -> tuple[Case, ...]:
    """The failing tests in the order in which the output names them; empty where its form is not known."""
    found: dict[str, Case] = {}
    for case in (*_unittest(output), *_pytest(output), *_other(output)):
        found.setdefault(case.id, case)
    return tuple(found.values())


_RAN: Final = (
    re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE),  # unittest
    re.compile(r"^(?:#|ℹ) tests (\d+)\s*$", re.MULTILINE),  # node:test
    re.compile(r"^ *Tests:? .*?\b(\d+) total", re.MULTILINE),  # jest
    re.compile(r"^ *Tests  .*\((\d+)\)\s*$", re.MULTILINE),  # vitest
)
_PYTEST_TOTALS: Final = re.compile(r"^=* ?(\d+ \w+(?:, \d+ \w+)*) in \d[\d.]*s\b.*$", re.MULTILINE)
_PYTEST_RAN: Final = re.compile(r"(\d+) (?:passed|failed|skipped|xfailed|xpassed)")


def ran(output: str) -> int | None:
    """How many tests a run says it ran; None where its form is not known. A run that stops early says fewer."""
    totals = [match[1] for match in _PYTEST_TOTALS.finditer(output)]
    if totals:
        return sum(int(match[1]) for match in _PYTEST_RAN.finditer(totals[-1]))
    for pattern in _RAN:
        counts = [int(match[1]) for match in pattern.finditer(output)]
        if counts:
            return sum(counts)
    return None


def bare_name(identity: str) -> str:
    """A case's bare name out of its id."""
    return identity.split("[", 1)[0].rpartition(".")[2].rpartition("::")[2]


def shared(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    """What is in each of some sets; nothing where there are none."""
    common: frozenset[str] | None = None
    for one in sets:
        common = one if common is None else common & one
    return common or frozenset()


def is_run(case: Case) -> bool:
    """Whether a failing case is a test that ran, and not a file that could not be loaded or a set-up that failed."""
    loaded = "_FailedTest" not in case.id and "::" in case.id if case.file else "_FailedTest" not in case.id
    return loaded and case.name not in ("setUpClass", "tearDownClass", "setUpModule", "tearDownModule")


def _unittest(output: str) -> Iterator[Case]:
    for match in _UNITTEST.finditer(output):
        method, where = match[1], match[2]
        identity = where if where.endswith(f".{method}") else f"{where}.{method}"
        start = match.start()
        end = output.find(_UNITTEST_RULE, match.end())
        closing = output.find("\nRan ", match.end())
        stops = [at for at in (end, closing) if at >= 0]
        detail = output[start : min(stops)] if stops else output[start:]
        yield Case(identity, method, tail(detail.rstrip("-\n ")))


def _pytest(output: str) -> Iterator[Case]:
    sections = _pytest_sections(output)
    for match in _PYTEST.finditer(output):
        file, inner, reason = match[1], match[2] or "", match[3] or ""
        bare = inner.split("[", 1)[0].rpartition("::")[2] or PurePosixPath(file).stem
        shown = inner.replace("::", ".") or file
        detail = sections.get(shown) or reason
        yield Case(f"{file}::{inner}" if inner else file, bare, tail(detail.strip()), file)


def _pytest_sections(output: str) -> dict[str, str]:
    heads = list(_PYTEST_HEAD.finditer(output))
    found: dict[str, str] = {}
    for index, head in enumerate(heads):
        end = heads[index + 1].start() if index + 1 < len(heads) else len(output)
        closing = _PYTEST_END.search(output, head.end(), end)
        found[head[1]] = output[head.end() : closing.start() if closing else end]
    return found


def _other(output: str) -> Iterator[Case]:
    for pattern in _OTHERS:
        for match in pattern.finditer(output):
            name = match[1]
            detail = output[match.start() : match.start() + DETAIL_MAX]
            yield Case(name, re.split(r"::|/|\.", name)[-1], detail)


def tail(text: str, limit: int = DETAIL_MAX) -> str:
    return text if len(text) <= limit else "...\n" + text[-limit:]


def places(output: str, roots: Sequence[Path], known: frozenset[Path]) -> tuple[Place, ...]:
    """The places that an output names, last first, each once; only files that are in `known`.

    A check runs in a copy of the workspace, so an absolute path is recognised by its longest tail that is known.
    """
    by_name: dict[str, list[Path]] = {}
    for path in known:
        by_name.setdefault(path.name, []).append(path)
    found: dict[Place, None] = {}
    matches = [*_FRAME.finditer(output), *_PLACE.finditer(output)]
    for match in sorted(matches, key=lambda m: -m.start()):
        meant = _known(match[1], roots, by_name)
        if meant is not None:
            found.setdefault(Place(meant, int(match[2])))
    return tuple(found)


def _known(name: str, roots: Sequence[Path], by_name: dict[str, list[Path]]) -> Path | None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts:
        return None
    best: Path | None = None
    length = 0
    for path in by_name.get(parts[-1], []):
        root = next((root for root in roots if path.is_relative_to(root)), None)
        if root is None:
            continue
        inner = path.relative_to(root).parts
        same = 0
        for a, b in zip(reversed(inner), reversed(parts), strict=False):
            if a != b:
                break
            same += 1
        if same == min(len(inner), len(parts)) and same > length:
            best, length = path, same
    return best


_EXPECTED: Final = re.compile(
    r"^(?:E\s+)?(\w*(?:Error|Exception|Failure)\b.*|assert .*|AssertionError.*)$", re.MULTILINE
)


def reason(case: Case) -> str:
    """One line that says why a case fails, for a person; empty where none is seen."""
    lines = [match[1] for match in _EXPECTED.finditer(case.detail)]
    return lines[-1].strip()[:160] if lines else ""
