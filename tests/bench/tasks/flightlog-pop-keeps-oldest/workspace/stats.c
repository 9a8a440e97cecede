#include "stats.h"

struct stats stats_of(const struct ring *ring)
{
    struct stats stats = {0, 0, 0.0, 0};
    double sum = 0.0;
    for (size_t i = 0; i < ring->count; i++) {
        const struct record *now = ring_at(ring, i);
        if (i == 0 || now->altitude < stats.lowest)
            stats.lowest = now->altitude;
        if (i == 0 || now->altitude > stats.highest)
            stats.highest = now->altitude;
        sum += now->speed;
        if (i > 0) {
            int up = now->altitude - ring_at(ring, i - 1)->altitude;
            if (up > 0)
                stats.climb += up;
        }
    }
    if (ring->count > 0)
        stats.mean_speed = sum / (double)ring->count;
    return stats;
}
