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


for name in ("ring.h", "ring.c", "record.h", "record.c", "test_flightlog.c", "Makefile"):
    now, then = pathlib.Path(name).read_text(), pathlib.Path(os.environ["KAAJ_TASK"], "workspace", name).read_text()
    assert now == then, f"{name} changed"
SOURCE = r"""
#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include "stats.h"
static struct stats of(size_t capacity, const int *altitudes, int count)
{
    struct ring ring;
    assert(ring_init(&ring, capacity));
    for (int i = 0; i < count; i++) {
        struct record record = {i, altitudes[i], i * 2.0, "x"};
        ring_push(&ring, &record);
    }
    struct stats stats = stats_of(&ring);
    assert(ring.count == ((size_t)count < capacity ? (size_t)count : capacity));
    ring_free(&ring);
    return stats;
}
int main(void)
{
    int altitudes[] = {500, -20, 10, 5, 5, 40, 39};
    struct stats s = of(10, altitudes, 7);
    printf("%d %d %d %.2f\n", s.lowest, s.highest, s.climb, s.mean_speed);
    s = of(3, altitudes, 7);
    printf("%d %d %d %.2f\n", s.lowest, s.highest, s.climb, s.mean_speed);
    s = of(10, altitudes, 1);
    printf("%d %d %d %.2f\n", s.lowest, s.highest, s.climb, s.mean_speed);
    s = of(10, altitudes, 0);
    printf("%d %d %d %.2f\n", s.lowest, s.highest, s.climb, s.mean_speed);
    s = of(10, altitudes + 1, 1);
    printf("%d %d %d %.2f\n", s.lowest, s.highest, s.climb, s.mean_speed);
    return 0;
}
"""
said = build(SOURCE, "ring.c", "record.c", "stats.c")
assert said == "-20 500 65 6.00\n5 40 35 10.00\n500 500 0 0.00\n0 0 0 0.00\n-20 -20 0 0.00\n", said
print("solved")
