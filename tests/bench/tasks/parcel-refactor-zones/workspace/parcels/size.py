"""Weights in grams, lengths in centimetres."""

from dataclasses import dataclass
from math import ceil

CUBIC_CM_PER_KG = 5000
MAX_GRAMS = 31_500
MAX_GIRTH = 300


@dataclass(frozen=True)
class Box:
    length: int
    width: int
    height: int

    @property
    def girth(self):
        """The longest side plus once around the other two."""
        longest, *others = sorted((self.length, self.width, self.height), reverse=True)
        return longest + 2 * sum(others)

    @property
    def volume(self):
        return self.length * self.width * self.height


def parse_box(text):
    """'30x20x10' as a Box; parts of a centimetre are rounded up."""
    sides = [ceil(float(side)) for side in text.lower().split("x")]
    if len(sides) != 3 or min(sides) < 1:
        raise ValueError(f"{text!r} is not a box")
    return Box(*sides)


def billed_grams(grams, box):
    """The real weight or that of the volume, whichever is more."""
    return max(grams, box.volume * 1000 // CUBIC_CM_PER_KG)


def fits(grams, box):
    return grams <= MAX_GRAMS and box.girth <= MAX_GIRTH
