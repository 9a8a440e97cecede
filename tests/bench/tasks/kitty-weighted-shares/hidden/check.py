import subprocess, sys
def python(*words, **more):
    return subprocess.run([sys.executable, "-B", *words], capture_output=True, text=True, **more)

from kitty.expense import Expense, parse_expense, parse_file
from kitty.shares import balances, shares

def parsed(rest):
    return parse_expense("2024-07-01 Ada 120.00 " + rest)
assert parsed("boat @Ada*4 @Bo*2") == Expense("2024-07-01", "Ada", 12000, "boat", ("Ada", "Bo"), (4, 2))
assert parsed("boat @Ada @Bo") == Expense("2024-07-01", "Ada", 12000, "boat", ("Ada", "Bo")) and parsed("boat @Ada @Bo").weights == ()
assert parsed("boat @Ada*1 @Bo").weights == () and parsed("boat @Ada*1 @Bo").people == ("Ada", "Bo")
assert parsed("a @Cy*12 * b @Bo 2*3").weights == (12, 1) and parsed("a @Cy*12 * b @Bo 2*3").text == "a * b 2*3"
assert parsed("boat").people == () == parsed("boat").weights
for bad in ("@Ada*0", "@Ada*", "@Ada*x", "@*2", "@Ada*-1", "@Ada*1.5", "@Ada*2*2", "@Ada*2 @Bo*"):
    try:
        got = parsed("boat " + bad)
    except ValueError as error:
        assert "not an expense" in str(error) and bad in str(error)
    else:
        raise AssertionError((bad, got))
def split(cents, people, weights=(), names=("Al", "Bo")):
    return shares(Expense("2024-07-01", "Al", cents, "x", people, weights), list(names))
assert split(12000, ("Ada", "Bo"), (4, 2)) == {"Ada": 8000, "Bo": 4000}
assert split(100, ("Cy", "Al", "Bo"), (1, 1, 4)) == {"Al": 17, "Bo": 67, "Cy": 16}
assert split(101, ("Cy", "Al", "Bo"), (2, 2, 2)) == {"Al": 34, "Bo": 34, "Cy": 33}
assert split(10, ("Bo", "Al", "Bo"), (1, 1, 2)) == {"Al": 3, "Bo": 7}
assert split(1000, ("Cy", "Bo", "Al", "Bo")) == {"Al": 334, "Bo": 333, "Cy": 333}
assert split(3, ()) == {"Al": 2, "Bo": 1}
table = balances(parse_file("2024-07-01 Ada 120.00 boat @Ada*4 @Bo*2\n2024-07-02 Cy 1.00 tea\n"))
assert table == {"Ada": 4000 - 34, "Bo": -4000 - 33, "Cy": 67}, table
done = python("-m", "unittest", "-q")
assert done.returncode == 0, done.stderr
print("solved")
