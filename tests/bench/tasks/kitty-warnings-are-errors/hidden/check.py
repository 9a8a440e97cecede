import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import os, pathlib, re, tempfile
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
for name in ("lint.py", "Makefile", "test_kitty.py"):
    assert pathlib.Path(name).read_text() == (root / name).read_text(), f"{name} changed"
text = "".join(path.read_text() for path in pathlib.Path("kitty").glob("*.py"))
assert "warnings" not in text and "noqa" not in text
done = python("-W", "error", "lint.py", "kitty", "test_kitty.py")
assert done.returncode == 0, done.stdout
done = python("-W", "error", "-m", "unittest", "-q")
assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "f.txt")
    path.write_text("2024-07-01 Ada 120.00 hotel @Ada @Bo\n")
    done = python("-W", "error", "-m", "kitty", "balance", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Ada      60.00\nBo      -60.00\n", ""), done
    path.write_text("2024-07-01 Ada 120x00 hotel\n")
    done = python("-W", "error", "-m", "kitty", "settle", path)
    assert (done.returncode, done.stderr) == (1, "not an expense: '2024-07-01 Ada 120x00 hotel'\n"), done
import ast
tree = ast.parse(pathlib.Path("kitty/settle.py").read_text())
asserts = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
assert len(asserts) == 1 and isinstance(asserts[0].test, ast.Compare), "the assertion asserts nothing"
from kitty.settle import settle
assert settle({"a": 5, "b": -3, "c": -2}) == [("b", "a", 3), ("c", "a", 2)]
print("solved")
