import unittest

from shop.cart import Cart


class CartTotal(unittest.TestCase):
    def test_an_empty_cart_costs_nothing(self):
        self.assertEqual(Cart().total(), 0)

    def test_a_small_order_pays_shipping(self):
        cart = Cart()
        cart.add("tea", 1000)
        self.assertEqual(cart.total(), 1200 + 490)

    def test_a_large_order_ships_free(self):
        cart = Cart()
        cart.add("kettle", 6000)
        self.assertEqual(cart.total(), 7200)

    def test_the_same_thing_again_adds_up(self):
        cart = Cart()
        cart.add("tea", 1000, 2)
        cart.add("tea", 1000)
        self.assertEqual(cart.goods(), 3000)
