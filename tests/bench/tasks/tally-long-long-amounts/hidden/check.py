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


import re
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
for name in ("Makefile", "src/table.h", "src/amount.h", "src/text.h", "test/test_tally.c"):
    assert pathlib.Path(name).read_text() == (root / name).read_text(), f"{name} changed"
for path in pathlib.Path("src").glob("*.c"):
    text = path.read_text()
    assert not re.search(r"\blong\b", text.replace("long long", "")), f"{path} has a long"
    assert not re.search(r"\((?:int|unsigned|size_t|long long)\)\s*(?:cents|whole|part|positive|sum)\b", text), f"{path} has a cast"
    assert "pragma" not in text
    assert not re.search(r"%0?2?ld", text), path
flags = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wformat=2", "-m64", "-fsanitize=undefined", "-fno-sanitize-recover")
SOURCE = r"""
#include <stdio.h>
#include "amount.h"
#include "table.h"
int main(void)
{
    long long cents = 0;
    struct table table;
    struct text out;
    if (!amount_parse("92233720368547758.07", &cents) || cents != 9223372036854775807LL) puts("parse");
    if (!amount_parse("-12.5", &cents) || cents != -1250) puts("parse");
    table_init(&table);
    text_init(&out);
    table_add(&table, "a", 500000000000LL);
    table_add(&table, "b", -1);
    table_print(&table, &out);
    fputs(out.bytes, stdout);
    text_free(&out);
    table_free(&table);
    return 0;
}
"""
said = build(SOURCE, "src/text.c", "src/amount.c", "src/table.c", flags=flags)
assert said == "a  5000000000.00\nb         -0.01\nsum4999999999.99\n", said
with tempfile.TemporaryDirectory() as folder:
    shutil.copytree(".", pathlib.Path(folder, "w"))
    made = subprocess.run(["make", "-s", "tally", "test"], cwd=pathlib.Path(folder, "w"), capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    done = subprocess.run([pathlib.Path(folder, "w", "tally")], input="x 30000000000.25\nx 1\n", capture_output=True, text=True)
    assert done.stdout == "x  30000000001.25\nsum30000000001.25\n", done.stdout
print("solved")
