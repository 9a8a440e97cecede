#include "amount.h"

#include <ctype.h>
#include <stdio.h>

bool amount_parse(const char *string, long *cents)
{
    bool minus = *string == '-';
    if (minus)
        string++;
    if (!isdigit((unsigned char)*string))
        return false;
    long whole = 0;
    while (isdigit((unsigned char)*string))
        whole = whole * 10 + (*string++ - '0');
    long part = 0;
    if (*string == '.') {
        string++;
        if (!isdigit((unsigned char)*string))
            return false;
        part = (*string++ - '0') * 10;
        if (isdigit((unsigned char)*string))
            part += *string++ - '0';
    }
    if (*string != '\0')
        return false;
    *cents = (whole * 100 + part) * (minus ? -1 : 1);
    return true;
}

void amount_format(long cents, struct text *out)
{
    char buffer[32];
    long positive = cents < 0 ? -cents : cents;
    snprintf(buffer, sizeof buffer, "%s%ld.%02ld", cents < 0 ? "-" : "", positive / 100, positive % 100);
    text_add_string(out, buffer);
}
