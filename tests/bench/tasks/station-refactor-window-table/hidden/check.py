import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import ast, inspect, pathlib
from datetime import datetime, timedelta
from station import window
from station.reading import Reading, parse_line, parse_lines

tree = ast.parse(pathlib.Path("station/window.py").read_text())
function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "windows")
assert not any(isinstance(node, (ast.Dict, ast.DictComp, ast.Subscript)) for node in ast.walk(ast.Module(body=function.body, type_ignores=[]))), "windows still has a dictionary"
assert any(isinstance(node, ast.Name) and node.id == "WindowTable" for node in ast.walk(function))
assert inspect.isgeneratorfunction(window.windows)
assert list(inspect.signature(window.windows).parameters) == ["readings", "length"]

hour = timedelta(hours=1)
lines = ["2024-03-01T13:00:00 north temp=-1 wind=25", "2024-03-01T12:10:00 south temp=9.5", "2024-03-01T12:00:00 north temp=4 wind=12", "2024-03-01T12:30:00 north temp=6"]
readings = [parse_line(line) for line in lines]
expected = [("north", "temp", 12, [4, 6]), ("north", "temp", 13, [-1]), ("north", "wind", 12, [12]), ("north", "wind", 13, [25]), ("south", "temp", 12, [9.5])]
def shown(found):
    return [(w.station, w.name, w.start.hour, w.numbers) for w in found]
assert shown(window.windows(iter(readings), hour)) == expected
table = window.WindowTable(hour)
assert len(table) == 0 and list(table) == []
table.add(readings[0])
assert (len(table), shown(table)) == (2, [expected[1], expected[3]])
for reading in readings[1:]:
    table.add(reading)
assert shown(table) == expected and shown(table) == expected and len(table) == 5
other = window.WindowTable(timedelta(days=1))
assert len(other) == 0, "tables share their windows"
other.add(Reading(datetime(2024, 3, 1, 5), "x", {}))
assert len(other) == 0
for reading in readings:
    other.add(reading)
assert [(w.name, w.start.hour, len(w.numbers), w.mean) for w in other][:1] == [("temp", 0, 3, 3.0)]
assert isinstance(next(iter(other)), window.Window)
assert list(window.windows([], hour)) == []
done = python("-m", "unittest", "-q")
assert done.returncode == 0 and "Ran 5 tests" in done.stderr, done.stderr
print("solved")
