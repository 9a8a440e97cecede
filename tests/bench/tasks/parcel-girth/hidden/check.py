from itertools import permutations
from parcels.price import quote
from parcels.size import Box, billed_grams, fits, parse_box

for sides in permutations((120, 45, 45)):
    box = Box(*sides)
    assert box.girth == 300 and fits(1000, box), sides
for sides in permutations((121, 45, 45)):
    assert Box(*sides).girth == 301 and not fits(1000, Box(*sides)), sides
for sides in permutations((1, 2, 3)):
    assert Box(*sides).girth == 9
    assert (Box(*sides).length, Box(*sides).width, Box(*sides).height) == sides, "a box keeps its sides as they were given"
assert Box(50, 50, 10).girth == 170
assert parse_box("3x2x1") == Box(3, 2, 1) != Box(1, 2, 3)
assert billed_grams(500, Box(30, 20, 10)) == 1200
try:
    quote("DE", "FR", 1000, Box(45, 45, 121))
except ValueError as error:
    assert "45x45x121" in str(error)
else:
    raise AssertionError("too large, and taken")
print("solved")
