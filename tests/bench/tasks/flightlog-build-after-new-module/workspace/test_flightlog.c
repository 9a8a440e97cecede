#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "record.h"
#include "ring.h"
#include "stats.h"

static struct record at(int altitude)
{
    struct record record = {0, altitude, altitude / 10.0, "climb"};
    return record;
}

static void test_record(void)
{
    struct record record;
    char line[64];
    assert(record_parse("12:30:05 1250 34.5 climb", &record));
    assert(record.seconds == 45005 && record.altitude == 1250 && record.speed == 34.5);
    assert(strcmp(record.phase, "climb") == 0);
    record_format(&record, line, sizeof line);
    assert(strcmp(line, "12:30:05 1250 34.5 climb") == 0);
    assert(!record_parse("24:30:05 1250 34.5 climb", &record));
    assert(!record_parse("12:30:05 1250", &record));
}

static void test_ring(void)
{
    struct ring ring;
    struct record out;
    assert(ring_init(&ring, 3));
    for (int i = 1; i <= 5; i++) {
        struct record record = at(i);
        ring_push(&ring, &record);
    }
    assert(ring.count == 3);
    assert(ring_at(&ring, 0)->altitude == 3);
    assert(ring_at(&ring, 2)->altitude == 5);
    assert(ring_at(&ring, 3) == NULL);
    assert(ring_pop(&ring, &out) && out.altitude == 3);
    assert(ring.count == 2 && ring_at(&ring, 0)->altitude == 4);
    ring_free(&ring);
}

static void test_stats(void)
{
    struct ring ring;
    int altitudes[] = {100, 300, 200, 250};
    assert(ring_init(&ring, 8));
    for (int i = 0; i < 4; i++) {
        struct record record = at(altitudes[i]);
        ring_push(&ring, &record);
    }
    struct stats stats = stats_of(&ring);
    assert(stats.lowest == 100 && stats.highest == 300 && stats.climb == 250);
    assert(stats.mean_speed > 21.2 && stats.mean_speed < 21.3);
    ring_free(&ring);
}

int main(void)
{
    test_record();
    test_ring();
    test_stats();
    puts("all tests pass");
    return 0;
}
