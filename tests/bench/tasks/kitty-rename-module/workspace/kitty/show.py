"""Texts for people."""


def money(cents):
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def balance_lines(table):
    width = max((len(name) for name in table), default=0)
    return [f"{name:<{width}} {money(cents):>10}" for name, cents in table.items()]


def payment_lines(payments):
    return [f"{debtor} pays {creditor} {money(cents)}" for debtor, creditor, cents in payments]
