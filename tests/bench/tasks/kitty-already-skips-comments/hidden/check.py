"""The tree is as it was (what starts with a dot, and Python's caches, do not count)."""
import os, pathlib

def tree(root):
    files = {}
    for path in pathlib.Path(root).rglob("*"):
        parts = path.relative_to(root).parts
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in parts):
            files["/".join(parts)] = path.read_bytes()
    return files

before, after = tree(pathlib.Path(os.environ["KAAJ_TASK"], "workspace")), tree(".")
for name in sorted(before.keys() | after.keys()):
    assert before.get(name) == after.get(name), f"{name} is not as it was"
print("solved")
