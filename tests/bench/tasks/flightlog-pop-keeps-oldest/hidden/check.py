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
#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include "ring.h"
int main(void)
{
    for (size_t capacity = 1; capacity < 6; capacity++) {
        struct ring ring;
        struct record record = {0, 0, 0.0, "x"};
        int next = 0, oldest = 0;
        size_t count = 0;
        assert(ring_init(&ring, capacity));
        assert(!ring_pop(&ring, &record) && ring_at(&ring, 0) == NULL);
        for (int step = 0; step < 200; step++) {
            if (step * 7 % 11 < 7) {
                record.altitude = next++;
                ring_push(&ring, &record);
                if (count < capacity) count++; else oldest++;
            } else if (count) {
                assert(ring_pop(&ring, &record) && record.altitude == oldest);
                oldest++; count--;
            } else assert(!ring_pop(&ring, &record));
            assert(ring.count == count);
            for (size_t i = 0; i < count; i++) assert(ring_at(&ring, i)->altitude == oldest + (int)i);
            assert(ring_at(&ring, count) == NULL);
        }
        ring_free(&ring);
    }
    puts("ok");
    return 0;
}
"""
assert build(SOURCE, "ring.c", "record.c").endswith("ok\n")
original = pathlib.Path(os.environ["KAAJ_TASK"], "workspace", "test_flightlog.c").read_text()
assert "pass" in build(original, "ring.c", "record.c", "stats.c")
print("solved")
