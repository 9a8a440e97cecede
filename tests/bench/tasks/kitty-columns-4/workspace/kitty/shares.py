"""Who has to bear how much of an expense."""


def everybody(expenses):
    """All names, sorted."""
    names = {expense.payer for expense in expenses}
    for expense in expenses:
        names.update(expense.people)
    return sorted(names)


def shares(expense, names):
    """Cents by name. What does not divide goes to the first names of the alphabet, a cent each."""
    people = sorted(set(expense.people)) or list(names)
    share, rest = divmod(expense.cents, len(people))
    return {name: share + (1 if index < rest else 0) for index, name in enumerate(people)}


def balances(expenses):
    """Cents by name: what somebody gets (or, below 0, owes). They add up to 0."""
    names = everybody(expenses)
    table = dict.fromkeys(names, 0)
    for expense in expenses:
        table[expense.payer] += expense.cents
        for name, cents in shares(expense, names).items():
            table[name] -= cents
    return table
