import os, pathlib, random, sys

sys.path.insert(0, str(pathlib.Path(os.environ["KAAJ_TASK"], "setup")))
import make

files = make.files()
changed = [path for path, text in files.items() if not pathlib.Path(path).is_file() or pathlib.Path(path).read_text() != text]
assert changed == ["core/apportion.py"], changed
from core.apportion import apportion
from services.billing.invoice import invoice
from services.payroll import shares

assert apportion(100, [1, 1, 1]) == [34, 33, 33]
assert apportion(101, [1000, 500, 500]) == [51, 25, 25]
assert apportion(1, [1, 900, 899]) == [0, 1, 0]
assert apportion(7, [0, 5, 0, 5]) == [0, 4, 0, 3]
assert apportion(0, [1, 2]) == [0, 0] and apportion(5, [3]) == [5]
dice = random.Random(3)
for _ in range(500):
    weights = [dice.randrange(50) for _ in range(dice.randrange(1, 8))]
    cents = dice.randrange(1000)
    total = sum(weights)
    if not total:
        continue
    parts = apportion(cents, weights)
    assert sum(parts) == cents
    rest = [cents * weight % total for weight in weights]
    up = [index for index in range(len(weights)) if parts[index] != cents * weights[index] // total]
    assert sorted(up) == sorted(sorted(range(len(weights)), key=lambda index: (-rest[index], index))[: len(up)])
for bad in ([], [0, 0], [-1, 2]):
    try:
        apportion(5, bad)
    except ValueError:
        continue
    raise AssertionError(bad)
assert invoice([("a", 1, 0), ("b", 900, 0), ("c", 899, 0)], 1)[0] == "a: 0.01"
print("solved")
