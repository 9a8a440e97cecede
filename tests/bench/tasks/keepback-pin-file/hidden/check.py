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

names = ["a-20240305.tar", "a-20240304.tar", "a-20240303.tar", "a-20240302.tar", "b c-20240302.tar", "a-20240201.tar", "#x-20240101.tar"]
with tempfile.TemporaryDirectory() as place:
    pins = pathlib.Path(place, "the pins")
    pins.write_text("# kept for the auditors\n\nb c-20240302.tar\n#x-20240101.tar\na-20240303.tar\na-2024\nnot there\n")
    keep = ["a-20240305.tar", "a-20240303.tar", "b c-20240302.tar"]
    assert left(names, "1", "0", option=("-k", str(pins)))[:2] == (0, sorted(keep)), left(names, "1", "0", option=("-k", str(pins)))
    assert left(names, "1", "0", option=("-k", str(pins)))[2] == "remove a-20240304.tar\nremove a-20240302.tar\nremove a-20240201.tar\nremove #x-20240101.tar\n"
    assert left(names, "1", "1", option=("-k", str(pins)))[1] == sorted([*keep, "a-20240304.tar"]), "a pinned one still counts"
    for option in (("-n", "-k", str(pins)), ("-k", str(pins), "-n")):
        code, there, said = left(names, "1", "0", option=option)
        assert (code, there) == (0, sorted(names)) and said.count("remove") == 4, (option, said)
    assert left(names, "1", "0")[1] == ["a-20240305.tar"]
    assert left(names, "1", "0", option=("-n",))[1] == sorted(names)
    pins.write_text("a-20240304.tar")  # no newline at the end
    assert left(names, "1", "0", option=("-k", str(pins)))[1] == ["a-20240304.tar", "a-20240305.tar"]
    pins.write_text("")
    assert left(names, "1", "0", option=("-k", str(pins)))[1] == ["a-20240305.tar"]
    folder = world(names)
    for words in (["-k"], ["-k", place + "/none", folder, "1", "0"], ["-n", "-k"], [folder + "/none"], [], [folder, "1", "2", "3"]):
        done = run("sh", "keepback.sh", *words)
        assert done.returncode == 2 and done.stderr and not done.stdout, (words, done)
    assert sorted(os.listdir(folder)) == sorted(names)
    shutil.rmtree(folder)
text = pathlib.Path("keepback.sh").read_text() + pathlib.Path("lib/choose.sh").read_text()
assert "[[" not in text and "bash" not in text
print("solved")
