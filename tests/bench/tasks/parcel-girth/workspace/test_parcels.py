import unittest

from parcels.label import check_digit, label, tracking_number
from parcels.price import cheapest_split, freight, quote
from parcels.size import Box, billed_grams, fits, parse_box
from parcels.zones import is_remote, needs_customs, zone


class Zones(unittest.TestCase):
    def test_zone(self):
        self.assertEqual([zone("DE", to) for to in ("DE", "FR", "ES", "US")], [0, 1, 2, 3])
        self.assertEqual(zone("FR", "DE"), 1)
        self.assertEqual(zone("FR", "BE"), 2)

    def test_remote(self):
        self.assertTrue(is_remote("ES", "35001"))
        self.assertFalse(is_remote("ES", "28001"))
        self.assertFalse(is_remote("DE", "35001"))

    def test_customs(self):
        self.assertTrue(needs_customs("DE", "CH"))
        self.assertFalse(needs_customs("DE", "FI"))


class Sizes(unittest.TestCase):
    def test_box(self):
        self.assertEqual(parse_box("30x20.5X10"), Box(30, 21, 10))
        self.assertEqual(Box(100, 20, 30).girth, 200)
        self.assertEqual(Box(20, 30, 100).girth, 200)

    def test_billed(self):
        self.assertEqual(billed_grams(500, Box(30, 20, 10)), 1200)
        self.assertEqual(billed_grams(5000, Box(30, 20, 10)), 5000)

    def test_fits(self):
        self.assertTrue(fits(31_500, Box(100, 50, 50)))
        self.assertFalse(fits(31_501, Box(10, 10, 10)))


class Prices(unittest.TestCase):
    def test_freight(self):
        self.assertEqual([freight(0, grams) for grams in (1, 1000, 1001, 3000)], [449, 449, 509, 569])

    def test_quote(self):
        self.assertEqual(quote("DE", "DE", 900, Box(20, 10, 10)).total, 449 + 36)
        self.assertEqual(quote("DE", "ES", 900, Box(20, 10, 10), "35001").total, 1299 + 104 + 1200)

    def test_split(self):
        self.assertEqual(cheapest_split("DE", "DE", 40_000, Box(40, 40, 40)), (2, 3434))


class Labels(unittest.TestCase):
    def test_check_digit(self):
        self.assertEqual(check_digit("000000000042"), "0")
        self.assertEqual(tracking_number(42), "0000 0000 0042 0")

    def test_label(self):
        text = label(7, ["Ada Lovelace", " ", "12 St James's Square"], quote("DE", "DE", 900, Box(20, 10, 10)))
        self.assertIn("Ada Lovelace\n12 St James's Square\n\n", text)
        self.assertIn("EUR 4.85", text)


if __name__ == "__main__":
    unittest.main()
