#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "table.h"
#include "text.h"

static void test_text(void)
{
    struct text text;
    text_init(&text);
    for (int i = 0; i < 10; i++)
        text_add_string(&text, "abcdefghij");
    assert(text.length == 100 && strlen(text.bytes) == 100);
    text_free(&text);
    text_init(&text);
    text_add_padded(&text, "ab", 4);
    text_add_padded(&text, "ab", -4);
    text_add_string(&text, "|");
    assert(strcmp(text.bytes, "  abab  |") == 0);
    text_free(&text);
}

static void test_amount(void)
{
    long long cents = 0;
    assert(amount_parse("12.5", &cents) && cents == 1250);
    assert(amount_parse("-0.05", &cents) && cents == -5);
    assert(!amount_parse("12.", &cents) && !amount_parse("", &cents) && !amount_parse("1.234", &cents));
}

static void test_table(void)
{
    struct table table;
    struct text out;
    table_init(&table);
    text_init(&out);
    table_add(&table, "tea", 250);
    table_add(&table, "coffee", 1000);
    table_add(&table, "tea", -50);
    assert(table.count == 2 && table_find(&table, "tea")->cents == 200 && table_find(&table, "tea")->count == 2);
    assert(table_find(&table, "milk") == NULL);
    table_print(&table, &out);
    assert(strcmp(out.bytes, "coffee       10.00\n"
                             "tea           2.00\n"
                             "sum          12.00\n") == 0);
    text_free(&out);
    table_free(&table);
}

int main(void)
{
    test_text();
    test_amount();
    test_table();
    puts("all tests pass");
    return 0;
}
