import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import pathlib, re, tempfile
for path in pathlib.Path(".").rglob("*.py"):
    assert not re.search(r"\bpacked\b", path.read_text()), path
from mixtape import tape
from mixtape.track import Track
assert tape.METHODS["pack"] == "balanced" and tape.METHODS["order"] == "in_order" and set(tape.METHODS) == {"pack", "order"}
tracks = [Track(str(n), "", s) for n, s in enumerate((20, 60, 30, 100))]
a, b, rest = tape.balanced(tracks, 120)
assert [t.seconds for t in a.tracks] == [100] and [t.seconds for t in b.tracks] == [60, 30, 20] and rest == []
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "l.m3u")
    path.write_text("#EXTINF:30,a\nx\n#EXTINF:50,b\ny\n")
    done = python("-m", "mixtape", "plan", path, "1", "pack")
    assert done.returncode == 0 and done.stdout.index("b") < done.stdout.index("Side B") < done.stdout.index(" 1. a"), done
    assert python("-m", "mixtape", "plan", path, "1").stdout.splitlines()[1].startswith(" 1. a")
    assert python("-m", "mixtape", "plan", path, "1", "balanced").returncode == 2
assert python("tools/typecheck.py").returncode == 0
done = python("-m", "unittest", "-q")
assert done.returncode == 0 and "Ran 6 tests" in done.stderr, done.stderr
print("solved")
