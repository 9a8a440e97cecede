#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "amount.h"

void table_init(struct table *table)
{
    table->rows = NULL;
    table->count = table->room = 0;
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->rows[i].name);
    free(table->rows);
    table_init(table);
}

/* Where `name` is, or where it belongs. */
static size_t place_of(const struct table *table, const char *name)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(table->rows[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static char *copy_of(const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = malloc(size);
    if (!copy)
        abort();
    return memcpy(copy, string, size);
}

void table_add(struct table *table, const char *name, long cents)
{
    size_t place = place_of(table, name);
    if (place == table->count || strcmp(table->rows[place].name, name) != 0) {
        if (table->count == table->room) {
            table->room = table->room ? table->room * 2 : 8;
            table->rows = realloc(table->rows, table->room * sizeof *table->rows);
            if (!table->rows)
                abort();
        }
        memmove(&table->rows[place + 1], &table->rows[place], (table->count - place) * sizeof *table->rows);
        table->rows[place] = (struct row){copy_of(name), 0, 0};
        table->count++;
    }
    table->rows[place].cents += cents;
    table->rows[place].count++;
}

const struct row *table_find(const struct table *table, const char *name)
{
    size_t place = place_of(table, name);
    if (place == table->count || strcmp(table->rows[place].name, name) != 0)
        return NULL;
    return &table->rows[place];
}

static void print_line(const char *name, long cents, int width, struct text *out)
{
    struct text amount;
    text_init(&amount);
    amount_format(cents, &amount);
    text_add_padded(out, name, -width);
    text_add_padded(out, amount.bytes, 12);
    text_add_string(out, "\n");
    text_free(&amount);
}

void table_print(const struct table *table, struct text *out)
{
    size_t width = strlen("sum");
    long sum = 0;
    for (size_t i = 0; i < table->count; i++)
        if (strlen(table->rows[i].name) > width)
            width = strlen(table->rows[i].name);
    for (size_t i = 0; i < table->count; i++) {
        print_line(table->rows[i].name, table->rows[i].cents, (int)width, out);
        sum += table->rows[i].cents;
    }
    print_line("sum", sum, (int)width, out);
}
