"""Makes station.pyz, one file that Python runs."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipapp

HERE = pathlib.Path(__file__).parent
MODULES = ["__init__", "__main__", "reading", "window", "alerts", "cli"]


def build(target):
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder, "tree")
        (tree / "station").mkdir(parents=True)
        for name in MODULES:
            shutil.copy(HERE / "station" / f"{name}.py", tree / "station")
        zipapp.create_archive(tree, target, main="station.cli:main")
    # It must run by itself.
    done = subprocess.run([sys.executable, target, "--version"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{target} does not run:\n{done.stderr}")
    print(f"built {target.name} {done.stdout.strip()}")


if __name__ == "__main__":
    build(HERE / "station.pyz")
