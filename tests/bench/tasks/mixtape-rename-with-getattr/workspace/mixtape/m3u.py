"""Extended M3U: `#EXTINF:185,Artist - Title` and the path in the next line."""

from mixtape.track import Track


def read_m3u(text: str) -> list[Track]:
    """The tracks of a list. Entries without #EXTINF have the path as title and last 0 seconds."""
    tracks: list[Track] = []
    about: tuple[int, str] | None = None
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("#EXTINF:"):
            seconds, _, name = line.removeprefix("#EXTINF:").partition(",")
            about = (max(0, int(float(seconds or 0))), name.strip())
        elif line and not line.startswith("#"):
            seconds, name = about if about else (0, line)
            artist, dash, title = name.partition(" - ")
            tracks.append(Track(title if dash else name, artist if dash else "", seconds, line))
            about = None
    return tracks


def write_m3u(tracks: list[Track]) -> str:
    lines = ["#EXTM3U"]
    for track in tracks:
        lines += [f"#EXTINF:{track.seconds},{track.shown()}", track.path]
    return "\n".join(lines) + "\n"
