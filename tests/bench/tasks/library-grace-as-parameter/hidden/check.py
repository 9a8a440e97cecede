import inspect, json, pathlib, subprocess, sys, tempfile
from datetime import date
from lending.fees import fee, total
from lending.loans import Loan
from lending.people import Member
from lending.report import load, overdue_lines

for function in (fee, total, overdue_lines):
    names = list(inspect.signature(function).parameters)
    assert names[-1] == "grace", (function, names)
    assert inspect.signature(function).parameters["grace"].default == 2
loan = Loan(Member(1, "Ada"), "Emma", date(2024, 2, 1), date(2024, 3, 4))
assert [fee(loan, date(2024, 3, 8), grace=days) for days in (0, 2, 3, 4, 5)] == [80, 80, 80, 0, 0]
assert fee(loan, date(2024, 3, 5), grace=0) == 20
assert fee(loan, date(2024, 3, 5)) == 0
assert total([loan, loan], date(2024, 3, 6), (), 1) == 80
assert total([loan, loan], date(2024, 3, 6)) == 0
table = {"members": [{"number": 1, "name": "Ada"}], "loans": [{"member": 1, "book": "Emma", "since": "2024-03-01"}]}
desk = load(json.dumps(table))
assert overdue_lines(desk, date(2024, 3, 27), grace=9) == ["Emma  Ada, due 2024-03-22, 0.00"]
assert overdue_lines(desk, date(2024, 3, 23), 0) == ["Emma  Ada, due 2024-03-22, 0.20"]
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "loans.json")
    path.write_text(json.dumps(table))
    def said(*words):
        return subprocess.run([sys.executable, "-B", "-m", "lending.report", path, *words], capture_output=True, text=True).stdout
    assert said("2024-03-27") == "Emma  Ada, due 2024-03-22, 0.80\n"
    assert said("2024-03-27", "4") == "Emma  Ada, due 2024-03-22, 0.00\n"
    assert said("2024-03-23", "0") == "Emma  Ada, due 2024-03-22, 0.20\n"
print("solved")
