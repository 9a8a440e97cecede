"""Loans: made, renewed, returned."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from lending.days import next_open
from lending.people import Member

MAX_RENEWALS = 2


class NotAllowed(Exception):
    """The desk says no; the message says why."""


@dataclass(frozen=True)
class Loan:
    member: Member
    book: str
    since: date
    due: date
    renewals: int = 0
    returned: date | None = None

    @property
    def is_open(self):
        return self.returned is None


class Desk:
    """All loans, in the order in which they were made."""

    def __init__(self, holidays=()):
        self.holidays = frozenset(holidays)
        self.loans = []

    def open_loans(self, member):
        return [loan for loan in self.loans if loan.is_open and loan.member == member]

    def lend(self, member, book, today):
        """A new loan. Raises NotAllowed where the book is out or the member has enough."""
        if any(loan.book == book for loan in self.loans if loan.is_open):
            raise NotAllowed(f"{book} is out")
        if len(self.open_loans(member)) >= member.limit:
            raise NotAllowed(f"{member.name} has {member.limit} books already")
        due = next_open(today + timedelta(days=member.loan_days), self.holidays)
        loan = Loan(member, book, today, due)
        self.loans.append(loan)
        return loan

    def renew(self, book, today):
        """The same loan with a later day. An overdue book cannot be renewed."""
        loan = self._find(book)
        if loan.renewals >= MAX_RENEWALS:
            raise NotAllowed(f"{book} was renewed {MAX_RENEWALS} times")
        if today > loan.due:
            raise NotAllowed(f"{book} is overdue")
        due = next_open(today + timedelta(days=loan.member.loan_days), self.holidays)
        return self._put(loan, replace(loan, due=max(due, loan.due), renewals=loan.renewals + 1))

    def give_back(self, book, today):
        """Ends the loan."""
        loan = self._find(book)
        return self._put(loan, replace(loan, returned=today))

    def _find(self, book):
        for loan in self.loans:
            if loan.book == book and loan.is_open:
                return loan
        raise NotAllowed(f"{book} is not lent")

    def _put(self, old, new):
        self.loans[self.loans.index(old)] = new
        return new
