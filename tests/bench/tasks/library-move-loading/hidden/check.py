import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import ast, json, pathlib
from datetime import date

def names(path):
    tree = ast.parse(pathlib.Path(path).read_text())
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    imported = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return defined, imported, used

for path, expected in [("lending/report.py", {"overdue_lines", "member_lines", "main"}), ("lending/loading.py", {"load"}), ("lending/fees.py", {"late_days", "fee", "money", "total"})]:
    defined, imported, used = names(path)
    assert defined == expected, (path, defined)
    assert imported <= used, f"{path} imports {imported - used} for nothing"
from lending import fees, loading, report
assert report.load is loading.load and report.money is fees.money
assert [fees.money(cents) for cents in (0, 5, 1205)] == ["0.00", "0.05", "12.05"]
desk = loading.load(json.dumps({"members": [{"number": 1, "name": "Ada"}], "loans": [{"member": 1, "book": "Emma", "since": "2024-03-01"}]}))
assert report.overdue_lines(desk, date(2024, 3, 27)) == ["Emma  Ada, due 2024-03-22, 0.80"]
text = pathlib.Path("tests/test_report.py").read_text()
assert "from lending.loading import load" in text
done = python("-m", "unittest", "-q")
assert done.returncode == 0 and "Ran 11 tests" in done.stderr, done.stderr
print("solved")
