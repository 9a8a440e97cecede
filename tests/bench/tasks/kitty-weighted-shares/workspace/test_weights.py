import unittest

from kitty.expense import Expense, parse_expense
from kitty.shares import balances, shares


class Weights(unittest.TestCase):
    def test_line(self):
        expense = parse_expense("2024-07-01 Ada 120.00 boat @Ada*4 @Bo*2 @Cy")
        self.assertEqual(expense, Expense("2024-07-01", "Ada", 12000, "boat", ("Ada", "Bo", "Cy"), (4, 2, 1)))
        self.assertEqual(parse_expense("2024-07-01 Ada 120.00 boat @Ada*1 @Bo").weights, ())
        with self.assertRaises(ValueError):
            parse_expense("2024-07-01 Ada 120.00 boat @Ada*0")

    def test_shares(self):
        expense = Expense("2024-07-01", "Ada", 100, "x", ("Cy", "Al", "Bo"), (1, 1, 4))
        self.assertEqual(shares(expense, []), {"Al": 17, "Bo": 67, "Cy": 16})

    def test_balances(self):
        table = balances([parse_expense("2024-07-01 Ada 120.00 boat @Ada*4 @Bo*2")])
        self.assertEqual(table, {"Ada": 4000, "Bo": -4000})


if __name__ == "__main__":
    unittest.main()
