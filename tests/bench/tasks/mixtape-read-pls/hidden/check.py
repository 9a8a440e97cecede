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

import pathlib, tempfile
from mixtape.m3u import read_m3u, read_pls
from mixtape.track import Track

text = "\n; made by hand\n[playlist]\nFile1=music/one.mp3\nTitle1=Ada - One\nLength1=185\nFile2=two.mp3\nNumberOfEntries=2\nVersion=2\n"
assert read_pls(text) == [Track("One", "Ada", 185, "music/one.mp3"), Track("two.mp3", "", 0, "two.mp3")]
text = "[PlayList]\r\nnumberofentries=1\r\nLENGTH10 = 7\r\nfile10 = b - c.mp3 \r\nTitle9=Nine - a - b\r\nlength9=-1\r\n\r\n;File9=no\r\nFile9=9.mp3\r\nTitle3=No file\r\nFile4=\r\nTitle4=x\r\nfile2=a=b.mp3\r\nTitle2=\r\nLength2=1.5\r\nNonsense\r\nFilex=q\r\n"
assert read_pls(text) == [Track("a=b.mp3", "", 0, "a=b.mp3"), Track("a - b", "Nine", 0, "9.mp3"), Track("c.mp3", "b", 7, "b - c.mp3")], read_pls(text)
assert read_pls("[playlist]") == []
for bad in ("", "\n\n", "File1=x\n[playlist]\n", "#EXTM3U\nx.mp3\n", "[playlists]\n", "; [playlist]\n"):
    try:
        read_pls(bad)
    except ValueError as error:
        assert str(error) == "not a PLS file", error
    else:
        raise AssertionError(bad)
assert read_m3u("a - b.mp3\n") == [Track("b.mp3", "a", 0, "a - b.mp3")]
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "list.PLS")
    path.write_text("[playlist]\nFile1=x\nTitle1=Ada - One\nLength1=50\n")
    done = mixtape("plan", path, "1")
    assert done.returncode == 0 and " 1. Ada - One" in done.stdout, done
    path.write_text("x.mp3\n")
    done = mixtape("plan", path, "1")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{path}: not a PLS file\n"), done
    other = pathlib.Path(folder, "list.m3u")
    other.write_text("[playlist]\nFile1=x\n")
    assert "[playlist]" in mixtape("plan", other, "1").stdout
assert python("-m", "unittest", "-q").returncode == 0
print("solved")
