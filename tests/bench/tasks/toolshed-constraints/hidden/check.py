import sqlite3, pathlib
connection = sqlite3.connect(":memory:")
connection.execute("PRAGMA foreign_keys = ON")
for script in ("schema.sql", "views.sql"):
    connection.executescript(pathlib.Path(script).read_text())


def query(name):
    return connection.execute(pathlib.Path("queries", f"{name}.sql").read_text()).fetchall()


import subprocess, sys
connection.executescript(pathlib.Path("sample.sql").read_text())
assert [row[1] for row in connection.execute("PRAGMA table_info(lending)")] == ["id", "tool", "person", "from_day", "until_day"]
def refused(statement, *values):
    try:
        connection.execute(statement, values)
    except sqlite3.IntegrityError:
        return
    raise AssertionError(f"taken: {statement} {values}")
lend = "INSERT INTO lending (tool, person, from_day, until_day) VALUES (?, 'X', ?, ?)"
for day in ("1.3.2024", "2024-02-30", "2023-02-29", "2024-03-01 10:00", "", "2024-3-1", "2024-13-01", "today", "12:00", "20240301", "2024-03-01 ", "2460000"):
    refused(lend, 3, day, None)
    refused(lend, 3, day, "2999-01-01")
    refused(lend, 3, "2000-01-01", day)
    refused("UPDATE lending SET until_day = ? WHERE tool = 3", day)
refused(lend, 3, None, None)
refused(lend, 3, "2024-03-02", "2024-03-01")
connection.execute(lend, (3, "2024-03-02", "2024-03-02"))
connection.execute(lend, (3, "2024-02-29", "2024-03-02"))
refused("UPDATE lending SET from_day = '2025-01-01' WHERE until_day IS NOT NULL")
refused(lend, 1, "2024-03-20", None)
connection.execute(lend, (1, "2024-03-20", "2024-03-21"))
connection.execute(lend, (3, "2024-03-20", None))
refused(lend, 3, "2024-03-21", None)
refused("UPDATE lending SET until_day = NULL WHERE tool = 1")
connection.execute("UPDATE lending SET until_day = '2024-03-30' WHERE until_day IS NULL")
connection.execute(lend, (1, "2024-03-31", None))
refused("INSERT INTO tool (label, owner, deposit) VALUES ('x', 'y', -1)")
refused("UPDATE tool SET deposit = -1")
connection.execute("INSERT INTO tool (label, owner) VALUES ('x', 'y')")
connection.execute("INSERT INTO tool (label, owner, deposit) VALUES ('z', 'y', 0)")
refused(lend, 99, "2024-03-31", None)
import os
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
def run():
    return subprocess.run([sys.executable, "-B", "test.py"], capture_output=True, text=True)
done = run()
assert done.returncode == 0, done.stderr
path = pathlib.Path("schema.sql")
now = path.read_text()
try:
    path.write_text((root / "schema.sql").read_text())
    assert run().returncode != 0, "test.py does not notice when the constraints are gone"
finally:
    path.write_text(now)
print("solved")
