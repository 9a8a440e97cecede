"""The command line."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from station import VERSION
from station.show import alert_line, window_line
from station.alerts import alerts, parse_rule
from station.reading import parse_lines
from station.window import windows


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    match words:
        case ["--version"]:
            print(VERSION)
        case ["summary", path]:
            readings, problems = parse_lines(Path(path).read_text(encoding="utf-8"))
            for problem in problems:
                print(problem, file=sys.stderr)
            for window in windows(readings, timedelta(hours=1)):
                print(window_line(window))
        case ["alerts", rule, path]:
            readings, _ = parse_lines(Path(path).read_text(encoding="utf-8"))
            for reading in alerts(readings, parse_rule(rule)):
                print(alert_line(reading))
        case _:
            print("usage: station summary FILE | alerts RULE FILE | --version", file=sys.stderr)
            return 2
    return 0
