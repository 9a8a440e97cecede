#include "text.h"

#include <stdlib.h>
#include <string.h>

void text_init(struct text *text)
{
    text->room = 16;
    text->length = 0;
    text->bytes = malloc(text->room);
    if (!text->bytes)
        abort();
    text->bytes[0] = '\0';
}

void text_free(struct text *text)
{
    free(text->bytes);
    text->bytes = NULL;
    text->length = text->room = 0;
}

void text_add(struct text *text, const char *bytes, size_t length)
{
    if (text->length + length + 1 > text->room) {
        while (text->length + length + 1 > text->room)
            text->room *= 2;
        text->bytes = realloc(text->bytes, text->room);
        if (!text->bytes)
            abort();
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_add_padded(struct text *text, const char *string, int width)
{
    size_t length = strlen(string), wanted = (size_t)abs(width);
    if (width < 0)
        text_add_string(text, string);
    for (size_t i = length; i < wanted; i++)
        text_add(text, " ", 1);
    if (width >= 0)
        text_add_string(text, string);
}
