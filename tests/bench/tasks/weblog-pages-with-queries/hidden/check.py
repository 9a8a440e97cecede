import os, pathlib, shutil, subprocess, tempfile


def run(*words, input="", cwd=".", env=None):
    return subprocess.run(words, input=input, cwd=cwd, capture_output=True, text=True, timeout=20, env={**os.environ, **(env or {})})


def report(*lines):
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "a.log")
        log.write_text("".join(line + "\n" for line in lines))
        done = run("sh", "report.sh", str(log))
    assert done.returncode == 0, done.stderr
    return done.stdout

def line(path, status=200, size=100, hour="08", method="GET"):
    return f'h - - [01/Mar/2024:{hour}:15:00 +0000] "{method} {path} HTTP/1.1" {status} {size}'

said = report(line("/a?x=1"), line("/a?x=2?y"), line("/a"), line("/b?"), line("/?q=/a"), line("/e?1", 404), line("/e?2", 404), line("/f?x", 500))
assert said == "requests by hour\n08    8 ########\npages\n3\t300B\t/a\n1\t100B\t/\n1\t100B\t/b\nerrors\n404    2 /e\n500    1 /f\n", said
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
assert pathlib.Path("sample.log").read_text() == (root / "sample.log").read_text()
assert report(*(root / "sample.log").read_text().splitlines()) == (root / "sample.txt").read_text()
print("solved")
