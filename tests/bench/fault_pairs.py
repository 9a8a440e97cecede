"""Two-line faults, seeded by script into functions of packages that are installed anyway; nothing of them is kept here.

A pair is taken where each of its two changes alone already fails a call, so that both have to be found. The calls
shown to the repair are the first ones; the others stay hidden.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import random
import re
import signal
import textwrap
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from tests.bench.faults import Fault

_SWAPS: Final = (
    (r" <= ", " < "), (r" < ", " <= "), (r" >= ", " > "), (r" > ", " >= "), (r" == ", " != "), (r" \+ ", " - "),
    (r" - ", " + "), (r" \+= ", " -= "), (r"\b1\b", "2"), (r"\b0\b", "1"), (r" and ", " or "), (r" or ", " and "),
    (r"\bnot ", ""), (r"\bTrue\b", "False"), (r"\bFalse\b", "True"), (r" // ", " / "), (r" \* ", " + "),
    (r"\bmin\(", "max("), (r"\bmax\(", "min("), (r" is None", " is not None"), (r" is not None", " is None"),
)  # fmt: skip

_CALLS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("bisect", "bisect_right", ("bisect_right([1, 2, 2, 3], 2)", "bisect_right([1, 2], 0)", "bisect_right([1, 5], 9)",
     "bisect_right([1, 4, 6, 8], 5, 1, 3)", "[bisect_right([1, 3, 3, 7, 9], x) for x in range(11)]")),
    ("bisect", "bisect_left", ("bisect_left([1, 2, 2, 3], 2)", "bisect_left([1, 2], 0)", "bisect_left([1, 5], 9)",
     "bisect_left([1, 4, 6, 8], 5, 1, 3)", "[bisect_left([1, 3, 3, 7, 9], x) for x in range(11)]")),
    ("colorsys", "rgb_to_hls", ("rgb_to_hls(0.5, 0.25, 0.125)", "rgb_to_hls(1, 1, 1)", "rgb_to_hls(0.1, 0.9, 0.3)",
     "rgb_to_hls(0.2, 0.3, 0.9)", "[rgb_to_hls(a, b, c) for a in (0, .5, 1) for b in (0, .4) for c in (.2, 1)]")),
    ("colorsys", "hsv_to_rgb", ("hsv_to_rgb(0.1, 0.5, 0.8)", "hsv_to_rgb(0.9, 1.0, 0.5)", "hsv_to_rgb(0.4, 0.0, 0.7)",
     "hsv_to_rgb(0.5, 0.6, 1.0)", "[hsv_to_rgb(a / 7, b / 3, .9) for a in range(8) for b in range(4)]")),
    ("textwrap", "dedent", ("dedent('  a\\n    b\\n')", "dedent('a\\n  b')", "dedent('\\ta\\n\\n\\tb')",
     "dedent('  a\\n \\n  b')", "[dedent(t) for t in ('', ' x', '  a\\n b\\n', '\\n  q\\n\\n   r')]")),
    ("statistics", "median", ("median([3, 1, 2])", "median([4, 1, 3, 2])", "median([7])", "median([1, 9])",
     "[median(list(range(n))[::-1]) for n in range(1, 9)]")),
    ("posixpath", "normpath", ("normpath('/a/../b')", "normpath('a//b/./c')", "normpath('../x/..')", "normpath('')",
     "normpath('//x/..')", "[normpath(p) for p in ('///a', 'a/b/../../c', '/..', './', '../../a/..', '//')]")),
    ("genericpath", "commonprefix", ("commonprefix(['abc', 'abd'])", "commonprefix([])", "commonprefix(['x', 'y'])",
     "commonprefix(['ab', 'abc'])", "[commonprefix(list(p)) for p in ('aa', 'ab', ['aab', 'aac', 'a'])]")),
    ("fnmatch", "translate", ("translate('*.py')", "translate('a?[bc]')", "translate('[!x]y')", "translate('[')",
     "[translate(p) for p in ('a*b*', '[]a]', '[^b]', '[a-', '**', '?')]")),
    ("heapq", "heapify", ("(lambda v: (heapify(v), v))([3, 1, 2])", "(lambda v: (heapify(v), v))([5, 4, 3, 2, 1])",
     "(lambda v: (heapify(v), v))(list('hello'))", "(lambda v: (heapify(v), v))([9, 1, 8, 2, 7, 3])")),
    ("packaging.utils", "canonicalize_name", ("canonicalize_name('A_b.c')", "canonicalize_name('x--y')")),
    ("packaging.version", "_parse_letter_version", ("_parse_letter_version('alpha', '1')",
     "_parse_letter_version('rc', None)", "_parse_letter_version(None, '3')", "_parse_letter_version('', None)",
     "[_parse_letter_version(a, b) for a in ('a', 'beta', 'c', 'preview', 'rev', None) for b in ('0', '2')]")),
    ("shlex", "quote", ("quote('a b')", "quote('')", "quote('abc')", "quote(\"it's\")")),
    ("difflib", "_calculate_ratio", ("_calculate_ratio(3, 8)", "_calculate_ratio(0, 0)", "_calculate_ratio(1, 5)")),
    ("difflib", "_format_range_unified", ("_format_range_unified(3, 4)", "_format_range_unified(0, 0)",
     "_format_range_unified(2, 9)", "[_format_range_unified(a, b) for a in range(4) for b in range(a, 5)]")),
    ("calendar", "weekday", ("weekday(2024, 2, 29)", "weekday(1, 1, 1)", "weekday(9999, 12, 31)")),
    ("calendar", "leapdays", ("leapdays(2000, 2021)", "leapdays(1896, 1905)", "leapdays(1, 5)",
     "[leapdays(a, b) for a in (1, 99, 1900) for b in (2000, 2001, 2401)]")),
    ("quopri", "unhex", ("unhex(b'4A')", "unhex(b'ff')", "unhex(b'09')", "[unhex(b'%02x' % n) for n in range(256)]")),
    ("base64", "b85encode", ("b85encode(b'hello')", "b85encode(b'')", "b85encode(b'abcd', pad=True)",
     "b85encode(bytes(9))", "[b85encode(bytes(range(n))) for n in range(12)]")),
    ("inspect", "cleandoc", ("cleandoc('a\\n    b\\n      c')", "cleandoc('\\n  x\\n  y\\n')", "cleandoc('one')",
     "[cleandoc(t) for t in ('', ' a\\n\\n  b', '\\n\\n c\\n d\\n\\n')]")),
    ("statistics", "quantiles", ("quantiles([1, 2, 3, 4])", "quantiles([5, 1, 9], n=2)",
     "quantiles([1, 2, 3, 4, 5, 6], n=4, method='inclusive')",
     "[quantiles(list(range(k)), n=n, method=m) for k in (3, 8) for n in (2, 5) for m in ('inclusive', 'exclusive')]")),
    ("ntpath", "splitdrive", ("splitdrive('c:/x')", "splitdrive('//host/share/d')", "splitdrive('rel')")),
)  # fmt: skip
_PER_FUNCTION: Final = 2


def pairs(seed: int = 1) -> list[Fault]:
    """The same pairs for the same seed and the same packages."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    found: list[Fault] = []
    for module, name, calls in _CALLS:
        loaded = importlib.import_module(module)
        code = _source(loaded, name)
        shown = calls[:-1] if len(calls) > 3 else calls
        wanted = [_value(code, loaded, call) for call in calls]
        checks = tuple(f"{call} == {value}" for call, value in zip(calls, wanted, strict=True) if call in shown)
        single = list(_changes(code))
        rng.shuffle(single)
        bad = [c for c in single if _fails(c[2], loaded, shown, wanted)]
        purpose = (inspect.getdoc(getattr(loaded, name)) or "").split("\n\n")[0]
        hidden = "[" + ", ".join(calls) + "]"
        used: set[int] = set()
        for one, other in itertools.combinations(bad, 2):
            if one[0] == other[0] or used & {one[0], other[0]}:
                continue
            lines = code.split("\n")
            lines[one[0]], lines[other[0]] = one[1], other[1]
            used |= {one[0], other[0]}
            title = f"{module}.{name} {len(used) // 2}"
            found.append(Fault(title, purpose, code, code, "\n".join(lines), checks, f"{module}:{name}", hidden))
            if len(used) == 2 * _PER_FUNCTION:
                break
    return found


