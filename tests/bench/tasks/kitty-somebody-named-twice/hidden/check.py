from kitty.expense import Expense, parse_file
from kitty.shares import balances, shares

def split(cents, *people, names=("Al", "Bo", "Cy", "Di")):
    return shares(Expense("2024-01-01", "Al", cents, "x", people), list(names))
assert split(1000) == {"Al": 250, "Bo": 250, "Cy": 250, "Di": 250}
assert split(1003) == {"Al": 251, "Bo": 251, "Cy": 251, "Di": 250}
assert split(1000, "Cy", "Bo", "Al") == {"Al": 334, "Bo": 333, "Cy": 333}
assert split(1001, "Cy", "Bo") == {"Bo": 501, "Cy": 500}
assert split(1001, "Cy", "Cy", "Bo", "Cy") == {"Bo": 501, "Cy": 500}
assert split(7, "Cy", "Cy") == {"Cy": 7} and split(0, "Bo") == {"Bo": 0}
assert split(1, "Di", "Al") == {"Al": 1, "Di": 0}
expense = Expense("2024-01-01", "Al", 5, "x", ("Cy", "Bo", "Cy"))
shares(expense, [])
assert expense.people == ("Cy", "Bo", "Cy")
assert balances(parse_file("2024-07-01 Al 10.01 x @Cy @Bo @Cy")) == {"Al": 1001, "Bo": -501, "Cy": -500}
print("solved")
