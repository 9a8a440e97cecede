import ast, pathlib, subprocess, sys

def names(path):
    tree = ast.parse(pathlib.Path(path).read_text())
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    imported = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return defined, imported, used

defined, imported, used = names("parcels/price.py")
assert defined == {"freight", "quote", "cheapest_split"}, defined
assert imported <= used, f"price.py imports {imported - used} for nothing"
assert "dataclass" not in imported
defined, imported, used = names("parcels/money.py")
assert defined == {"Quote", "round_up"}, defined
assert imported <= used, imported - used
from parcels import money, price
assert price.Quote is money.Quote and price.round_up is money.round_up
assert money.Quote.__module__ == "parcels.money"
assert money.Quote(1, 2, 3, 4).total == 9 and money.Quote(1, 2, 3, 4) == money.Quote(1, 2, 3, 4)
try:
    money.Quote(1, 2, 3, 4).zone = 5
except AttributeError:
    pass
else:
    raise AssertionError("a quote is frozen")
assert [money.round_up(value, 100) for value in (0, 1, 100, 101)] == [0, 1, 1, 2]
from parcels.size import Box
assert isinstance(price.quote("DE", "US", 900, Box(20, 10, 10)), money.Quote)
done = subprocess.run([sys.executable, "-B", "-m", "unittest", "-q"], capture_output=True, text=True)
assert done.returncode == 0 and "Ran 11 tests" in done.stderr, done.stderr
print("solved")
