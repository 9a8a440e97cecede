import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

import contextlib, io, types
def mixtape(*words):
    """The command line, in this process."""
    from mixtape.cli import main
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    return types.SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())

import inspect, pathlib, tempfile
from mixtape.booklet import WIDTH, booklet, line, side_lines
from mixtape.tape import Side
from mixtape.track import Track
assert WIDTH == 40
for function in (line, side_lines, booklet):
    *_, last = inspect.signature(function).parameters.values()
    assert (last.name, last.default) == ("width", 40), function
one, long = Track("One", "Ada", 185), Track("x" * 90, "", 3700)
assert line(1, one) == " 1. Ada - One                       3:05"
assert line(1, one, 25) == " 1. Ada - One        3:05"
assert line(7, long, width=20) == " 7. xxxxxxx… 1:01:40"
assert [len(text) for text in side_lines(Side("A", 9000, [one, long]), 60)] == [60, 60, 60]
assert [len(text) for text in side_lines(Side("A", 9000, [one, long]))] == [40, 40, 40]
text = booklet([Side("A", 9000, [one]), Side("B", 9000, [long])], [one], 30)
assert [len(text) for text in text.splitlines()] == [30, 30, 0, 30, 30, 0, 16], text
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "l.m3u")
    path.write_text("#EXTINF:30,a\nx\n#EXTINF:50,b\ny\n")
    def widths(*words):
        done = mixtape(*words)
        assert done.returncode == 0, done.stderr
        return {len(text) for text in done.stdout.splitlines() if text}
    assert widths("plan", path, "1") == {40}
    assert widths("plan", path, "1", "--width=33") == {33}
    assert widths("--width=50", "plan", path, "1", "pack") == {50}
    assert widths("plan", "--width=27", path, "1", "order") == {27}
    assert mixtape("--width=50", "plan").returncode == 2
assert python("tools/typecheck.py").returncode == 0
assert python("-m", "unittest", "-q").returncode == 0
print("solved")
