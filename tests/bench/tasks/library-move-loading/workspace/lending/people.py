"""Members and what they are entitled to."""

from dataclasses import dataclass

LIMITS = {"child": 5, "adult": 10, "school": 40}
LOAN_DAYS = {"child": 28, "adult": 21, "school": 60}


@dataclass(frozen=True)
class Member:
    number: int
    name: str
    kind: str = "adult"

    @property
    def limit(self):
        """Books at the same time."""
        return LIMITS[self.kind]

    @property
    def loan_days(self):
        return LOAN_DAYS[self.kind]


def by_number(members):
    """Members by their number. Raises ValueError where two have the same."""
    table = {}
    for member in members:
        if member.number in table:
            raise ValueError(f"member {member.number} is there twice")
        table[member.number] = member
    return table
