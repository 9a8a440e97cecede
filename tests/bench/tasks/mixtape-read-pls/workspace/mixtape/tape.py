"""Laying tracks out on the two sides of a tape."""

from dataclasses import dataclass, field

from mixtape.track import Track

GAP = 3
"""Seconds of silence between two tracks of a side."""


@dataclass
class Side:
    name: str
    capacity: int
    tracks: list[Track] = field(default_factory=list)

    def used(self) -> int:
        """Seconds, with the gaps."""
        gaps = GAP * max(0, len(self.tracks) - 1)
        return sum(track.seconds for track in self.tracks) + gaps

    def room(self) -> int:
        return self.capacity - self.used()

    def takes(self, track: Track) -> bool:
        gap = GAP if self.tracks else 0
        return self.used() + gap + track.seconds <= self.capacity

    def add(self, track: Track) -> None:
        if not self.takes(track):
            raise ValueError(f"{track.shown()} does not fit on side {self.name}")
        self.tracks.append(track)


def in_order(tracks: list[Track], capacity: int) -> tuple[Side, Side, list[Track]]:
    """Side A as long as the next track fits, then side B; and what is left over."""
    a, b = Side("A", capacity), Side("B", capacity)
    rest = list(tracks)
    for side in (a, b):
        while rest and side.takes(rest[0]):
            side.add(rest.pop(0))
    return a, b, rest


def packed(tracks: list[Track], capacity: int) -> tuple[Side, Side, list[Track]]:
    """The longest first, each to the side with more room (A where they are equal); and what is left over."""
    a, b = Side("A", capacity), Side("B", capacity)
    rest: list[Track] = []
    for track in sorted(tracks, key=lambda track: -track.seconds):
        side = a if a.room() >= b.room() else b
        if side.takes(track):
            side.add(track)
        else:
            rest.append(track)
    return a, b, rest


METHODS = {"order": "in_order", "pack": "packed"}
