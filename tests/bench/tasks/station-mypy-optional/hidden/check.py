import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import ast, pathlib, tempfile
text = pathlib.Path("station/cli.py").read_text()
tree = ast.parse(text)
assert "type: ignore" not in text and "cast(" not in text and "import Any" not in text
assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree))
import typing
from station import alerts, reading
assert typing.get_type_hints(reading.Reading.value)["return"] == (float | None)
assert typing.get_type_hints(alerts.find_station)["return"] == (reading.Reading | None)
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "readings")
    path.write_text("2024-03-01T12:00:00 north temp=4 wind=0\n2024-03-01T12:30:00 north temp=6.25 wind=0\n2024-03-01T12:10:00 north temp=9\n2024-03-01T12:10:00 south rain=1\n")
    def latest(*words):
        done = python("-m", "station", "latest", *words, path)
        return done.returncode, done.stdout, done.stderr
    assert latest("north", "temp") == (0, "north temp 6.2 (12:30)\n", ""), latest("north", "temp")
    assert latest("north", "wind") == (0, "north wind 0.0 (12:30)\n", ""), "a value of 0 is a value"
    assert latest("north", "rain") == (1, "", "north does not measure rain\n"), latest("north", "rain")
    assert latest("west", "rain") == (1, "", "no readings of west\n"), latest("west", "rain")
    assert python("-m", "station", "alerts", "temp > 5", path).stdout == "north 2024-03-01T12:10:00\n"
    assert python("-m", "station", "nonsense").returncode == 2
if python("-c", "import mypy").returncode == 0:  # not everywhere
    done = python("-m", "mypy", "--strict", "--cache-dir", "/dev/null", "station/cli.py")
    assert done.returncode == 0, done.stdout
print("solved")
