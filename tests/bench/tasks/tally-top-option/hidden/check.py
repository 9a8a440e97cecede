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


SOURCE = r"""
#include <stdio.h>
#include "table.h"
int main(void)
{
    struct table table;
    struct text out;
    table_init(&table);
    text_init(&out);
    table_print_top(&table, 3, &out);
    table_add(&table, "a long name", -5);
    table_add(&table, "b", 100);
    table_add(&table, "d", 300);
    table_add(&table, "c", 300);
    table_print_top(&table, 2, &out);
    table_print_top(&table, 0, &out);
    table_print_top(&table, 9, &out);
    table_print(&table, &out);
    fputs(out.bytes, stdout);
    text_free(&out);
    table_free(&table);
    return 0;
}
"""
def rows(width, *pairs):
    return "".join(f"{name:<{width}}{amount:>12}\n" for name, amount in pairs)
everything = [("c", "3.00"), ("d", "3.00"), ("b", "1.00"), ("a long name", "-0.05"), ("sum", "6.95")]
expected = rows(3, ("sum", "0.00")) + rows(3, ("c", "3.00"), ("d", "3.00"), ("sum", "6.95")) + rows(11, *everything) * 2
expected += rows(11, ("a long name", "-0.05"), ("b", "1.00"), ("c", "3.00"), ("d", "3.00"), ("sum", "6.95"))
said = build(SOURCE, "src/text.c", "src/amount.c", "src/table.c")
assert said == expected, said
with tempfile.TemporaryDirectory() as folder:
    tree = pathlib.Path(folder, "w")
    shutil.copytree(".", tree)
    made = subprocess.run(["make", "-s", "tally", "test"], cwd=tree, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    def tally(*words):
        done = subprocess.run([tree / "tally", *words], input="tea 2\ncoffee 3.5\nmilk 3.50\n", capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr
    assert tally("--top", "2") == (0, rows(6, ("coffee", "3.50"), ("milk", "3.50"), ("sum", "9.00")), ""), tally("--top", "2")
    assert tally("--top", "77")[1] == rows(6, ("coffee", "3.50"), ("milk", "3.50"), ("tea", "2.00"), ("sum", "9.00"))
    assert tally() == (0, rows(6, ("coffee", "3.50"), ("milk", "3.50"), ("tea", "2.00"), ("sum", "9.00")), "")
    for words in (["--top"], ["--top", "0"], ["--top", "x"], ["--top", "2x"], ["--top", ""], ["2"], ["--top", "1", "1"]):
        assert tally(*words) == (2, "", "usage: tally [--top N]\n"), (words, tally(*words))
print("solved")
