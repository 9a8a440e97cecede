"""Hunks: the pieces of a file's change that a person takes or refuses one by one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final

from kaaj_agent.document import Document, Lines, split_lines

_DIFF_LINES_MAX: Final = 4000
"""Above this many changed lines on one side, one hunk is made of all: difflib is quadratic."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """One region of whole lines: `base[start:end] == old` becomes `new`.

    Offsets count characters of the base text; `line` is the first line of the region in the base, from 1.
    `todo` is the id of the to-do item that the hunk serves, if any. `id` is stable while place and content are.
    """

    id: str
    start: int
    end: int
    old: str
    new: str
    line: int
    todo: str | None = None


def hunk_id(path: str, start: int, old: str, new: str) -> str:
    seed = f"{path}\0{start}\0{old}\0{new}".encode("utf-8", "surrogatepass")
    return "h" + hashlib.sha256(seed).hexdigest()[:10]


def diff(path: str, base: str, text: str) -> tuple[Hunk, ...]:
    """The hunks that lead from `base` to `text`, in order, not touching each other."""
    if base == text:
        return ()
    before, after = split_lines(base), split_lines(text)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    offset = sum(map(len, before[:head]))
    if max(len(old), len(new)) > _DIFF_LINES_MAX:
        spans = [(0, len(old), 0, len(new))]
    else:
        matcher = SequenceMatcher(None, old, new, autojunk=False)
        spans = [(a, b, c, d) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]
    starts = [offset]
    for line in old:
        starts.append(starts[-1] + len(line))
    hunks: list[Hunk] = []
    for a, b, c, d in spans:
        gone, come = "".join(old[a:b]), "".join(new[c:d])
        hunks.append(Hunk(hunk_id(path, starts[a], gone, come), starts[a], starts[b], gone, come, head + a + 1))
    return tuple(hunks)


def extend(path: str, base: Document, hunks: Sequence[Hunk], before: str, text: str) -> tuple[Hunk, ...]:
    """The hunks from `base` to `text`, given those from `base` to `before`.

    Only the region in which `before` and `text` differ is compared, and the hunks that it touches.
    """
    start = _prefix(before, text)
    end = len(before) - _suffix(before, text, min(len(before), len(text)) - start)
    left: list[Hunk] = []
    near: list[Hunk] = []
    right: list[Hunk] = []
    drift = 0
    for hunk in hunks:
        begins = hunk.start + drift
        ends = begins + len(hunk.new)
        (left if ends < start else right if begins > end else near).append(hunk)
        drift += _growth([hunk])
    while True:
        offset, inner = _growth(left), _growth(near)
        first = min([start - offset, *(hunk.start for hunk in near)])
        last = max([end - offset - inner, *(hunk.end for hunk in near)])
        grown = inner + len(text) - len(before)
        first = base.lines.start(base.lines.line_at(first))
        line = base.lines.line_at(last)
        whole = text[first + offset : last + offset + grown].endswith(("\n", "\r")) or first == last + grown
        if last != base.lines.start(line) or not whole:
            last = base.lines.end(line)
        if left and left[-1].end >= first:
            near.insert(0, left.pop())
        elif right and right[0].start <= last:
            near.append(right.pop(0))
        else:
            break
    fresh = diff(path, base.text[first:last], text[first + offset : last + offset + grown])
    above = base.lines.line_at(first)
    return (*left, *(_moved(path, hunk, first, above) for hunk in fresh), *right)


def _growth(hunks: Iterable[Hunk]) -> int:
    return sum(len(hunk.new) - len(hunk.old) for hunk in hunks)


def _moved(path: str, hunk: Hunk, offset: int, lines: int) -> Hunk:
    start = hunk.start + offset
    name = hunk_id(path, start, hunk.old, hunk.new)
    return replace(hunk, id=name, start=start, end=hunk.end + offset, line=hunk.line + lines)


def _prefix(a: str, b: str) -> int:
    """How many characters two texts have in common at their beginning, by halving: slices compare at memory speed."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _suffix(a: str, b: str, most: int) -> int:
    """The same at their end, at most `most`."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _common(a: list[str], b: list[str]) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count


def apply(base: str, hunks: Iterable[Hunk]) -> str:
    """`base` with `hunks` applied. They are a selection out of one diff of this very base."""
    pieces: list[str] = []
    at = 0
    for hunk in sorted(hunks, key=lambda h: (h.start, h.end)):
        pieces += (base[at : hunk.start], hunk.new)
        at = hunk.end
    pieces.append(base[at:])
    return "".join(pieces)


def attribute(hunks: tuple[Hunk, ...], earlier: Collection[Hunk], todo: str | None) -> tuple[Hunk, ...]:
    """Each hunk with its to-do item: the one it had if it stood there before, else `todo`."""
    known = {hunk.id: hunk.todo for hunk in earlier}

    def owner(hunk: Hunk) -> str | None:
        if hunk.id in known:
            return known[hunk.id]
        if todo is not None:
            return todo
        return next((h.todo for h in earlier if h.todo and h.start <= hunk.end and hunk.start <= h.end), None)

    return tuple(replace(hunk, todo=owner(hunk)) for hunk in hunks)


def rebase(hunks: Iterable[Hunk], base: str, now: str) -> str | None:
    """The hunks applied to `now`, a later state of `base`; None where a region was edited meanwhile.

    Content decides, not time stamps: a hunk moves with the text around it, and holds only where its old lines
    are still what they were.
    """
    if base == now:
        return apply(base, hunks)
    shift = _shifts(base, now)
    moved: list[Hunk] = []
    for hunk in hunks:
        place = shift(hunk.start, hunk.end)
        if place is None or now[place[0] : place[1]] != hunk.old:
            return None
        moved.append(replace(hunk, start=place[0], end=place[1]))
    return apply(now, moved)


def _shifts(base: str, now: str) -> Callable[[int, int], tuple[int, int] | None]:
    """A function from a region of whole lines in `base` to the same region in `now`, or None if it changed."""
    drift = diff("", base, now)

    def place(start: int, end: int) -> tuple[int, int] | None:
        move = 0
        for other in drift:
            if other.end <= start and not (other.start == other.end == start == end):
                move += len(other.new) - len(other.old)
            elif other.start >= end and not (other.start == start == end):
                break
            else:
                return None
        return start + move, end + move

    return place


def unified(path: str, base: str, hunks: Iterable[Hunk], context: int = 3) -> str:
    """A unified diff of some hunks of one file, for people and models to read."""
    from difflib import unified_diff  # noqa: PLC0415 - only where a diff is shown

    before, after = split_lines(base), split_lines(apply(base, hunks))
    out: list[str] = []
    for line in unified_diff(before, after, f"a/{path}", f"b/{path}", n=context):
        out.append(line if line.endswith(("\n", "\r")) else line + "\n\\ No newline at end of file\n")
    return "".join(out)


def line_span(base: str, hunk: Hunk) -> tuple[int, int]:
    """The lines of the base that a hunk covers, from 0, the last one not included."""
    lines = Lines.of(base)
    first = hunk.line - 1
    return first, first if hunk.start == hunk.end else lines.line_at(hunk.end - 1) + 1
