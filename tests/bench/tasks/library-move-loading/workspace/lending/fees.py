"""What a late book costs, in cents."""

from lending.days import open_days_between

CENTS_PER_DAY = {"child": 5, "adult": 20, "school": 0}
GRACE_DAYS = 2
MAX_CENTS = 1000


def late_days(loan, today, holidays=()):
    """Open days after the due day on which the book was still out, up to `today`."""
    end = loan.returned or today
    return open_days_between(loan.due, end, holidays)


def fee(loan, today, holidays=()):
    """Nothing within the days of grace; after them every late day counts, the days of grace too."""
    days = late_days(loan, today, holidays)
    if days <= GRACE_DAYS:
        return 0
    return min(days * CENTS_PER_DAY[loan.member.kind], MAX_CENTS)


def total(loans, today, holidays=()):
    return sum(fee(loan, today, holidays) for loan in loans)
