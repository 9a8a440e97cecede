import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import pathlib, tempfile
from station.alerts import Rule, alerts, parse_rule
from station.reading import parse_lines

assert parse_rule("wind > 20") == Rule("wind", ">", 20.0) == Rule("wind", ">", 20.0, 1, None)
assert parse_rule("wind>20 at north") == Rule("wind", ">", 20.0, 1, frozenset({"north"}))
assert parse_rule(" temp <= -1.5  for 3   at west,north ").stations == {"north", "west"}
rule = parse_rule("temp < 0 for 3 at north,west")
assert rule == Rule("temp", "<", 0.0, 3, frozenset({"west", "north"})) and isinstance(rule.stations, frozenset)
assert hash(rule) and parse_rule("t > 1 at a,a").stations == {"a"}
for text in ("wind > 20 at", "wind > 20 at ", "wind > 20 at north,", "wind > 20 at ,north", "wind > 20 at a,,b", "wind > 20 at a b", "wind > 20 at a, b", "wind > 20 at a for 3", "wind > 20 for at a", "wind > 20at a", "wind > 20 for 3at a", "at a", ""):
    try:
        got = parse_rule(text)
    except ValueError as error:
        assert repr(text) in str(error), error
    else:
        raise AssertionError(f"{text!r} gave {got}")
lines = ["2024-03-01T12:00:00 north t=5", "2024-03-01T12:01:00 west t=6", "2024-03-01T12:02:00 south t=7", "2024-03-01T12:03:00 north t=8", "2024-03-01T12:04:00 west t=0", "2024-03-01T12:05:00 west t=9", "2024-03-01T12:06:00 north t=9"]
readings, _ = parse_lines("\n".join(lines))
def values(text):
    return [reading.value("t") for reading in alerts(readings, parse_rule(text))]
assert values("t > 1") == [5, 6, 7, 9]
assert values("t > 1 at north") == [5]
assert values("t > 1 at west,south") == [6, 7, 9]
assert values("t > 1 for 2 at north,west") == [8]
assert values("t > 1 for 3 at north") == [9] and values("t > 1 at nowhere") == []
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "r")
    path.write_text("\n".join(lines))
    assert python("-m", "station", "alerts", "t > 6 at west,south", path).stdout == "south 2024-03-01T12:02:00\nwest 2024-03-01T12:05:00\n"
done = python("-m", "unittest", "-q")
assert done.returncode == 0, done.stderr
print("solved")
