import json
from datetime import date
from lending.days import open_days_between
from lending.fees import fee
from lending.report import load, overdue_lines

saturday, sunday, monday = date(2024, 3, 2), date(2024, 3, 3), date(2024, 3, 4)
assert open_days_between(saturday, sunday) == 0
assert open_days_between(saturday, monday) == 1
assert open_days_between(sunday, monday) == 1
assert open_days_between(monday, monday) == 0
assert open_days_between(monday, saturday) == 0
assert open_days_between(saturday, date(2024, 3, 16)) == 12
assert open_days_between(saturday, date(2024, 3, 16), {monday, sunday}) == 11
assert open_days_between(saturday, date(2024, 3, 16), {saturday, date(2024, 3, 16)}) == 11
table = {
    "members": [{"number": 1, "name": "Ada"}, {"number": 2, "name": "Tim", "kind": "child"}],
    "loans": [
        {"member": 1, "book": "Persuasion", "since": "2024-02-27"},
        {"member": 2, "book": "Heidi", "since": "2024-02-10"},
    ],
}
desk = load(json.dumps(table))
assert overdue_lines(desk, date(2024, 3, 24)) == [
    "Heidi       Tim, due 2024-03-09, 0.60",
    "Persuasion  Ada, due 2024-03-19, 0.80",
], overdue_lines(desk, date(2024, 3, 24))
assert fee(desk.loans[0], date(2024, 3, 22)) == 60
print("solved")
