"""Small tasks for the guided loop: what is asked, the files, and a check that the loop never sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Task:
    """`check` is the project's own (empty: none). `hidden` is Python that must run without an error afterwards.

    `buffers` are unsaved texts of open files; `path` and `span` (lines from 0) are where the person is.
    """

    name: str
    prompt: str
    files: Mapping[str, str]
    hidden: str
    check: str = "python3 -m unittest"
    buffers: Mapping[str, str] = field(default_factory=dict[str, str])
    path: str = ""
    span: tuple[int, int] | None = None


_INTERVALS = """\
def merged(intervals):
    \"\"\"Overlapping or touching intervals joined, sorted.\"\"\"
    result = []
    for start, end in sorted(intervals):
        if result and start < result[-1][1]:
            result[-1][1] = max(result[-1][1], end)
        else:
            result.append([start, end])
    return result


def length(intervals):
    \"\"\"How much the intervals cover.\"\"\"
    return sum(end - start for start, end in merged(intervals))
"""
_INTERVALS_TEST = """\
import unittest

from intervals import length, merged


class Merged(unittest.TestCase):
    def test_apart(self):
        self.assertEqual(merged([(3, 4), (1, 2)]), [[1, 2], [3, 4]])

    def test_touching(self):
        self.assertEqual(merged([(1, 2), (2, 3)]), [[1, 3]])

    def test_length(self):
        self.assertEqual(length([(1, 3), (2, 5)]), 4)
"""

_STOCK = {
    "shop/__init__.py": "",
    "shop/money.py": """\
\"\"\"Amounts in whole cents.\"\"\"


def parse(text):
    \"\"\"'12.50' as cents.\"\"\"
    whole, _, rest = text.partition(".")
    return int(whole) * 100 + int((rest + "00")[:2])


def shown(cents):
    \"\"\"Cents as '12.50'.\"\"\"
    return f"{cents // 100}.{cents % 100}"


def split(cents, parts):
    \"\"\"As even as can be; the first parts take the cents that are left over.\"\"\"
    share, rest = divmod(cents, parts)
    return [share + (1 if index < rest else 0) for index in range(parts)]
""",
    "shop/bill.py": """\
from shop.money import shown, split


class Bill:
    def __init__(self):
        self.items = []

    def add(self, name, cents, count=1):
        self.items.append((name, cents, count))

    def total(self):
        return sum(cents * count for _, cents, count in self.items)

    def text(self):
        rows = [f"{count} x {name}: {shown(cents * count)}" for name, cents, count in self.items]
        return "\\n".join([*rows, f"total: {shown(self.total())}"])

    def shares(self, people):
        return [shown(part) for part in split(self.total(), people)]
""",
    "tests/__init__.py": "",
    "tests/test_bill.py": """\
import unittest

from shop.bill import Bill


class BillText(unittest.TestCase):
    def setUp(self):
        self.bill = Bill()
        self.bill.add("tea", 305, 2)

    def test_total(self):
        self.assertEqual(self.bill.total(), 610)

    def test_text(self):
        self.bill.add("cup", 395)
        self.assertEqual(self.bill.text(), "2 x tea: 6.10\\n1 x cup: 3.95\\ntotal: 10.05")

    def test_shares(self):
        self.assertEqual(self.bill.shares(3), ["2.04", "2.03", "2.03"])
""",
}

_QUEUE = """\
import heapq


class Queue:
    \"\"\"Jobs by priority, the smallest first; equal ones in the order in which they came.\"\"\"

    def __init__(self):
        self._heap = []
        self._count = 0

    def push(self, job, priority=0):
        heapq.heappush(self._heap, (priority, self._count, job))

    def pop(self):
        if not self._heap:
            raise IndexError("the queue is empty")
        return heapq.heappop(self._heap)[2]

    def drain(self):
        jobs = []
        while self._heap:
            jobs.append(self.pop())
        return jobs
"""
_QUEUE_TEST = """\
from jobs import Queue


def test_smallest_first():
    queue = Queue()
    queue.push("late", 5)
    queue.push("soon", 1)
    assert queue.drain() == ["soon", "late"]


def test_equal_ones_in_order():
    queue = Queue()
    for job in ["c", "b", "a"]:
        queue.push(job)
    assert queue.drain() == ["c", "b", "a"]
"""

_TWO = {
    "text.py": """\
def slug(title):
    \"\"\"Lower case, words joined by '-'.\"\"\"
    return "_".join(title.lower().split())


def initials(name):
    \"\"\"The first letter of each word, upper case.\"\"\"
    return "".join(word[1].upper() for word in name.split())


def shorten(text, width):
    \"\"\"At most `width` characters, with '...' where it was cut.\"\"\"
    if len(text) <= width:
        return text
    return text[: width - 3] + "..."
""",
    "test_text.py": """\
import unittest

from text import initials, shorten, slug


class Text(unittest.TestCase):
    def test_slug(self):
        self.assertEqual(slug("Hello Wide World"), "hello-wide-world")

    def test_initials(self):
        self.assertEqual(initials("ada king lovelace"), "AKL")

    def test_shorten(self):
        self.assertEqual(shorten("abcdefgh", 6), "abc...")
""",
}

_ACCOUNT = """\
class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance

    def deposit(self, amount):
        self.balance += amount

    def withdraw(self, amount):
        self.balance -= amount
"""
_ACCOUNT_TEST = """\
import unittest

