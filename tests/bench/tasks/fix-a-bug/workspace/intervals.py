"""Closed intervals of whole numbers, as (first, last)."""


def length(interval):
    """How many numbers the interval holds; both ends are in it."""
    first, last = interval
    return last - first


def overlap(one, other):
    """The interval that is in both, or None."""
    first = max(one[0], other[0])
    last = min(one[1], other[1])
    return (first, last) if first <= last else None


def covered(intervals):
    """How many numbers are in at least one of the intervals."""
    total = 0
    end = None
    for first, last in sorted(intervals):
        if end is not None and first <= end:
            first = end + 1
        if first <= last:
            total += length((first, last))
            end = last
    return total
