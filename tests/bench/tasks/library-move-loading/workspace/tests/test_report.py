import json
import unittest
from datetime import date

from lending.report import load, member_lines, overdue_lines

TABLE = {
    "holidays": ["2024-03-29"],
    "members": [{"number": 1, "name": "Ada"}, {"number": 2, "name": "Tim", "kind": "child"}],
    "loans": [
        {"member": 1, "book": "Emma", "since": "2024-03-01"},
        {"member": 1, "book": "Persuasion", "since": "2024-02-27"},
        {"member": 2, "book": "Heidi", "since": "2024-03-01"},
    ],
}


class Report(unittest.TestCase):
    def setUp(self):
        self.desk = load(json.dumps(TABLE))

    def test_overdue(self):
        self.assertEqual(
            overdue_lines(self.desk, date(2024, 3, 27)),
            ["Persuasion  Ada, due 2024-03-19, 1.40", "Emma        Ada, due 2024-03-22, 0.80"],
        )

    def test_member(self):
        member = self.desk.loans[0].member
        self.assertEqual(
            member_lines(self.desk, member, date(2024, 3, 20)),
            ["Ada (adult), 2 of 10", "  Emma until 2024-03-22", "! Persuasion until 2024-03-19"],
        )


if __name__ == "__main__":
    unittest.main()
