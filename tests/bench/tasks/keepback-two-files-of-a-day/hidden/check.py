import os, pathlib, shutil, subprocess, tempfile


def run(*words, input="", cwd=".", env=None):
    return subprocess.run(words, input=input, cwd=cwd, capture_output=True, text=True, timeout=20, env={**os.environ, **(env or {})})


def world(names):
    folder = tempfile.mkdtemp()
    for name in names:
        pathlib.Path(folder, name).touch()
    return folder

def left(names, *words, option=()):
    folder = world(names)
    try:
        done = run("sh", "keepback.sh", *option, folder, *words)
        return done.returncode, sorted(os.listdir(folder)), done.stdout
    finally:
        shutil.rmtree(folder)

def doomed(lines, daily, monthly):
    done = run("sh", "-c", '. ./lib/choose.sh; choose_doomed "$1" "$2"', "x", str(daily), str(monthly), input="".join(line + "\n" for line in lines))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()

lines = ["20240305 a", "20240304 b", "20240304 c c", "20240304 d  d", "20240302 e", "20240302 f", "20240229 g", "20240229 h", "20240228 i", "20240228 j", "20240131 k", "20240131 l", "20231231 m"]
assert doomed(lines, 2, 2) == ["i", "j", "k", "l", "m"], doomed(lines, 2, 2)
assert doomed(lines, 2, 9) == ["i", "j"]
assert doomed(lines, 1, 0) == ["b", "c c", "d  d", *"efghijklm"]
assert doomed(lines, 0, 1) == ["b", "c c", "d  d", *"efghijklm"]
assert doomed(lines, 4, 1) == ["k", "l", "m"], doomed(lines, 4, 1)
assert doomed(lines, 99, 0) == [] and doomed([], 1, 1) == []
names = ["a-20240303.tar", "b-20240303.tar", "a-20240302.tar", "b-20240302.tar", "x.tar"]
assert left(names, "1", "0") == (0, ["a-20240303.tar", "b-20240303.tar", "x.tar"], "remove b-20240302.tar\nremove a-20240302.tar\n"), left(names, "1", "0")
print("solved")
