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

def date_of(name):
    done = run("sh", "-c", '. ./lib/dates.sh; date_of "$1"', "x", name)
    assert done.stderr == "", done.stderr
    return done.stdout.strip() if done.returncode == 0 else None

for name, date in [("db-20240301.tar", "20240301"), ("my-old-db-20240301.tar", "20240301"), ("a b-c d-19991231.tar", "19991231"), ("20240101-20240301.tar", "20240301"), ("x--20240301.tar", "20240301"), ("-20240301.tar", "20240301"),
                   ("db.tar", None), ("20240301.tar", None), ("db-20241301.tar", None), ("db-2024031.tar", None), ("db-20240301.tar.gz", None), ("db-20240301-x.tar", None), ("db-20240300.tar", None), ("db-20240301", None)]:
    assert date_of(name) == date, (name, date_of(name))
names = ["my-old-db-20240301.tar", "db-20240302.tar", "db-20240303.tar", "x-y.tar", "a-20240303-b.tar"]
assert left(names, "1", "0") == (0, ["a-20240303-b.tar", "db-20240303.tar", "x-y.tar"], "remove db-20240302.tar\nremove my-old-db-20240301.tar\n"), left(names, "1", "0")
root = os.environ["KAAJ_TASK"] + "/workspace/"
for name in ("lib/choose.sh", "test.sh"):
    assert pathlib.Path(name).read_text() == pathlib.Path(root + name).read_text(), f"{name} changed"
print("solved")
