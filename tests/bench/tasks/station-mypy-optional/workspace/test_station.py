import unittest
from datetime import datetime, timedelta

from station.alerts import alerts, parse_rule
from station.reading import BadLine, parse_line, parse_lines
from station.window import floor_time, windows

TEXT = """\
# two stations
2024-03-01T12:00:00 north temp=4 wind=12
2024-03-01T12:30:00 north temp=6
2024-03-01T13:00:00 north temp=-1 wind=25
2024-03-01T12:10:00 south temp=9.5
oops
"""


class Station(unittest.TestCase):
    def test_parse(self):
        reading = parse_line("2024-03-01T12:00:00 north temp=4.5 wind=12")
        self.assertEqual((reading.station, reading.value("temp"), reading.value("rain")), ("north", 4.5, None))
        for line in ("", "2024-03-01T12:00:00 north", "noon north temp=1", "2024-03-01T12:00:00 north temp"):
            with self.assertRaises(BadLine):
                parse_line(line)

    def test_lines(self):
        readings, problems = parse_lines(TEXT)
        self.assertEqual((len(readings), problems), (4, ["line 6: too short: 'oops'"]))

    def test_windows(self):
        found = [(w.station, w.name, w.start.hour, w.mean) for w in windows(parse_lines(TEXT)[0], timedelta(hours=1))]
        self.assertEqual(
            found,
            [
                ("north", "temp", 12, 5.0),
                ("north", "temp", 13, -1.0),
                ("north", "wind", 12, 12.0),
                ("north", "wind", 13, 25.0),
                ("south", "temp", 12, 9.5),
            ],
        )

    def test_floor(self):
        time = datetime(2024, 3, 1, 13, 47, 12)
        self.assertEqual(floor_time(time, timedelta(minutes=15)), datetime(2024, 3, 1, 13, 45))

    def test_alerts(self):
        readings, _ = parse_lines(TEXT)
        self.assertEqual([r.time.hour for r in alerts(readings, parse_rule("wind > 20"))], [13])
        self.assertEqual(alerts(readings, parse_rule("temp < 0 for 2")), [])


if __name__ == "__main__":
    unittest.main()
