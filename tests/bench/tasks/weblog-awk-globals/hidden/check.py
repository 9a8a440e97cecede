import os, pathlib, shutil, subprocess, tempfile


def run(*words, input="", cwd=".", env=None):
    return subprocess.run(words, input=input, cwd=cwd, capture_output=True, text=True, timeout=20, env={**os.environ, **(env or {})})


root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
assert pathlib.Path("pages.awk").read_text() == (root / "pages.awk").read_text(), "pages.awk changed"
PROGRAM = 'BEGIN { units = "u"; unit = "v"; i = "i"; n = "n"; b = 5000; print human(b), human(0), human(1023), human(1024), human(1536 * 1024), human(5 * 1024 ^ 4), b, units, unit, i, n }'
with tempfile.TemporaryDirectory() as folder:
    program = pathlib.Path(folder, "p.awk")
    program.write_text(PROGRAM)
    done = run("awk", "-f", "size.awk", "-f", str(program))
assert done.stdout == "4.9K 0B 1023B 1.0K 1.5M 5120.0G 5000 u v i n\n", done
line = 'h - - [01/Mar/2024:08:15:00 +0000] "GET {} HTTP/1.1" 200 {}\n'
with tempfile.TemporaryDirectory() as folder:
    log = pathlib.Path(folder, "log")
    log.write_text(line.format("/a", 1) + line.format("/a", 2047) + line.format("/b", 3 * 1024 ** 2))
    said = run("sh", "report.sh", str(log)).stdout
assert said == "requests by hour\n08    3 ###\npages\n2\t2.0K\t/a\ttimes\n1\t3.0M\t/b\ttime\nerrors\n", said
assert run("sh", "report.sh", str(root / "sample.log")).stdout == (root / "sample.txt").read_text()
print("solved")
