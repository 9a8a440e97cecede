import unittest

from kitty.expense import Expense, parse_expense, parse_file
from kitty.settle import settle
from kitty.shares import balances, shares
from kitty.show import balance_lines, payment_lines, report

FILE = """\
# a week in Rome
2024-07-01 Ada 120.00 hotel @Ada @Bo @Cy
2024-07-02 Bo 30.50 lunch
"""


class Kitty(unittest.TestCase):
    def test_expense(self):
        expense = parse_expense("2024-07-01 Ada 120.05 two rooms @Ada @Bo")
        self.assertEqual(expense, Expense("2024-07-01", "Ada", 12005, "two rooms", ("Ada", "Bo")))
        with self.assertRaises(ValueError):
            parse_expense("2024-07-01 Ada 120 hotel")

    def test_shares(self):
        expense = Expense("2024-07-01", "Ada", 1000, "x", ("Cy", "Ada", "Bo"))
        self.assertEqual(shares(expense, []), {"Ada": 334, "Bo": 333, "Cy": 333})

    def test_balances(self):
        self.assertEqual(balances(parse_file(FILE)), {"Ada": 6983, "Bo": -1967, "Cy": -5016})

    def test_settle(self):
        payments = settle({"Ada": 6983, "Bo": -1967, "Cy": -5016})
        self.assertEqual(payments, [("Cy", "Ada", 5016), ("Bo", "Ada", 1967)])
        self.assertEqual(payment_lines(payments)[0], "Cy pays Ada 50.16")

    def test_report(self):
        text = report({"Ada": 5, "Bo": -5}, [("Bo", "Ada", 5)])
        self.assertEqual(text, "BALANCE         \nAda       0.05  \nBo       -0.05  \n                \nPAYMENTS        \nBo pays Ada 0.05\n")

    def test_lines(self):
        self.assertEqual(balance_lines({"Ada": 5, "Cyril": -5}), ["Ada         0.05", "Cyril      -0.05"])


if __name__ == "__main__":
    unittest.main()
