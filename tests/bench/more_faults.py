"""Twenty more seeded faults, and what tells a false repair: calls by the hundred, compared with the right code."""

from __future__ import annotations

from typing import Final

from tests.bench.faults import FAULTS, Fault

_INTERVALS = '''\
def free_slots(busy, opens, closes, length):
    """Start times of the gaps of at least the length between busy (start, end) spans of a day."""
    found = []
    at = opens
    for start, end in sorted(busy):
        if start - at >= length:
            found.append(at)
        at = max(at, end)
    if closes - at >= length:
        found.append(at)
    return found
'''

_STOCK = '''\
def restock(stock, orders, reserve):
    """Serve orders in turn from the stock; what falls below the reserve is to be bought, up to twice the reserve."""
    left = dict(stock)
    refused = []
    for name, count in orders:
        if left.get(name, 0) >= count:
            left[name] -= count
        else:
            refused.append((name, count))
    to_buy = {}
    for name, count in left.items():
        if count < reserve:
            to_buy[name] = 2 * reserve - count
    return to_buy, refused
'''

_SPIRAL = '''\
def spiral(grid):
    """The grid's values clockwise from the upper left corner inwards."""
    out = []
    top, bottom = 0, len(grid) - 1
    left, right = 0, len(grid[0]) - 1 if grid else -1
    while top <= bottom and left <= right:
        for column in range(left, right + 1):
            out.append(grid[top][column])
        top += 1
        for row in range(top, bottom + 1):
            out.append(grid[row][right])
        right -= 1
        if top <= bottom:
            for column in range(right, left - 1, -1):
                out.append(grid[bottom][column])
            bottom -= 1
        if left <= right:
            for row in range(bottom, top - 1, -1):
                out.append(grid[row][left])
            left += 1
    return out
'''

_TAGS = '''\
def unbalanced(text):
    """The position of the first bracket without its partner, -1 where all are balanced."""
    partner = {")": "(", "]": "[", "}": "{"}
    open_at = []
    for i, ch in enumerate(text):
        if ch in "([{":
            open_at.append((ch, i))
        elif ch in partner:
            if not open_at or open_at[-1][0] != partner[ch]:
                return i
            open_at.pop()
    return open_at[0][1] if open_at else -1
'''

_WINDOW = '''\
def smooth(values, width):
    """Mean of each value and its neighbours within the width on both sides, as far as there are any."""
    out = []
    for i in range(len(values)):
        low = max(0, i - width)
        high = min(len(values), i + width + 1)
        part = values[low:high]
        out.append(sum(part) / len(part))
    return out
'''

_RANKS = '''\
def ranks(scores):
    """Competition ranks by falling score: equal scores share a rank, and the next one is skipped."""
    order = sorted(scores, key=lambda name: -scores[name])
    result = {}
    rank = 0
    last = None
    for place, name in enumerate(order, start=1):
        if scores[name] != last:
            rank = place
            last = scores[name]
        result[name] = rank
    return result
'''

_ROUTE = '''\
def cheapest(tolls, start, goal):
    """The least sum of tolls from start to goal over directed roads, None where there is no way."""
    best = {start: 0}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        for there, toll in tolls.get(here, {}).items():
            cost = best[here] + toll
            if there not in best or cost < best[there]:
                best[there] = cost
                waiting.append(there)
    return best.get(goal)
'''

_CHANGE = '''\
def fewest_coins(amount, coins):
    """The least number of coins that make the amount, -1 where none do."""
    needed = [0] + [None] * amount
    for value in range(1, amount + 1):
        for coin in coins:
            if coin <= value and needed[value - coin] is not None:
                count = needed[value - coin] + 1
                if needed[value] is None or count < needed[value]:
                    needed[value] = count
    return -1 if needed[amount] is None else needed[amount]
'''

