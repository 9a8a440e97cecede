from parcels.price import quote
from parcels.size import Box
from parcels.zones import REMOTE, is_remote

assert REMOTE == {"ES": ("35", "38", "51", "52"), "PT": ("90", "91", "92", "93", "94", "95"), "FR": ("20",)}
for country, prefixes in REMOTE.items():
    for number in range(100):
        code = f"{number:02d}123"
        assert is_remote(country, code) == (code[:2] in prefixes), (country, code)
assert is_remote("FR", " 20137 ") and is_remote("PT", "9000-018")
for country in ("DE", "US", "FR", "ES"):
    assert is_remote(country, "") is False
    assert is_remote(country, "2") is False
assert not is_remote("DE", "35001")
box = Box(20, 10, 10)
assert quote("DE", "FR", 900, box, "25000").total == 971
assert quote("DE", "FR", 900, box, "20200").total == 2171
assert quote("DE", "ES", 900, box, "30001").extras == 0
print("solved")
