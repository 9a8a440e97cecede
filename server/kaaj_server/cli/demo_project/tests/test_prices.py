import unittest

from shop.prices import bulk_price, with_tax


class BulkPrice(unittest.TestCase):
    def test_one_piece_costs_its_price(self):
        self.assertEqual(bulk_price(250, 1), 250)

    def test_nine_pieces_cost_nine_times_as_much(self):
        self.assertEqual(bulk_price(250, 9), 2250)

    def test_ten_pieces_are_ten_percent_off(self):
        self.assertEqual(bulk_price(250, 10), 2250)

    def test_twenty_pieces_are_ten_percent_off(self):
        self.assertEqual(bulk_price(250, 20), 4500)


class WithTax(unittest.TestCase):
    def test_tax_is_added(self):
        self.assertEqual(with_tax(1000), 1200)

    def test_half_a_cent_is_rounded_up(self):
        self.assertEqual(with_tax(3, percent=50), 5)
