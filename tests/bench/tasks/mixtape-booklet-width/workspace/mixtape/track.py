"""One piece of music."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Track:
    """`seconds` is a whole number; `artist` is empty where it is not known."""

    title: str
    artist: str
    seconds: int
    path: str = ""

    def shown(self) -> str:
        return f"{self.artist} - {self.title}" if self.artist else self.title


def clock(seconds: int) -> str:
    """'3:05', or '1:00:09' from an hour up."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def parse_clock(text: str) -> int:
    """'3:05' or '1:00:09' in seconds. Raises ValueError."""
    parts = [int(part) for part in text.split(":")]
    if len(parts) > 3 or any(part < 0 for part in parts) or any(part > 59 for part in parts[1:]):
        raise ValueError(f"not a time: {text!r}")
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + part
    return seconds
