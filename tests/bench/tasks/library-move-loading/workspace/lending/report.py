"""Lists for the desk, as text."""

import json
import sys

from lending.days import parse_day
from lending.fees import fee
from lending.loans import Desk, NotAllowed
from lending.people import Member, by_number


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}"


def overdue_lines(desk, today):
    """A line per overdue book, the longest overdue first: title, name, due day, fee."""
    late = [loan for loan in desk.loans if loan.is_open and loan.due < today]
    late.sort(key=lambda loan: (loan.due, loan.book))
    width = max((len(loan.book) for loan in late), default=0)
    return [
        f"{loan.book:<{width}}  {loan.member.name}, due {loan.due}, {money(fee(loan, today, desk.holidays))}"
        for loan in late
    ]


def member_lines(desk, member, today):
    """What a member has at home."""
    lines = [f"{member.name} ({member.kind}), {len(desk.open_loans(member))} of {member.limit}"]
    for loan in desk.open_loans(member):
        mark = "!" if loan.due < today else " "
        lines.append(f"{mark} {loan.book} until {loan.due}")
    return lines


def load(text):
    """A desk out of JSON: {"holidays": [day], "members": [{number, name, kind}], "loans": [{member, book, since}]}."""
    table = json.loads(text)
    members = by_number(Member(row["number"], row["name"], row.get("kind", "adult")) for row in table["members"])
    desk = Desk(parse_day(day) for day in table.get("holidays", ()))
    for row in table["loans"]:
        desk.lend(members[row["member"]], row["book"], parse_day(row["since"]))
    return desk


def main(argv):
    path, today = argv
    with open(path, encoding="utf-8") as file:
        try:
            desk = load(file.read())
        except NotAllowed as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 1
    print("\n".join(overdue_lines(desk, parse_day(today))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
