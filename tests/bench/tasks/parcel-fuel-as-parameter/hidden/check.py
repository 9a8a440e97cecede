import contextlib, inspect, io
from parcels.cli import main
from parcels.price import cheapest_split, quote
from parcels.size import Box

for function in (quote, cheapest_split):
    parameter = inspect.signature(function).parameters["fuel"]
    assert parameter.kind is parameter.KEYWORD_ONLY and parameter.default == 8, function
box = Box(20, 10, 10)
assert [quote("DE", "DE", 900, box, fuel=percent).total for percent in (0, 8, 10, 100)] == [449, 485, 494, 898]
assert quote("DE", "ES", 900, box, "35001", fuel=1).total == 1299 + 13 + 1200
assert quote("DE", "DE", 900, box).total == 485
assert cheapest_split("DE", "DE", 40_000, Box(40, 40, 40)) == (2, 3434)
assert cheapest_split("DE", "DE", 40_000, Box(40, 40, 40), fuel=0) == (2, 3186 - 8), cheapest_split("DE", "DE", 40_000, Box(40, 40, 40), fuel=0)
def said(*words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(words))
    return code, out.getvalue()
assert said("DE", "FR", "2.4", "30x20x10") == (0, "zone 1: 12.09\n"), said("DE", "FR", "2.4", "30x20x10")
assert said("DE", "FR", "2.4", "30x20x10", "--fuel", "0") == (0, "zone 1: 11.19\n")
assert said("--fuel", "100", "DE", "FR", "2.4", "30x20x10") == (0, "zone 1: 22.38\n")
assert said("DE", "FR", "--fuel", "0", "2.4", "30x20x10", "20000") == (0, "zone 1: 23.19\n")
assert said("DE", "FR")[0] == 2 and said("DE", "FR", "--fuel", "3")[0] == 2
print("solved")
