import unittest

from intervals import covered, length, overlap


class Intervals(unittest.TestCase):
    def test_both_ends_count(self):
        self.assertEqual(length((3, 3)), 1)
        self.assertEqual(length((3, 7)), 5)

    def test_overlap(self):
        self.assertEqual(overlap((1, 5), (5, 9)), (5, 5))
        self.assertIsNone(overlap((1, 4), (5, 9)))

    def test_covered(self):
        self.assertEqual(covered([(1, 3), (2, 5), (9, 9)]), 6)


if __name__ == "__main__":
    unittest.main()
