"""The paper in the box."""

from mixtape.tape import Side
from mixtape.track import Track, clock

WIDTH = 40


def line(number: int, track: Track) -> str:
    time = clock(track.seconds)
    name = track.shown()
    room = WIDTH - len(time) - 5
    if len(name) > room:
        name = name[: room - 1] + "…"
    return f"{number:>2}. {name:<{room}} {time}"


def side_lines(side: Side) -> list[str]:
    head = f"Side {side.name}"
    lines = [f"{head:<{WIDTH - 8}}{clock(side.used()):>8}"]
    return lines + [line(number, track) for number, track in enumerate(side.tracks, 1)]


def booklet(sides: list[Side], rest: list[Track]) -> str:
    lines: list[str] = []
    for side in sides:
        lines += [*side_lines(side), ""]
    if rest:
        lines.append("No room for: " + ", ".join(track.title for track in rest))
    return "\n".join(lines).rstrip() + "\n"
