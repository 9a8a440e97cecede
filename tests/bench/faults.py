"""Small functions with one seeded fault each, for the repair bench: written for it, so in no model's memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """`right` becomes `wrong` at its only place in `code`; `checks` are expressions that must be true.

    `setup` names a module in whose names the code runs, without its own of that name (`module:name`), `hidden` is an
    expression whose value a repair must share.
    """

    name: str
    purpose: str
    code: str
    right: str
    wrong: str
    checks: tuple[str, ...]
    setup: str = ""
    hidden: str = ""

    @property
    def broken(self) -> str:
        if self.code.count(self.right) != 1:
            raise ValueError(f"{self.name}: {self.right!r} is not at exactly one place")
        return self.code.replace(self.right, self.wrong)


_LEDGER = '''\
def settle(entries):
    """Net amount per account after all entries; accounts that come out even are left out."""
    net = {}
    for payer, payee, amount in entries:
        net[payer] = net.get(payer, 0) - amount
        net[payee] = net.get(payee, 0) + amount
    return {account: value for account, value in net.items() if value != 0}
'''

_TIDES = '''\
def high_tides(levels, threshold):
    """Indices of local maxima that reach the threshold."""
    found = []
    for i in range(1, len(levels) - 1):
        if levels[i] >= threshold and levels[i - 1] < levels[i] >= levels[i + 1]:
            found.append(i)
    return found
'''

_SEATS = '''\
def seat_rows(party_sizes, row_length):
    """Fill rows with whole parties in order; a party that does not fit starts a new row."""
    rows = []
    current = []
    used = 0
    for size in party_sizes:
        if size > row_length:
            raise ValueError("party too large")
        if used + size > row_length:
            rows.append(current)
            current = []
            used = 0
        current.append(size)
        used += size
    if current:
        rows.append(current)
    return rows
'''

_CIPHER = '''\
def shift_word(word, key):
    """Shift each lower-case letter by the key's letters in turn; other characters stay and use no key letter."""
    out = []
    turn = 0
    for ch in word:
        if "a" <= ch <= "z":
            step = ord(key[turn % len(key)]) - ord("a")
            out.append(chr((ord(ch) - ord("a") + step) % 26 + ord("a")))
            turn += 1
        else:
            out.append(ch)
    return "".join(out)
'''

_LINKS = '''\
def reachable(links, start, hops):
    """Pages that can be reached from start within so many hops, start included."""
    seen = {start}
    frontier = [start]
    for _ in range(hops):
        following = []
        for page in frontier:
            for target in links.get(page, []):
                if target not in seen:
                    seen.add(target)
                    following.append(target)
        frontier = following
    return seen
'''

_CLOCK = '''\
def overlap_minutes(first, second):
    """Minutes that two (start, end) spans of a day share; times are "HH:MM"."""

    def minutes(text):
        hours, rest = text.split(":")
        return int(hours) * 60 + int(rest)

    start = max(minutes(first[0]), minutes(second[0]))
    end = min(minutes(first[1]), minutes(second[1]))
    return max(0, end - start)
'''

_RUNS = '''\
def squeeze(values, tolerance):
    """Join neighbours that differ by at most the tolerance into (first, last, count) runs."""
    runs = []
    for value in values:
        if runs and abs(value - runs[-1][1]) <= tolerance:
            first, _, count = runs[-1]
            runs[-1] = (first, value, count + 1)
        else:
            runs.append((value, value, 1))
    return runs
'''

_BINS = '''\
def histogram(samples, low, high, bins):
    """Counts per equal bin of [low, high]; a sample at the upper end belongs to the last bin."""
    counts = [0] * bins
    width = (high - low) / bins
    for sample in samples:
        if low <= sample <= high:
            index = int((sample - low) / width)
            counts[min(index, bins - 1)] += 1
    return counts
'''

_PAGES = '''\
def page_of(items, page, size):
    """The items of a page (pages count from 1) and how many pages there are."""
    total = (len(items) + size - 1) // size
    if page < 1 or page > total:
        return [], total
    start = (page - 1) * size
    return items[start : start + size], total
'''

_MERGE = '''\
def merge_sorted(left, right):
    """Two sorted lists as one sorted list, equal values kept in order."""
    result = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            result.append(left[i])
            i += 1
        else:
            result.append(right[j])
            j += 1
    result.extend(left[i:])
    result.extend(right[j:])
    return result
