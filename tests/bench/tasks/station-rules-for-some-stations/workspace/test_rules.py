import unittest

from station.alerts import Rule, alerts, parse_rule
from station.reading import parse_line

LINES = ["2024-03-01T12:00:00 north t=5", "2024-03-01T12:01:00 west t=6", "2024-03-01T12:02:00 north t=8"]


class Rules(unittest.TestCase):
    def test_parse(self):
        self.assertEqual(parse_rule("wind > 20 at north").stations, frozenset({"north"}))
        self.assertEqual(parse_rule("t < 0 for 3 at a,b"), Rule("t", "<", 0.0, 3, frozenset({"a", "b"})))
        self.assertIsNone(parse_rule("wind > 20").stations)
        with self.assertRaises(ValueError):
            parse_rule("wind > 20 at north,")

    def test_alerts(self):
        readings = [parse_line(line) for line in LINES]
        self.assertEqual([r.value("t") for r in alerts(readings, parse_rule("t > 1 at west"))], [6])
        self.assertEqual([r.value("t") for r in alerts(readings, parse_rule("t > 1 for 2 at north"))], [8])


if __name__ == "__main__":
    unittest.main()
