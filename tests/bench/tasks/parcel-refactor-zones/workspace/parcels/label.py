"""What is printed on the parcel."""


def check_digit(number):
    """The last digit of a tracking number: weights 3 and 1 from the right, up to the next ten."""
    total = 0
    for index, digit in enumerate(reversed(number)):
        total += int(digit) * (3 if index % 2 == 0 else 1)
    return str(-total % 10)


def tracking_number(serial):
    """'0042' and so on: twelve digits and the check digit, in groups of four."""
    body = f"{serial:012d}"
    whole = body + check_digit(body)
    return " ".join([whole[:4], whole[4:8], whole[8:12], whole[12:]])


def address_block(lines, width=32):
    """The lines of an address, cut at the width, without empty ones."""
    kept = [line.strip()[:width] for line in lines if line.strip()]
    return "\n".join(kept)


def label(serial, lines, price):
    """A label as text."""
    rule = "-" * 32
    return "\n".join([rule, address_block(lines), "", tracking_number(serial), f"EUR {price.total / 100:.2f}", rule])
