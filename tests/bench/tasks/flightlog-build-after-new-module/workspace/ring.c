#include "ring.h"

#include <stdlib.h>

bool ring_init(struct ring *ring, size_t capacity)
{
    ring->slots = capacity ? calloc(capacity, sizeof *ring->slots) : NULL;
    ring->capacity = ring->slots ? capacity : 0;
    ring->start = ring->count = 0;
    return ring->slots != NULL;
}

void ring_free(struct ring *ring)
{
    free(ring->slots);
    ring->slots = NULL;
    ring->capacity = ring->start = ring->count = 0;
}

void ring_push(struct ring *ring, const struct record *record)
{
    ring->slots[(ring->start + ring->count) % ring->capacity] = *record;
    if (ring->count < ring->capacity)
        ring->count++;
    else
        ring->start = (ring->start + 1) % ring->capacity;
}

const struct record *ring_at(const struct ring *ring, size_t index)
{
    if (index >= ring->count)
        return NULL;
    return &ring->slots[(ring->start + index) % ring->capacity];
}

bool ring_pop(struct ring *ring, struct record *record)
{
    if (ring->count == 0)
        return false;
    *record = ring->slots[ring->start];
    ring->start = (ring->start + 1) % ring->capacity;
    ring->count--;
    return true;
}
