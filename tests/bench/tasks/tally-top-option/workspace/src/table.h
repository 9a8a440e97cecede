#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

#include "text.h"

struct row {
    char *name;
    long cents;
    int count;
};

/* Sums by name, sorted by name. */
struct table {
    struct row *rows;
    size_t count, room;
};

void table_init(struct table *table);
void table_free(struct table *table);
void table_add(struct table *table, const char *name, long cents);

/* NULL where there is no such name. */
const struct row *table_find(const struct table *table, const char *name);

/* A line per name, names to the left, amounts to the right, and the sum of all. */
void table_print(const struct table *table, struct text *out);

#endif
