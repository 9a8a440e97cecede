"""What things cost. All amounts are whole cents."""

BULK_FROM = 10
BULK_PERCENT = 10


def bulk_price(unit_price, quantity):
    """The price of `quantity` pieces; from 10 pieces on, 10% off."""
    price = unit_price * quantity
    if quantity > BULK_FROM:
        price -= price * BULK_PERCENT // 100
    return price


def with_tax(amount, percent=20):
    """An amount with the tax on it, rounded to the nearest cent."""
    return (amount * (100 + percent) + 50) // 100
