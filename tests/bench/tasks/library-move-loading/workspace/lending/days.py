"""Days on which the library is open, and counting them. Dates are `datetime.date`."""

from datetime import date, timedelta

CLOSED_WEEKDAYS = (6,)
"""Monday is 0: the library is closed on Sundays."""


def is_open(day, holidays=()):
    """Whether the desk is open on that day."""
    return day.weekday() not in CLOSED_WEEKDAYS and day not in holidays


def next_open(day, holidays=()):
    """The day itself if the desk is open then, else the first open day after it."""
    while not is_open(day, holidays):
        day += timedelta(days=1)
    return day


def open_days_between(first, last, holidays=()):
    """How many open days there are after `first`, up to and with `last`."""
    count = 0
    day = first
    while day < last:
        day += timedelta(days=1)
        if is_open(day, holidays):
            count += 1
    return count


def parse_day(text):
    """'2024-03-01' as a date."""
    year, month, day = text.split("-")
    return date(int(year), int(month), int(day))
