import ast, json, pathlib, subprocess, sys
from datetime import date

for path in sorted(pathlib.Path(".").rglob("*.py")):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [getattr(node, "id", None), getattr(node, "attr", None)]
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names.append(node.name)
        if isinstance(node, ast.alias):
            names += [node.name, node.asname]
        assert "Member" not in names, f"{path}:{getattr(node, 'lineno', '?')} still says Member"
from lending import loans, people, report
ada = people.Patron(1, "Ada", "child")
assert type(ada).__name__ == "Patron" and (ada.limit, ada.loan_days) == (5, 28)
assert loans.Loan.__annotations__["member"] in (people.Patron, "Patron")
assert list(loans.Loan.__annotations__) == ["member", "book", "since", "due", "renewals", "returned"]
table = {"members": [{"number": 1, "name": "Ada"}], "loans": [{"member": 1, "book": "Emma", "since": "2024-03-01"}]}
desk = report.load(json.dumps(table))
assert isinstance(desk.loans[0].member, people.Patron)
assert report.member_lines(desk, desk.loans[0].member, date(2024, 3, 5)) == ["Ada (adult), 1 of 10", "  Emma until 2024-03-22"]
assert "Patron" in pathlib.Path("tests/test_loans.py").read_text()
done = subprocess.run([sys.executable, "-B", "-m", "unittest", "-q"], capture_output=True, text=True)
assert done.returncode == 0 and "Ran 11 tests" in done.stderr, done.stderr
print("solved")
