#include <stdio.h>
#include <string.h>

#include "record.h"
#include "ring.h"
#include "stats.h"

#define LAST 1000

int main(void)
{
    struct ring ring;
    if (!ring_init(&ring, LAST)) {
        fputs("no memory\n", stderr);
        return 1;
    }
    char line[256];
    int number = 0, bad = 0;
    while (fgets(line, sizeof line, stdin)) {
        struct record record;
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        if (record_parse(line, &record))
            ring_push(&ring, &record);
        else {
            fprintf(stderr, "line %d is not a record\n", number);
            bad++;
        }
    }
    struct stats stats = stats_of(&ring);
    printf("%zu records, %d to %d m, %d m climbed, %.1f m/s\n", ring.count, stats.lowest, stats.highest, stats.climb,
           stats.mean_speed);
    ring_free(&ring);
    return bad ? 2 : 0;
}
