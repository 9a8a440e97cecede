#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "table.h"

int main(void)
{
    struct table table;
    table_init(&table);
    char line[256];
    int number = 0;
    while (fgets(line, sizeof line, stdin)) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        char *blank = strrchr(line, ' ');
        long cents;
        if (!blank || blank == line || !amount_parse(blank + 1, &cents)) {
            fprintf(stderr, "line %d: a name and an amount are needed\n", number);
            table_free(&table);
            return 1;
        }
        *blank = '\0';
        table_add(&table, line, cents);
    }
    struct text out;
    text_init(&out);
    table_print(&table, &out);
    fputs(out.bytes, stdout);
    text_free(&out);
    table_free(&table);
    return 0;
}
