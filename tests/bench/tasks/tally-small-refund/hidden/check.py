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
#include "amount.h"
int main(void)
{
    long amounts[] = {0, 5, -5, 30, -30, 99, -99, 100, -100, -101, -199, 1234567, -1234567};
    for (unsigned i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        struct text text;
        text_init(&text);
        text_add_string(&text, ">");
        amount_format(amounts[i], &text);
        puts(text.bytes);
        long back = 1;
        if (!amount_parse(text.bytes + 1, &back) || back != amounts[i]) puts("differs");
        text_free(&text);
    }
    return 0;
}
"""
said = build(SOURCE, "src/text.c", "src/amount.c").split()
assert said == [">0.00", ">0.05", ">-0.05", ">0.30", ">-0.30", ">0.99", ">-0.99", ">1.00", ">-1.00", ">-1.01", ">-1.99", ">12345.67", ">-12345.67"], said
original = pathlib.Path(os.environ["KAAJ_TASK"], "workspace/test/test_tally.c").read_text()
assert "pass" in build(original, "src/text.c", "src/amount.c", "src/table.c")
print("solved")
