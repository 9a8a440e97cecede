"""The command line: from, to, kilograms, box, postcode."""

import sys

from parcels.price import quote
from parcels.size import parse_box


def main(argv=None):
    words = sys.argv[1:] if argv is None else argv
    if len(words) not in (4, 5):
        print("usage: parcels FROM TO KILOGRAMS LxWxH [POSTCODE]", file=sys.stderr)
        return 2
    origin, target, kilograms, box, *rest = words
    try:
        price = quote(origin, target, round(float(kilograms) * 1000), parse_box(box), *rest)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"zone {price.zone}: {price.total / 100:.2f}")
    return 0