from account import Account


class Balance(unittest.TestCase):
    def test_deposit(self):
        account = Account("ada")
        account.deposit(5)
        self.assertEqual(account.balance, 5)
"""

_REPORT = {
    "stock.py": """\
class Item:
    def __init__(self, name, count):
        self.name = name
        self.count = count


def total(items):
    return sum(item.count for item in items)
""",
    "report.py": """\
from stock import Item, total


def report(rows):
    items = [Item(name, count) for name, count in rows]
    lines = [f"{item.name}: {item.count}" for item in items]
    return "\\n".join([*lines, f"total: {total(items)}"])  # the total of all
""",
    "test_report.py": """\
import unittest

from report import report


class Report(unittest.TestCase):
    def test_report(self):
        self.assertEqual(report([("tea", 2)]), "tea: 2\\ntotal: 2")
""",
}

_WRAP = {
    "text.py": """\
def wrap(text):
    \"\"\"Lines of at most 20 characters.\"\"\"
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > 20 and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
""",
    "page.py": """\
from text import wrap


def banner(text):
    return "\\n".join(f"* {line}" for line in wrap(text))
""",
}

TASKS = (
    Task(
        "bug with its test",
        "The tests fail. Find the cause and fix it.",
        {"intervals.py": _INTERVALS, "test_intervals.py": _INTERVALS_TEST},
        "from intervals import merged\nassert merged([(1, 2), (2, 3), (5, 9)]) == [[1, 3], [5, 9]]",
    ),
    Task(
        "bug in another file than the test",
        "test_text fails, please fix it",
        _STOCK,
        "from shop.money import shown\nassert shown(1005) == '10.05' and shown(610) == '6.10' and shown(7) == '0.07'",
        path="shop/bill.py",
    ),
    Task(
        "lost line, pytest",
        "fix the failing test",
        {"jobs.py": _QUEUE, "test_jobs.py": _QUEUE_TEST},
        "from jobs import Queue\nq = Queue()\n[q.push({'n': n}) for n in (3, 1, 2)]\n"
        "assert [j['n'] for j in q.drain()] == [3, 1, 2]",
        check="python3 -m pytest -q",
    ),
    Task(
        "two bugs",
        "Two tests fail. Mend both functions.",
        _TWO,
        "from text import *\nassert slug('A b') == 'a-b' and initials('x y') == 'XY'",
    ),
    Task(
        "bug in an unsaved buffer",
        "The test fails, fix it.",
        {"intervals.py": "# nothing saved yet\n", "test_intervals.py": _INTERVALS_TEST},
        "from intervals import merged\nassert merged([(1, 2), (2, 3)]) == [[1, 3]]",
        buffers={"intervals.py": _INTERVALS},
        path="intervals.py",
    ),
    Task(
        "syntax error, no check",
        "Fix the syntax error",
        {"intervals.py": _INTERVALS.replace("in sorted(intervals):", "in sorted(intervals:")},
        "from intervals import merged\nassert merged([(3, 4), (1, 2)]) == [[1, 2], [3, 4]]",
        check="none",
        path="intervals.py",
    ),
    Task(
        "validation",
        "`withdraw` must raise a ValueError if the amount is not positive or larger than the balance.",
        {"account.py": _ACCOUNT, "test_account.py": _ACCOUNT_TEST},
        "from account import Account\na = Account('x', 10)\na.withdraw(4)\nassert a.balance == 6\n"
        "for bad in (0, -1, 7):\n    try:\n        a.withdraw(bad)\n    except ValueError:\n        continue\n"
        "    raise AssertionError(bad)\n",
    ),
    Task(
        "rename",
        "Rename the function `total` to `count_of` everywhere.",
        _REPORT,
        "import stock, report\nassert not hasattr(stock, 'total')\n"
        "assert report.report([('a', 1)]) == 'a: 1\\ntotal: 1' and 'total of all' in open('report.py').read()",
    ),
    Task(
        "add a parameter in two files",
        "Give `wrap` in text.py a second parameter `width`, an int with the default 20, that takes the place of the "
        "constant 20 in it. `banner` in page.py gets the same parameter with the same default and hands it on to "
        "`wrap`.",
        _WRAP,
        "from page import banner\nfrom text import wrap\nassert wrap('aa bb', 2) == ['aa', 'bb']\n"
        "assert banner('aa bb', 2) == '* aa\\n* bb' and banner('aa bb') == '* aa bb' and wrap('a', width=3) == ['a']",
        check="none",
    ),
    Task(
        "edit of a selection",
        "return 0 for an empty list instead of failing",
        {
            "mean.py": "def mean(values):\n    return sum(values) / len(values)\n\n\n"
            "def top(values):\n    return max(values)\n"
        },
        "from mean import mean, top\nassert mean([]) == 0 and mean([1, 3]) == 2 and top([1]) == 1",
        check="none",
        path="mean.py",
        span=(0, 2),
    ),
    Task(
        "new function in a long file",
        "Add a function `median(values)` to figures.py that returns the median of a list of numbers.",
        {
            "figures.py": "\n\n".join(
                f'def power{n}(x):\n    """x to the {n}."""\n    return x**{n}\n' for n in range(40)
            ),
        },
        "from figures import median, power3\nassert median([3, 1, 2]) == 2 and power3(2) == 8\n"
        "assert median([1, 2, 3, 4]) == 2.5",
        check="none",
        path="figures.py",
    ),
)
