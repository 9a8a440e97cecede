import pathlib, subprocess, sys
from datetime import date
from lending.days import parse_day

assert parse_day("2024-03-01") == date(2024, 3, 1)
assert parse_day("2024-02-29") == date(2024, 2, 29)
bad = ["", "-", "2024", "2024-03", "2024-3-1", "2024-03-1", " 2024-03-01", "2024-03-01\n", "+2024-03-01", "2024-03-01-04",
       "24-03-01", "02024-03-01", "2024/03/01", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-32", "2024-01-00",
       "0000-01-01", "\u0662\u0660\u0662\u0664-03-01", "abcd-ef-gh", "2_24-03-01", "2024- 3-01"]
for text in bad:
    try:
        day = parse_day(text)
    except ValueError as error:
        assert repr(text) in str(error), (text, str(error))
    else:
        raise AssertionError(f"{text!r} was taken for {day}")

# The new tests pass, and they notice when the validation is gone.
def run():
    return subprocess.run([sys.executable, "-B", "-m", "unittest", "-q", "tests.test_days"], capture_output=True, text=True)
done = run()
assert done.returncode == 0 and "Ran 0" not in done.stderr, done.stderr
path = pathlib.Path("lending/days.py")
now = path.read_text()
try:
    path.write_text(now + "\n\ndef parse_day(text):\n    year, month, day = text.split('-')\n    return date(int(year), int(month), int(day))\n")
    assert run().returncode != 0, "the tests do not notice"
finally:
    path.write_text(now)
print("solved")
