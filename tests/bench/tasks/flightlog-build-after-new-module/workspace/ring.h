#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

/* The last `capacity` records; older ones are overwritten. */
struct ring {
    struct record *slots;
    size_t capacity;
    size_t start;  /* the oldest record's slot */
    size_t count;
};

bool ring_init(struct ring *ring, size_t capacity);
void ring_free(struct ring *ring);
void ring_push(struct ring *ring, const struct record *record);

/* The record at `index`, 0 being the oldest; NULL where there is none. */
const struct record *ring_at(const struct ring *ring, size_t index);

/* Takes the oldest record out; false where the ring is empty. */
bool ring_pop(struct ring *ring, struct record *record);

#endif
