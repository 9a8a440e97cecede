import ast, pathlib, subprocess, sys
from parcels import zones

tree = ast.parse(pathlib.Path("parcels/zones.py").read_text())
readers = {"UNION": set(), "NEIGHBOURS": set()}
calls = {}
for function in tree.body:
    if isinstance(function, ast.FunctionDef):
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in readers:
                readers[node.id].add(function.name)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                calls.setdefault(function.name, set()).add(node.func.id)
assert readers == {"UNION": {"within_union"}, "NEIGHBOURS": {"are_neighbours"}}, readers
assert {"within_union", "are_neighbours"} <= calls["zone"], calls
assert "within_union" in calls["needs_customs"], calls

union = {"AT", "BE", "CZ", "DE", "DK", "ES", "FI", "FR", "IE", "IT", "LU", "NL", "PL", "PT", "SE"}
near = {"AT", "BE", "CH", "CZ", "DK", "FR", "LU", "NL", "PL"}
countries = sorted(union | near | {"US", "GB", "JP"})
for one in countries:
    for other in countries:
        both = one in union and other in union
        beside = (one == "DE" and other in near) or (other == "DE" and one in near)
        assert zones.within_union(one, other) == both, (one, other)
        assert zones.are_neighbours(one, other) == beside, (one, other)
        assert zones.zone(one, other) == (0 if one == other else 1 if beside else 2 if both else 3), (one, other)
        assert zones.needs_customs(one, other) == (one != other and not both), (one, other)
done = subprocess.run([sys.executable, "-B", "-m", "unittest", "-q"], capture_output=True, text=True)
assert done.returncode == 0 and "Ran 11 tests" in done.stderr, done.stderr
print("solved")