_FREE = (
    "free_slots([(9, 10), (12, 13)], 8, 18, 1) == [8, 10, 13]",
    "free_slots([(10, 12), (9, 16)], 9, 18, 2) == [16]",
    "free_slots([(12, 15), (9, 14)], 9, 17, 2) == [15]",
    "free_slots([], 8, 9, 1) == [8]",
    "free_slots([(8, 20)], 8, 20, 1) == []",
)
_RESTOCK = (
    "restock({'a': 5, 'b': 1}, [('a', 2)], 2) == ({'b': 3}, [])",
    "restock({'a': 2}, [('a', 2), ('a', 1)], 1) == ({'a': 2}, [('a', 1)])",
    "restock({'a': 3}, [('z', 1)], 3) == ({}, [('z', 1)])",
)
_SPIRALS = (
    "spiral([[1, 2, 3], [4, 5, 6], [7, 8, 9]]) == [1, 2, 3, 6, 9, 8, 7, 4, 5]",
    "spiral([[1, 2], [3, 4], [5, 6]]) == [1, 2, 4, 6, 5, 3]",
    "spiral([[1, 2, 3]]) == [1, 2, 3]",
    "spiral([]) == []",
)
_BRACKETS = (
    "unbalanced('(a[b]{c})') == -1",
    "unbalanced('(]') == 1",
    "unbalanced('x(') == 1",
    "unbalanced('([a)') == 3",
    "unbalanced(')') == 0",
    "unbalanced('()((') == 2",
)
_SMOOTH = (
    "smooth([1, 2, 3, 4], 1) == [1.5, 2.0, 3.0, 3.5]",
    "smooth([6, 0, 0], 2) == [2.0, 2.0, 2.0]",
    "smooth([1, 5], 0) == [1.0, 5.0]",
)
_RANKED = (
    "ranks({'a': 5, 'b': 9, 'c': 5, 'd': 1}) == {'b': 1, 'a': 2, 'c': 2, 'd': 4}",
    "ranks({}) == {}",
    "ranks({'x': 0, 'y': 0, 'z': 0}) == {'x': 1, 'y': 1, 'z': 1}",
)
_ROADS = (
    "cheapest({'a': {'b': 5, 'c': 1}, 'c': {'b': 2}}, 'a', 'b') == 3",
    "cheapest({'a': {'b': 1}}, 'b', 'a') is None",
    "cheapest({'a': {'b': 1}, 'b': {'a': 1, 'c': 4}}, 'a', 'c') == 5",
    "cheapest({}, 'a', 'a') == 0",
)
_COINS = (
    "fewest_coins(11, [1, 2, 5]) == 3",
    "fewest_coins(6, [1, 3, 4]) == 2",
    "fewest_coins(3, [2]) == -1",
    "fewest_coins(0, [5]) == 0",
    "fewest_coins(9, [9]) == 1",
)


def _fault(name: str, code: str, right: str, wrong: str, checks: tuple[str, ...]) -> Fault:
    return Fault(name, code.split('"""')[1], code, right, wrong, checks)


MORE: Final[tuple[Fault, ...]] = (
    _fault("gap bound", _INTERVALS, "if start - at >= length", "if start - at > length", _FREE),
    _fault("overlap", _INTERVALS, "at = max(at, end)", "at = end", _FREE),
    _fault("unsorted", _INTERVALS, "in sorted(busy)", "in busy", _FREE),
    _fault("enough", _STOCK, "left.get(name, 0) >= count", "left.get(name, 0) > count", _RESTOCK),
    _fault("twice", _STOCK, "2 * reserve - count", "reserve - count", _RESTOCK),
    _fault("below", _STOCK, "if count < reserve", "if count <= reserve", _RESTOCK),
    _fault("last column", _SPIRAL, "range(left, right + 1)", "range(left, right)", _SPIRALS),
    _fault("no shrink", _SPIRAL, "        right -= 1\n", "", _SPIRALS),
    _fault("wrong row", _SPIRAL, "grid[bottom][column]", "grid[top][column]", _SPIRALS),
    _fault("lost pop", _TAGS, "            open_at.pop()\n", "", _BRACKETS),
    _fault("first open", _TAGS, "open_at[0][1]", "open_at[-1][1]", _BRACKETS),
    _fault("connective", _TAGS, "not open_at or open_at", "not open_at and open_at", _BRACKETS),
    _fault("upper end", _WINDOW, "i + width + 1", "i + width", _SMOOTH),
    _fault("divisor", _WINDOW, "/ len(part)", "/ width", _SMOOTH),
    _fault("shared rank", _RANKS, "            last = scores[name]\n", "", _RANKED),
    _fault("order", _RANKS, "-scores[name]", "scores[name]", _RANKED),
    _fault("sum", _ROUTE, "best[here] + toll", "toll", _ROADS),
    _fault("not queued", _ROUTE, "                waiting.append(there)\n", "", _ROADS),
    _fault("plus one", _CHANGE, "needed[value - coin] + 1", "needed[value - coin]", _COINS),
    _fault("exact coin", _CHANGE, "if coin <= value", "if coin < value", _COINS),
)
ALL: Final = (*FAULTS, *MORE)

