"""Compiles files and the files of folders; any warning is an error. Exits 1 where there was one."""

import pathlib
import sys


def main(names):
    bad = 0
    for name in names:
        path = pathlib.Path(name)
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            try:
                compile(file.read_text(encoding="utf-8"), str(file), "exec", dont_inherit=True)
            except SyntaxError as error:
                print(f"{file}:{error.lineno}: {error.msg}")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
