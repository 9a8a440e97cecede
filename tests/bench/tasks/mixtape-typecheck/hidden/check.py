import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import os, pathlib, typing
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
done = python(str(root / "tools/typecheck.py"))
assert done.returncode == 1, "the checker itself is broken"
assert pathlib.Path("tools/typecheck.py").read_text() == (root / "tools/typecheck.py").read_text()
done = python("tools/typecheck.py")
assert done.returncode == 0, done.stdout + done.stderr
from mixtape import m3u, tape, track
from mixtape.track import Track
hints = typing.get_type_hints
assert hints(tape.packed)["return"] == tuple[tape.Side, tape.Side, list[Track]]
assert hints(track.parse_clock)["return"] is int and hints(m3u.read_m3u)["return"] == list[Track] and hints(Track)["seconds"] is int
for text, seconds in [("0", 0), ("59", 59), ("3:05", 185), ("1:00:09", 3609), ("100:00:00", 360000), ("90", 90)]:
    got = track.parse_clock(text)
    assert type(got) is int and got == seconds, (text, got)
for text in ("3:60", "1:2:3:4", "-1:00", "x", "", "1:-1"):
    try:
        track.parse_clock(text)
    except ValueError:
        continue
    raise AssertionError(text)
found = m3u.read_m3u("#EXTINF:185.6,a\nx\n#EXTINF:-1,b\ny\n#EXTINF:,c\nz\n#EXTINF:7,d\nw\nv\n")
assert [(t.seconds, type(t.seconds)) for t in found] == [(185, int), (0, int), (0, int), (7, int), (0, int)], found
tracks = [Track(str(n), "", s) for n, s in enumerate((500, 40, 30, 600, 20))]
a, b, rest = tape.packed(tracks, 70)
assert (a.tracks, b.tracks, rest) == ([tracks[1]], [tracks[2], tracks[4]], [tracks[3], tracks[0]]), (a, b, rest)
assert type(rest) is list and type(tape.packed([], 5)[2]) is list and type(tape.in_order(tracks, 5)[2]) is list
assert python("-m", "unittest", "-q").returncode == 0
print("solved")
