#ifndef STATS_H
#define STATS_H

struct stats {
    int lowest, highest;   /* metres */
    double mean_speed;     /* metres per second */
    int climb;             /* all metres that it went up, one by one */
};

/* Of all records in the ring; all zero where there are none. */
struct stats stats_of(const struct ring *ring);

#endif
