"""Texts for people."""

from kitty.vendor import columns


def money(cents):
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def balance_lines(table):
    grid = columns.Grid(["l", "r"], 10)
    for name, cents in table.items():
        grid.add([name, money(cents)])
    return grid.lines()


def payment_lines(payments):
    return [columns.join([debtor, "pays", creditor, money(cents)]) for debtor, creditor, cents in payments]


def report(table, payments):
    """Both lists under their titles, with an empty line between them."""
    grid = columns.Grid(["l"])
    grid.add(["BALANCE"])
    for line in balance_lines(table):
        grid.add([line])
    if payments:
        grid.add([""])
        grid.add(["PAYMENTS"])
    for line in payment_lines(payments):
        grid.add([line])
    return grid.render()
