"""Lines for people, out of templates that lie beside this module."""

from __future__ import annotations

from pathlib import Path
from string import Template

from station.reading import Reading
from station.window import Window

_TEMPLATES = Path(__file__).with_name("lines.txt").read_text(encoding="utf-8").splitlines()


def window_line(window: Window) -> str:
    return Template(_TEMPLATES[0]).substitute(
        station=window.station, start=f"{window.start:%Y-%m-%d %H:%M}", name=window.name, mean=f"{window.mean:.2f}"
    )


def alert_line(reading: Reading) -> str:
    return Template(_TEMPLATES[1]).substitute(station=reading.station, time=reading.time.isoformat())
