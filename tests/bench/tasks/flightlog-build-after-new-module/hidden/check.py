import os, pathlib, shutil, subprocess, tempfile


def build(source, *files, flags=("-std=c11", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover")):
    """A C program of our own linked with the workspace's files: what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        main = pathlib.Path(folder, "hidden.c")
        main.write_text(source)
        program = pathlib.Path(folder, "hidden")
        made = subprocess.run(["gcc", *flags, "-I.", "-Isrc", "-o", program, main, *files, "-lm"], capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        done = subprocess.run([program], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return done.stdout


with tempfile.TemporaryDirectory() as folder:
    tree = pathlib.Path(folder, "w")
    shutil.copytree(".", tree)
    def make(*words):
        return subprocess.run(["make", "-s", *words], cwd=tree, capture_output=True, text=True)
    make("clean")
    assert "-Wall -Wextra -Werror" in (tree / "Makefile").read_text()
    done = make()
    assert done.returncode == 0, done.stderr
    done = make("test")
    assert done.returncode == 0 and "all tests pass" in done.stdout, done.stdout + done.stderr
    log = "10:00:00 100 10.0 climb\n10:00:05 150 20.0 climb\nnonsense\n"
    ran = subprocess.run([tree / "flightlog"], input=log, capture_output=True, text=True)
    assert ran.stdout == "2 records, 100 to 150 m, 50 m climbed, 15.0 m/s\n" and ran.returncode == 2, ran
    for header in ("ring.h", "record.h", "stats.h"):
        os.utime(tree / header, (4102444800, 4102444800))
        asked = subprocess.run(["make", "-n", "flightlog"], cwd=tree, capture_output=True, text=True)
        assert "stats.c" in asked.stdout and "main.c" in asked.stdout, (header, asked.stdout)
        os.utime(tree / header, (0, 0))
        assert make().returncode == 0
for header in ("ring.h", "record.h", "stats.h"):
    build(f'#include "{header}"\nint main(void) {{ return 0; }}\n')
original = pathlib.Path(os.environ["KAAJ_TASK"], "workspace", "test_flightlog.c").read_text()
assert "pass" in build(original, "ring.c", "record.c", "stats.c")
print("solved")
