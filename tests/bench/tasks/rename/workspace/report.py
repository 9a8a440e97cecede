"""Lists of the stock, for people."""

from stock import Item, Stock


def line(item: Item) -> str:
    return f"{item.name}: {item.count}"


def report(stock: Stock) -> str:
    return "\n".join(line(item) for item in stock.items.values())
