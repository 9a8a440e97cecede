#ifndef AMOUNT_H
#define AMOUNT_H

#include <stdbool.h>

#include "text.h"

/* Amounts are whole cents. */

/* Reads "-12", "12.5" or "12.50"; false where `string` is anything else. */
bool amount_parse(const char *string, long long *cents);

void amount_format(long long cents, struct text *out);

#endif
