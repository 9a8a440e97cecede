import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import ast, os, pathlib
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
assert not pathlib.Path("kitty/shares.py").exists()
assert ast.dump(ast.parse(pathlib.Path("kitty/ledger.py").read_text())) == ast.dump(ast.parse((root / "kitty/shares.py").read_text()))
for path in pathlib.Path(".").rglob("*.py"):
    text = path.read_text()
    assert "kitty.shares" not in text and "from kitty import shares" not in text, path
from kitty import cli, ledger
assert cli.balances is ledger.balances and ledger.shares.__module__ == "kitty.ledger"
try:
    import kitty.shares
except ModuleNotFoundError:
    pass
else:
    raise AssertionError("kitty.shares is still there")
for name in ("expense", "settle", "show"):
    assert pathlib.Path(f"kitty/{name}.py").read_text() == (root / f"kitty/{name}.py").read_text()
done = python("-W", "error", "-m", "unittest", "-q")
assert done.returncode == 0 and "Ran 5 tests" in done.stderr, done.stderr
print("solved")