'''

_SETTLE = (
    "settle([('a', 'b', 5)]) == {'a': -5, 'b': 5}",
    "settle([('a', 'b', 5), ('b', 'a', 5)]) == {}",
    "settle([('a', 'b', 3), ('c', 'a', 1)]) == {'a': -2, 'b': 3, 'c': -1}",
)
_TIDE = (
    "high_tides([1, 3, 2, 5, 5, 1], 3) == [1, 3]",
    "high_tides([1, 3, 2, 4, 1], 4) == [3]",
    "high_tides([5, 1, 5], 1) == []",
    "high_tides([1, 2, 3, 1], 3) == [2]",
)
_SEAT = (
    "seat_rows([2, 3, 4], 5) == [[2, 3], [4]]",
    "seat_rows([5, 5], 5) == [[5], [5]]",
    "seat_rows([3, 3, 1, 1], 4) == [[3], [3, 1], [1]]",
    "seat_rows([], 3) == []",
)
_SHIFT = (
    "shift_word('abc', 'b') == 'bcd'",
    "shift_word('xyz', 'd') == 'abc'",
    "shift_word('a-b', 'bc') == 'b-d'",
    "shift_word('aaaa', 'abc') == 'abca'",
)
_REACH = (
    "reachable({'a': ['b'], 'b': ['c']}, 'a', 1) == {'a', 'b'}",
    "reachable({'a': ['b'], 'b': ['c']}, 'a', 2) == {'a', 'b', 'c'}",
    "reachable({'a': ['a', 'b'], 'b': ['a', 'd']}, 'a', 5) == {'a', 'b', 'd'}",
    "reachable({}, 'x', 3) == {'x'}",
)
_OVERLAP = (
    "overlap_minutes(('09:00', '10:30'), ('10:00', '11:00')) == 30",
    "overlap_minutes(('08:00', '09:00'), ('09:00', '10:00')) == 0",
    "overlap_minutes(('08:15', '12:00'), ('09:05', '09:50')) == 45",
    "overlap_minutes(('08:00', '09:00'), ('11:00', '12:00')) == 0",
    "overlap_minutes(('08:40', '09:20'), ('08:00', '10:00')) == 40",
)
_SQUEEZE = (
    "squeeze([1, 2, 5, 6, 6], 1) == [(1, 2, 2), (5, 6, 3)]",
    "squeeze([1, 3], 1) == [(1, 1, 1), (3, 3, 1)]",
    "squeeze([], 2) == []",
    "squeeze([4, 2, 0], 2) == [(4, 0, 3)]",
)
_HISTOGRAM = (
    "histogram([0, 1, 2, 3, 4], 0, 4, 2) == [2, 3]",
    "histogram([0, 4, 9], 0, 4, 4) == [1, 0, 0, 1]",
    "histogram([1.5, 2.5], 1, 3, 2) == [1, 1]",
)
_PAGE = (
    "page_of([1, 2, 3, 4, 5], 1, 2) == ([1, 2], 3)",
    "page_of([1, 2, 3, 4, 5], 3, 2) == ([5], 3)",
    "page_of([1, 2, 3, 4], 2, 2) == ([3, 4], 2)",
    "page_of([1, 2, 3, 4], 3, 2) == ([], 2)",
    "page_of([], 1, 3) == ([], 0)",
)
_MERGED = (
    "merge_sorted([1, 4], [2, 3, 9]) == [1, 2, 3, 4, 9]",
    "merge_sorted([], [1]) == [1]",
    "merge_sorted([5, 6], [1]) == [1, 5, 6]",
    "merge_sorted([1, 2], [2]) == [1, 2, 2]",
)


def _fault(name: str, code: str, right: str, wrong: str, checks: tuple[str, ...]) -> Fault:
    purpose = code.split('"""')[1]
    return Fault(name, purpose, code, right, wrong, checks)


FAULTS: tuple[Fault, ...] = (
    _fault("sign", _LEDGER, "net.get(payer, 0) - amount", "net.get(payer, 0) + amount", _SETTLE),
    _fault("name", _LEDGER, "net[payee] = net.get(payee, 0)", "net[payee] = net.get(payer, 0)", _SETTLE),
    _fault("bound", _TIDES, "range(1, len(levels) - 1)", "range(1, len(levels))", _TIDE),
    _fault("comparison", _TIDES, "levels[i] >= threshold", "levels[i] > threshold", _TIDE),
    _fault("operator", _SEATS, "used + size > row_length", "used + size >= row_length", _SEAT),
    _fault("lost reset", _SEATS, "            used = 0\n", "", _SEAT),
    _fault("lost tail", _SEATS, "    if current:\n        rows.append(current)\n", "", _SEAT),
    _fault("modulus", _CIPHER, "% 26", "% 25", _SHIFT),
    _fault("indent", _CIPHER, "            turn += 1\n", "        turn += 1\n", _SHIFT),
    _fault("negation", _LINKS, "if target not in seen", "if target in seen", _REACH),
    _fault("lost step", _LINKS, "        frontier = following\n", "", _REACH),
    _fault("wrong start", _LINKS, "seen = {start}", "seen = set()", _REACH),
    _fault("factor", _CLOCK, "* 60", "* 100", _OVERLAP),
    _fault("max for min", _CLOCK, "end = min(", "end = max(", _OVERLAP),
    _fault("index", _RUNS, "runs[-1][1])", "runs[-1][0])", _SQUEEZE),
    _fault("count", _RUNS, "count + 1)", "count)", _SQUEEZE),
    _fault("clamp", _BINS, "bins - 1)", "bins)", _HISTOGRAM),
    _fault("rounding", _PAGES, "(len(items) + size - 1) // size", "len(items) // size", _PAGE),
    _fault("first page", _PAGES, "(page - 1) * size", "page * size", _PAGE),
    _fault("lost rest", _MERGE, "    result.extend(left[i:])\n", "", _MERGED),
)
