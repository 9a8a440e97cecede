#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>

/* One line of a log: "12:30:05 1250 34.5 climb". */
struct record {
    int seconds;   /* since midnight */
    int altitude;  /* metres */
    double speed;  /* metres per second */
    char phase[16];
};

/* Reads a line into `record`; false, and `record` as it was, where it is not one. */
bool record_parse(const char *line, struct record *record);

/* Writes the line of a record, as snprintf does. */
int record_format(const struct record *record, char *out, size_t size);

#endif
