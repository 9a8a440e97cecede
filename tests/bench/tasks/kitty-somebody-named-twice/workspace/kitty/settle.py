"""Payments that even things out."""


def settle(table):
    """(from, to, cents): the largest debt pays to the largest credit until nothing is left; equal ones by name."""
    left = dict(table)
    payments = []
    while any(left.values()):
        debtor = min(left, key=lambda name: (left[name], name))
        creditor = min(left, key=lambda name: (-left[name], name))
        cents = min(-left[debtor], left[creditor])
        left[debtor] += cents
        left[creditor] -= cents
        payments.append((debtor, creditor, cents))
    return payments
