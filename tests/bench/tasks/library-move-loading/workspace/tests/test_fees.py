import unittest
from datetime import date

from lending.fees import fee, late_days
from lending.loans import Loan
from lending.people import Member

ADA = Member(1, "Ada")
MONDAY = date(2024, 3, 4)


def loan(due, returned=None, member=ADA):
    return Loan(member, "Emma", date(2024, 2, 1), due, returned=returned)


class Fees(unittest.TestCase):
    def test_on_time(self):
        self.assertEqual(late_days(loan(MONDAY), MONDAY), 0)
        self.assertEqual(fee(loan(MONDAY), MONDAY), 0)

    def test_within_grace(self):
        self.assertEqual(fee(loan(MONDAY), date(2024, 3, 6)), 0)

    def test_after_grace(self):
        self.assertEqual(fee(loan(MONDAY), date(2024, 3, 7)), 60)

    def test_at_most_ten(self):
        self.assertEqual(fee(loan(MONDAY), date(2024, 12, 1)), 1000)


if __name__ == "__main__":
    unittest.main()
