import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import ast, os, pathlib
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
for name in ("kitty/vendor/columns.py", "kitty/cli.py", "kitty/expense.py", "kitty/settle.py", "test_kitty.py"):
    assert pathlib.Path(name).read_text() == (root / name).read_text(), f"{name} changed"
tree = ast.parse(pathlib.Path("kitty/show.py").read_text())
used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
assert "Grid" in used and "render" not in used
from kitty.show import balance_lines, payment_lines, report
assert balance_lines({}) == [] and payment_lines([]) == []
assert balance_lines({"Ada": 5, "Cyril": -1234567890}) == ["Ada           0.05", "Cyril -12345678.90"]
assert balance_lines({"": 5}) == ["       0.05"]
assert payment_lines([("a", "b", 1), ("", "b", 100)]) == ["a pays b 0.01", "pays b 1.00"]
assert report({}, []) == "BALANCE\n"
assert report({"A": 0}, []) == "BALANCE     \nA       0.00\n", report({"A": 0}, [])
text = report({"Ada": 700, "Bo": -700}, [("Bo", "Ada", 700)])
assert text == "".join(line.ljust(16) + "\n" for line in ("BALANCE", "Ada       7.00", "Bo       -7.00", "", "PAYMENTS", "Bo pays Ada 7.00")), text
done = python("-m", "unittest", "-q")
assert done.returncode == 0 and "Ran 6 tests" in done.stderr, done.stderr
print("solved")
