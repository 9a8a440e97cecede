import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import os, pathlib, shutil, tempfile, zipfile
with tempfile.TemporaryDirectory() as folder:
    tree = pathlib.Path(folder, "w")
    shutil.copytree(".", tree, ignore=shutil.ignore_patterns("*.pyz", "__pycache__"))
    (tree / "station/extra.py").write_text("X = 1\n")
    (tree / "station/extra.txt").write_text("x\n")
    done = python("build.py", cwd=tree)
    assert done.returncode == 0 and "built station.pyz 2.1" in done.stdout, done
    names = set(zipfile.ZipFile(tree / "station.pyz").namelist())
    assert {"station/show.py", "station/lines.txt", "station/extra.py", "station/extra.txt", "station/__init__.py"} <= names, names
    away = pathlib.Path(folder, "away")
    away.mkdir()
    shutil.move(tree / "station.pyz", away / "s.pyz")
    shutil.rmtree(tree)
    (away / "r").write_text("2024-03-01T12:00:00 north temp=4 wind=12\n2024-03-01T12:30:00 north temp=6\n")
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    def run(*words):
        done = python("s.pyz", *words, cwd=away, env=environ)
        assert done.returncode == 0, done.stderr
        return done.stdout
    assert run("summary", "r") == "north 2024-03-01 12:00 temp 5.00\nnorth 2024-03-01 12:00 wind 12.00\n"
    assert run("alerts", "temp > 5", "r") == "north 2024-03-01T12:30:00\n"
from station import show
from station.reading import parse_line
assert show.alert_line(parse_line("2024-03-01T12:00:00 north temp=4")) == "north 2024-03-01T12:00:00"
text = pathlib.Path("station/lines.txt").read_text()
assert text == "$station $start $name $mean\n$station $time\n"
done = python("-m", "unittest", "-q")
assert done.returncode == 0, done.stderr
print("solved")
