"""Prices in cents."""

from dataclasses import dataclass
from math import ceil

from parcels.size import Box, billed_grams, fits
from parcels.zones import is_remote, needs_customs, zone

BASE = (449, 899, 1299, 2499)
PER_KG = (60, 110, 180, 650)
REMOTE_FEE = 1200
CUSTOMS_FEE = 350
FUEL_PERCENT = 8


@dataclass(frozen=True)
class Quote:
    zone: int
    freight: int
    fuel: int
    extras: int

    @property
    def total(self):
        return self.freight + self.fuel + self.extras


def freight(where, grams):
    """The base price holds the first kilogram; each further one, begun or whole, costs the rate of the zone."""
    further = max(0, ceil(grams / 1000) - 1)
    return BASE[where] + further * PER_KG[where]


def quote(origin, target, grams, box, postcode=""):
    """What a parcel costs. Raises ValueError where it is too heavy or too large."""
    if not fits(grams, box):
        raise ValueError(f"{grams} g in {box.length}x{box.width}x{box.height} cm is too much")
    where = zone(origin, target)
    base = freight(where, billed_grams(grams, box))
    extras = 0
    if is_remote(target, postcode):
        extras += REMOTE_FEE
    if needs_customs(origin, target):
        extras += CUSTOMS_FEE
    return Quote(where, base, round_up(base * FUEL_PERCENT, 100), extras)


def round_up(value, unit):
    """value / unit, rounded up to a whole number."""
    return -(-value // unit)


def cheapest_split(origin, target, grams, box):
    """How many equal parcels are the cheapest for a load that may be divided, up to 10: (count, cents)."""
    best = None
    for count in range(1, 11):
        part = ceil(grams / count)
        height = max(1, ceil(box.height / count))
        try:
            cents = count * quote(origin, target, part, Box(box.length, box.width, height)).total
        except ValueError:
            continue
        if best is None or cents < best[1]:
            best = (count, cents)
    if best is None:
        raise ValueError("not even ten parcels are enough")
    return best
