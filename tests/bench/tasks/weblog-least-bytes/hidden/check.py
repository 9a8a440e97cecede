import os, pathlib, shutil, subprocess, tempfile


def run(*words, input="", cwd=".", env=None):
    return subprocess.run(words, input=input, cwd=cwd, capture_output=True, text=True, timeout=20, env={**os.environ, **(env or {})})


def report(*words):
    return run("sh", "report.sh", *words)

root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
plain = (root / "sample.txt").read_text()
log = str(root / "sample.log")
assert report(log).stdout == plain
assert report("-m", "0", log).stdout == plain
hours = "requests by hour\n08    3 ###\n20    3 ###\n"
assert report("-m", "12", log).stdout == hours + "pages\n1\t1.5K\t/index.html\n1\t800B\t/logo.png\nerrors\n500    1 /login\n404    2 /nothing\n", report("-m", "12", log)
assert report("-m", "13", log).stdout == hours + "pages\n1\t1.5K\t/index.html\n1\t800B\t/logo.png\nerrors\n"
assert report("-m", "800", log).stdout == hours + "pages\n1\t1.5K\t/index.html\n1\t800B\t/logo.png\nerrors\n"
assert report("-m", "900", log).stdout == hours + "pages\n1\t1.5K\t/index.html\nerrors\n"
assert report("-m", "1501", log).stdout == hours + "pages\nerrors\n"
for words in (["-m"], ["-m", log], ["-m", "x", log], ["-m", "", log], ["-m", "1k", log], ["-m", "-1", log], [], [log, log], ["/nowhere"]):
    done = report(*words)
    assert done.returncode == 2 and "usage" in done.stderr and not done.stdout, (words, done)
fields = run("awk", "-f", "fields.awk", log).stdout
assert run("awk", "-F", "\t", "-v", "least=13", "-f", "errors.awk", input=fields).stdout == ""
assert run("awk", "-F", "\t", "-v", "least=801", "-f", "size.awk", "-f", "pages.awk", input=fields).stdout == "1\t1.5K\t/index.html\n"
assert run("awk", "-F", "\t", "-f", "errors.awk", input=fields).stdout == "500    1 /login\n404    2 /nothing\n"
print("solved")
