#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* A text that grows. Always ends in a NUL, which `length` does not count. */
struct text {
    char *bytes;
    size_t length, room;
};

void text_init(struct text *text);
void text_free(struct text *text);
void text_add(struct text *text, const char *bytes, size_t length);
void text_add_string(struct text *text, const char *string);

/* Adds `string`, and as many blanks before (width > 0) or after it (width < 0) as make it that wide. */
void text_add_padded(struct text *text, const char *string, int width);

#endif
