import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import pathlib, tempfile
from datetime import datetime, timedelta, timezone
from station.alerts import alerts, parse_rule
from station.reading import BadLine, parse_line, parse_lines
from station.window import floor_time, windows

for text, hour, day in [("2024-03-01T12:00:00", 12, 1), ("2024-03-01T12:00:00+02:00", 10, 1), ("2024-03-01T12:00:00Z", 12, 1), ("2024-03-01T01:00:00+05:30", 19, 29), ("2024-03-01T23:00:00-02:00", 1, 2)]:
    time = parse_line(f"{text} north temp=1").time
    assert time.tzinfo is timezone.utc, (text, time.tzinfo)
    assert (time.hour, time.day) == (hour, day), (text, time)
for text in ("noon", "2024-13-01T00:00:00", "2024-03-01T12:00:00+99:00"):
    try:
        parse_line(f"{text} north temp=1")
    except BadLine as error:
        assert "not a time" in str(error)
    else:
        raise AssertionError(text)
text = """2024-03-01T12:00:00+02:00 a t=1
2024-03-01T10:30:00 a t=3
2024-03-01T13:15:00+03:00 a t=5
2024-03-01T01:00:00+02:00 a t=7.5
"""
readings, problems = parse_lines(text)
assert not problems, problems
found = list(windows(readings, timedelta(hours=1)))
assert [(w.start, w.mean) for w in found] == [(datetime(2024, 2, 29, 23, tzinfo=timezone.utc), 7.5), (datetime(2024, 3, 1, 10, tzinfo=timezone.utc), 3.0)], found
assert all(w.start.tzinfo is timezone.utc for w in found)
assert [r.value("t") for r in alerts(readings, parse_rule("t > 2"))] == [7.5, 5.0]
assert [r.value("t") for r in alerts(readings, parse_rule("t >= 0 for 3"))] == [5.0]
assert floor_time(datetime(2024, 3, 1, 13, 47, tzinfo=timezone.utc), timedelta(minutes=15)) == datetime(2024, 3, 1, 13, 45, tzinfo=timezone.utc)
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "readings")
    path.write_text(text + "2024-03-01T12:00:00.250+01:00 b t=9\n")
    assert python("-m", "station", "alerts", "t > 6", path).stdout == "a 2024-02-29T23:00:00Z\nb 2024-03-01T11:00:00Z\n", python("-m", "station", "alerts", "t > 6", path)
    assert python("-m", "station", "summary", path).stdout == "a 2024-02-29 23:00 t 7.50\na 2024-03-01 10:00 t 3.00\nb 2024-03-01 11:00 t 9.00\n"
done = python("-m", "unittest", "-q")
assert done.returncode == 0 and "Ran 0" not in done.stderr, done.stderr
print("solved")
