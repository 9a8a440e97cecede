import unittest

from run import database, query


class Queries(unittest.TestCase):
    def setUp(self):
        self.database = database("sample.sql")

    def tearDown(self):
        self.database.close()

    def test_attendance(self):
        self.assertEqual(query(self.database, "attendance"), [("Ada", 2, 3), ("Bo", 1, 2), ("Dan", 0, 0)])

    def test_voices(self):
        self.assertEqual(query(self.database, "voices"), [("soprano", 0), ("alto", 1), ("tenor", 0), ("bass", 2)])

    def test_debts(self):
        self.assertEqual(query(self.database, "debts"), [("Dan", 6000), ("Bo", 3000)])


if __name__ == "__main__":
    unittest.main()