def _source(module: Any, name: str) -> str:
    """The function's own text, also where a compiled one has taken its place."""
    text = inspect.getsource(module)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == name and node.end_lineno:
            lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
            return textwrap.dedent("\n".join(lines)) + "\n"
    raise ValueError(f"{module.__name__} has no {name}")


def _changes(code: str) -> Iterator[tuple[int, str, str]]:
    """(line from 0, its new text, the whole new text) of every simple slip outside of the documentation."""
    lines = code.split("\n")
    quotes = 0
    for number, line in enumerate(lines):
        inside = quotes % 2 == 1 or '"""' in line
        quotes += line.count('"""')
        if inside or number == 0 or line.strip().startswith(("#", "raise", "def ", "@")):
            continue
        for pattern, new in _SWAPS:
            match = re.search(pattern, line)
            if match:
                changed = line[: match.start()] + new + line[match.end() :]
                yield number, changed, "\n".join([*lines[:number], changed, *lines[number + 1 :]])


class _TooLongError(Exception):
    pass


@contextmanager
def _limit() -> Generator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _value(code: str, module: Any, call: str) -> str:
    space: dict[str, Any] = {**module.__dict__}
    try:
        with _limit():
            exec(compile(code, "code.py", "exec"), space)  # noqa: S102 - the package's own function
            return repr(eval(call, space))  # noqa: S307 - a call of this file's
    except Exception as error:  # noqa: BLE001 - whatever a wrong version does
        return f"raises {error!r}"


def _fails(code: str, module: Any, shown: Sequence[str], wanted: Sequence[str]) -> bool:
    return any(_value(code, module, call) != value for call, value in zip(shown, wanted, strict=False))
