"""Writes a repository of some 3,000 Python files into the current folder."""

import pathlib

SERVICES = """billing orders returns stock picking packing freight customs labels tracking
claims credit debit dunning ledger payroll shifts leave hiring training
fleet tolls fuel garage leasing insurance permits safety audits incidents
catalog pricing promos bundles reviews search wishlist basket checkout coupons
mail sms push letters templates surveys consent contacts segments campaigns
metering tariffs grids solar heating water waste recycling carbon offsets""".split()
PARTS = """model rules views lines totals shares export importer filters sorting
paging cache limits quota dates spans zones codes names parser
printer report summary history diff merge split batch queue retry
checks errors events hooks status steps stages flags labels notes
units weights sizes colors tags links tree graph index lookup""".split()
CORE = {
    "core/__init__.py": '"""What all services share."""\n',
    "core/money.py": '"""Amounts of money are whole cents."""\n\n\ndef shown(cents):\n    """1234 as \'12.34\'."""\n    sign = "-" if cents < 0 else ""\n    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"\n\n\ndef percent_of(cents, percent):\n    """Rounded half up."""\n    return (cents * percent * 2 + 100) // 200\n',
    "core/apportion.py": """\
\"\"\"Dividing an amount by weights so that the parts add up to it.\"\"\"


def apportion(cents, weights):
    \"\"\"The parts of `cents` in the ratio of the weights, by the largest remainder; equal remainders: the first one first.

    Raises ValueError where the weights are no good.
    \"\"\"
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError(f"cannot divide by {weights}")
    parts = [cents * weight // total for weight in weights]
    remainders = [cents * weight % total for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    for index in order[: cents - sum(parts)]:
        parts[index] += 1
    return parts
""",
    "core/texts.py": '"""Texts for people."""\n\n\ndef listed(words, last="and"):\n    """\'a, b and c\'."""\n    words = list(words)\n    if len(words) < 2:\n        return "".join(words)\n    return f"{\', \'.join(words[:-1])} {last} {words[-1]}"\n',
    "services/__init__.py": '"""One package per service."""\n',
    "services/billing/__init__.py": '"""Invoices."""\n',
    "services/billing/invoice.py": """\
\"\"\"An invoice: its lines, a discount on all of it, tax by line.\"\"\"

from core.money import shown
from services.billing.discount import discounted
from services.billing.tax import with_tax


def invoice(lines, discount=0):
    \"\"\"`lines` are (text, cents, tax percent). Returns printed lines, the total last.\"\"\"
    net = discounted([cents for _, cents, _ in lines], discount)
    gross = [with_tax(cents, percent) for cents, (_, _, percent) in zip(net, lines)]
    printed = [f"{text}: {shown(cents)}" for (text, _, _), cents in zip(lines, gross)]
    return [*printed, f"total: {shown(sum(gross))}"]
""",
    "services/billing/discount.py": """\
\"\"\"A discount on a whole invoice, laid on its lines.\"\"\"

from core.apportion import apportion


def discounted(amounts, discount):
    \"\"\"The amounts less their shares of the discount (cents).\"\"\"
    if not discount:
        return list(amounts)
    shares = apportion(discount, amounts)
    return [amount - share for amount, share in zip(amounts, shares)]
""",
    "services/billing/tax.py": '"""Tax."""\n\nfrom core.money import percent_of\n\n\ndef with_tax(cents, percent):\n    return cents + percent_of(cents, percent)\n',
    "tests/__init__.py": "",
    "tests/test_invoice.py": """\
import unittest

from services.billing.invoice import invoice


class Invoice(unittest.TestCase):
    def test_plain(self):
        self.assertEqual(invoice([("tea", 1000, 7), ("mug", 500, 19)]), ["tea: 10.70", "mug: 5.95", "total: 16.65"])

    def test_discount(self):
        lines = [("tea", 1000, 0), ("mug", 500, 0), ("tin", 500, 0)]
        self.assertEqual(invoice(lines, 101), ["tea: 9.49", "mug: 4.75", "tin: 4.75", "total: 18.99"])

    def test_discount_of_a_cent(self):
        lines = [("pin", 1, 0), ("mug", 900, 0), ("tin", 899, 0)]
        self.assertEqual(invoice(lines, 1), ["pin: 0.01", "mug: 8.99", "tin: 8.99", "total: 17.99"])


if __name__ == "__main__":
    unittest.main()
""",
    "README.md": "# monorepo\n\n`core/` is shared, `services/` has a package per service. Tests: `python3 -m unittest -q` in this folder.\n",
}


def module(service, part, number):
    title = f"{part.capitalize()} of {service}."
    other = PARTS[(number * 7 + 3) % len(PARTS)]
    lines = [f'"""{title}"""', ""]
    if number % 3 == 0:
        lines += ["from core.money import shown", ""]
    if number % 4 == 1:
        lines += ["from core.texts import listed", ""]
    if number % 5 == 2:
        lines += ["from core.apportion import apportion", ""]
    lines += ["", f"def {part}_of(rows):", f'    """The {part} of some rows."""', f'    return [row["{part}"] for row in rows if "{part}" in row]', "", ""]
    lines += [f"def by_{other}(rows):", f'    """Rows by their {other}."""', "    table = {}", "    for row in rows:", f'        table.setdefault(row.get("{other}"), []).append(row)', "    return table"]
    if number % 3 == 0:
        lines += ["", "", f"def {part}_line(row):", f'    return f"{{row[\'{part}\']}}: {{shown(row.get(\'cents\', 0))}}"']
    if number % 4 == 1:
        lines += ["", "", f"def {part}_text(rows):", f"    return listed(str(value) for value in {part}_of(rows))"]
    if number % 5 == 2:
        lines += ["", "", f"def {part}_shares(rows, cents):", f'    """`cents` divided among the rows, by {part}."""', f"    return apportion(cents, {part}_of(rows))"]
    return "\n".join(lines) + "\n"


def files(slip=True):
    """Path -> text; `slip` puts the fault in."""
    found = dict(CORE)
    number = 0
    for service in SERVICES:
        found.setdefault(f"services/{service}/__init__.py", f'"""The service {service}."""\n')
        for part in PARTS:
            number += 1
            found[f"services/{service}/{part}.py"] = module(service, part, number)
    if slip:
        text = found["core/apportion.py"]
        found["core/apportion.py"] = text.replace("(-remainders[index], index)", "(remainders[index], index)")
        assert found["core/apportion.py"] != text
    return found


if __name__ == "__main__":
    for path, text in files().items():
        target = pathlib.Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
