import sys
from pathlib import Path

from kitty.expense import parse_file
from kitty.settle import settle
from kitty.shares import balances
from kitty.show import balance_lines, payment_lines


def main(argv=None):
    words = sys.argv[1:] if argv is None else argv
    if len(words) != 2 or words[0] not in ("balance", "settle"):
        print("usage: kitty balance|settle FILE", file=sys.stderr)
        return 2
    try:
        expenses = parse_file(Path(words[1]).read_text(encoding="utf-8"))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    table = balances(expenses)
    lines = balance_lines(table) if words[0] == "balance" else payment_lines(settle(table))
    print("\n".join(lines))
    return 0
