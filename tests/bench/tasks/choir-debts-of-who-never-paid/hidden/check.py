import sqlite3, pathlib
connection = sqlite3.connect(":memory:")
connection.execute("PRAGMA foreign_keys = ON")
for script in ("schema.sql", "views.sql"):
    connection.executescript(pathlib.Path(script).read_text())


def query(name):
    return connection.execute(pathlib.Path("queries", f"{name}.sql").read_text()).fetchall()


connection.executescript("""
INSERT INTO singer VALUES (1, 'Zoe', 'alto', '2023-01-01', NULL), (2, 'Bo', 'bass', '2023-01-01', NULL), (3, 'Al', 'bass', '2023-01-01', NULL),
    (4, 'Gone', 'bass', '2023-01-01', '2024-02-01'), (5, 'Rich', 'tenor', '2023-01-01', NULL), (6, 'Even', 'tenor', '2023-01-01', NULL), (7, 'Early', 'tenor', '2023-01-01', NULL);
INSERT INTO fee VALUES (2, 2023, 6000), (3, 2024, 1), (3, 2023, 9999), (3, 2025, 9999), (5, 2024, 9000), (6, 2024, 2000), (6, 2024, 4000), (7, 2025, 6000);
""")
got = query("debts")
assert got == [("Bo", 6000), ("Early", 6000), ("Zoe", 6000), ("Al", 5999)], got
connection.execute("DELETE FROM fee")
assert [row[0] for row in query("debts")] == ["Al", "Bo", "Early", "Even", "Rich", "Zoe"]
connection.execute("UPDATE singer SET left_on = '2024-01-01'")
assert query("debts") == []
print("solved")
