import unittest

from run import database, query


class Queries(unittest.TestCase):
    def setUp(self):
        self.database = database("sample.sql")

    def tearDown(self):
        self.database.close()

    def test_out(self):
        self.assertEqual(query(self.database, "out"), [("ladder", "Eva", "2024-03-05"), ("drill", "Eva", "2024-03-10")])

    def test_popular(self):
        self.assertEqual(query(self.database, "popular"), [("drill", 2, 3), ("ladder", 1, 0), ("saw", 1, 3)])

    def test_deposits(self):
        self.assertEqual(query(self.database, "deposits"), [("Eva", 2000)])

    def test_owners(self):
        self.assertEqual(query(self.database, "owners"), [("Ada", "drill, saw"), ("Bo", "ladder")])


if __name__ == "__main__":
    unittest.main()
