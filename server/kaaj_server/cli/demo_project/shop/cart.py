"""A customer's cart."""

from shop.prices import bulk_price, with_tax

FREE_SHIPPING_FROM = 5000
SHIPPING = 490


class Cart:
    def __init__(self):
        self.lines = {}

    def add(self, name, unit_price, quantity=1):
        """Put some pieces into the cart; the same thing again adds to what is there."""
        _, before = self.lines.get(name, (unit_price, 0))
        self.lines[name] = (unit_price, before + quantity)

    def goods(self):
        """What the goods cost, without tax and shipping."""
        return sum(bulk_price(price, quantity) for price, quantity in self.lines.values())

    def total(self):
        """What the customer pays."""
        goods = self.goods()
        shipping = 0 if goods >= FREE_SHIPPING_FROM or not self.lines else SHIPPING
        return with_tax(goods) + shipping
