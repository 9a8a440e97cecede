from mixtape.booklet import side_lines
from mixtape.tape import GAP, Side, in_order, packed
from mixtape.track import Track

def track(seconds):
    return Track("t", "", seconds)
side = Side("A", 100)
assert (side.used(), side.room()) == (0, 100)
assert side.takes(track(100)) and not side.takes(track(101))
side.add(track(40))
assert (side.used(), side.room()) == (40, 60)
assert side.takes(track(57)) and not side.takes(track(58))
side.add(track(20))
assert (side.used(), side.room()) == (63, 37)
assert side.takes(track(34)) and not side.takes(track(35))
side.add(track(34))
assert (side.used(), side.room()) == (100, 0) and not side.takes(track(0))
try:
    side.add(track(1))
except ValueError:
    pass
else:
    raise AssertionError("too much")
assert side_lines(side)[0].split() == ["Side", "A", "1:40"]
assert GAP == 3
a, b, rest = in_order([track(50), track(47), track(100), track(1)], 100)
assert [len(a.tracks), len(b.tracks), len(rest)] == [2, 1, 1]
a, b, rest = packed([track(50), track(50), track(47), track(47)], 100)
assert (a.used(), b.used(), rest) == (100, 100, [])
print("solved")
