"""Countries and the zones between them."""

HOME = "DE"
NEIGHBOURS = frozenset({"AT", "BE", "CH", "CZ", "DK", "FR", "LU", "NL", "PL"})
UNION = frozenset({"AT", "BE", "CZ", "DE", "DK", "ES", "FI", "FR", "IE", "IT", "LU", "NL", "PL", "PT", "SE"})
REMOTE = {"ES": ("35", "38", "51", "52"), "PT": ("90", "91", "92", "93", "94", "95"), "FR": ("20",)}
"""The first digits of postcodes that cost more: islands, mostly."""


def zone(origin, target):
    """0 at home, 1 next door, 2 in the union, 3 the world."""
    if origin == target:
        return 0
    if origin == HOME and target in NEIGHBOURS or target == HOME and origin in NEIGHBOURS:
        return 1
    if origin in UNION and target in UNION:
        return 2
    return 3


def is_remote(country, postcode):
    """Whether the carrier has to take a boat."""
    return postcode.strip().startswith(REMOTE.get(country, ()))


def needs_customs(origin, target):
    """Papers are needed where a parcel leaves or enters the union."""
    return origin != target and not (origin in UNION and target in UNION)
