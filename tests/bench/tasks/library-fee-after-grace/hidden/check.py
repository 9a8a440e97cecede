from datetime import date
from lending.fees import MAX_CENTS, fee, late_days, total
from lending.loans import Loan
from lending.people import Member

def loan(due, kind="adult", returned=None):
    return Loan(Member(1, "Ada", kind), "Emma", date(2024, 2, 1), due, returned=returned)

monday = date(2024, 3, 4)
assert [fee(loan(monday), date(2024, 3, day)) for day in range(4, 13)] == [0, 0, 0, 60, 80, 100, 100, 120, 140]
assert fee(loan(monday, "child"), date(2024, 3, 8)) == 20
assert fee(loan(monday, "school"), date(2024, 9, 8)) == 0
assert fee(loan(monday, returned=date(2024, 3, 9)), date(2025, 1, 1)) == 100
assert fee(loan(monday), date(2025, 1, 1)) == MAX_CENTS == 1000
assert fee(loan(monday), date(2024, 3, 9), {date(2024, 3, 6)}) == 80
assert late_days(loan(monday), date(2024, 3, 11)) == 6
assert total([loan(monday), loan(monday, "child")], date(2024, 3, 7)) == 75
print("solved")