_SOME: Final = "for _ in range(60)"
HIDDEN: Final[dict[str, str]] = {
    "settle": f"[settle([(r.choice('abc'), r.choice('abc'), r.randint(1, 4)) for _ in range(5)]) {_SOME}]",
    "high_tides": f"[high_tides([r.randint(0, 4) for _ in range(8)], r.randint(0, 4)) {_SOME}]",
    "seat_rows": f"[seat_rows([r.randint(1, 6) for _ in range(r.randint(0, 7))], 6) {_SOME}]",
    "shift_word": f"[shift_word(''.join(r.choices('abyz -', k=7)), r.choice(['b', 'cat', 'zy'])) {_SOME}]",
    "reachable": f"[sorted(reachable({{a: r.choices('abcde', k=2) for a in 'abc'}}, 'a', r.randint(0, 4))) {_SOME}]",
    "overlap_minutes": "[overlap_minutes(*[[f'{h:02}:{m:02}' for h, m in sorted((r.randint(7, 11), r.randint(0, 59))"
    f" for _ in 'ab')] for _ in 'ab']) {_SOME}]",
    "squeeze": f"[squeeze([r.randint(0, 9) for _ in range(6)], r.randint(0, 3)) {_SOME}]",
    "histogram": f"[histogram([r.randint(-1, 9) for _ in range(9)], 0, 8, r.randint(1, 5)) {_SOME}]",
    "page_of": f"[page_of(list(range(r.randint(0, 9))), r.randint(-1, 5), r.randint(1, 4)) {_SOME}]",
    "merge_sorted": f"[merge_sorted(*(sorted(r.randint(0, 9) for _ in range(r.randint(0, 5))) for _ in 'ab')) {_SOME}]",
    "free_slots": "[free_slots([(s, s + r.randint(1, 4)) for s in r.choices(range(8, 17), k=3)], 8, 19,"
    f" r.randint(1, 3)) {_SOME}]",
    "restock": "[restock({a: r.randint(0, 6) for a in 'abc'}, [(r.choice('abcd'), r.randint(1, 4)) for _ in 'xyz'],"
    f" r.randint(1, 4)) {_SOME}]",
    "spiral": "[spiral([[r.randint(0, 9) for _ in range(w)] for _ in range(h)]) for w in range(1, 6)"
    " for h in range(6)]",
    "unbalanced": f"[unbalanced(''.join(r.choices('()[]a', k=6))) {_SOME}]",
    "smooth": f"[smooth([r.randint(0, 9) for _ in range(6)], r.randint(0, 3)) {_SOME}]",
    "ranks": f"[ranks({{a: r.randint(0, 3) for a in 'abcde'}}) {_SOME}]",
    "cheapest": f"[cheapest({{a: {{b: r.randint(1, 9) for b in r.sample('abcde', 2)}} for a in 'abcd'}}, 'a', 'e')"
    f" {_SOME}]",
    "fewest_coins": f"[fewest_coins(r.randint(0, 14), r.sample(range(1, 8), 2)) {_SOME}]",
}
"""By function: calls whose results a repair must share with the right code. `r` is a seeded `random.Random`."""


def hidden_of(code: str) -> str:
    return HIDDEN[code.partition("def ")[2].partition("(")[0]]
