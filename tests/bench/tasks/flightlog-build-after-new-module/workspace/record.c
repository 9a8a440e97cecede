#include "record.h"

#include <stdio.h>

bool record_parse(const char *line, struct record *record)
{
    int hour, minute, second, end = 0;
    struct record found;
    int fields = sscanf(line, "%2d:%2d:%2d %d %lf %15s %n", &hour, &minute, &second, &found.altitude, &found.speed,
                        found.phase, &end);
    if (fields != 6 || line[end] != '\0')
        return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    found.seconds = (hour * 60 + minute) * 60 + second;
    *record = found;
    return true;
}

int record_format(const struct record *record, char *out, size_t size)
{
    int hour = record->seconds / 3600, minute = record->seconds / 60 % 60, second = record->seconds % 60;
    return snprintf(out, size, "%02d:%02d:%02d %d %.1f %s", hour, minute, second, record->altitude, record->speed,
                    record->phase);
}
