import unittest
from datetime import date

from lending.loans import Desk, NotAllowed
from lending.people import Member

ADA = Member(1, "Ada")
TIM = Member(2, "Tim", "child")


class Loans(unittest.TestCase):
    def test_due_after_three_weeks(self):
        loan = Desk().lend(ADA, "Emma", date(2024, 3, 1))
        self.assertEqual(loan.due, date(2024, 3, 22))

    def test_due_moves_to_an_open_day(self):
        desk = Desk(holidays=[date(2024, 4, 1)])
        loan = desk.lend(ADA, "Emma", date(2024, 3, 10))
        self.assertEqual(loan.due, date(2024, 4, 2))

    def test_limit(self):
        desk = Desk()
        for number in range(5):
            desk.lend(TIM, f"Book {number}", date(2024, 3, 1))
        with self.assertRaises(NotAllowed):
            desk.lend(TIM, "one more", date(2024, 3, 1))

    def test_renewals(self):
        desk = Desk()
        desk.lend(ADA, "Emma", date(2024, 3, 1))
        desk.renew("Emma", date(2024, 3, 20))
        desk.renew("Emma", date(2024, 4, 8))
        with self.assertRaises(NotAllowed):
            desk.renew("Emma", date(2024, 4, 9))

    def test_out(self):
        desk = Desk()
        desk.lend(ADA, "Emma", date(2024, 3, 1))
        with self.assertRaises(NotAllowed):
            desk.lend(TIM, "Emma", date(2024, 3, 2))
        desk.give_back("Emma", date(2024, 3, 3))
        desk.lend(TIM, "Emma", date(2024, 3, 4))


if __name__ == "__main__":
    unittest.main()
