import sqlite3, pathlib
connection = sqlite3.connect(":memory:")
connection.execute("PRAGMA foreign_keys = ON")
for script in ("schema.sql", "views.sql"):
    connection.executescript(pathlib.Path(script).read_text())


def query(name):
    return connection.execute(pathlib.Path("queries", f"{name}.sql").read_text()).fetchall()


connection.executescript("""
INSERT INTO singer VALUES (1, 'Ada', 'alto', '2023-01-01', NULL), (2, 'Bo', 'bass', '2023-01-01', NULL), (3, 'Al', 'bass', '2024-01-03', NULL),
    (4, 'Gone', 'bass', '2023-01-01', '2024-02-01'), (5, 'New', 'tenor', '2024-01-04', NULL), (6, 'Two', 'tenor', '2023-01-01', NULL), (7, 'Odd', 'tenor', '2023-01-01', NULL), (8, 'Guest', 'tenor', '2024-01-03', NULL);
INSERT INTO rehearsal VALUES (9, '2024-01-01', 'a'), (8, '2024-01-02', 'b'), (7, '2024-01-03', 'c'), (6, '2024-01-04', 'd'), (5, '2024-01-05', 'e');
INSERT INTO attendance VALUES (1, 9), (2, 8), (6, 7), (7, 9), (7, 6), (7, 8), (8, 8);
""")
got = query("absent")
assert got == [("Ada", 4), ("Al", 3), ("Bo", 3), ("Guest", 3)], got
connection.execute("INSERT INTO rehearsal VALUES (4, '2024-01-06', 'f')")
got = query("absent")
assert got == [("Ada", 5), ("Al", 4), ("Bo", 4), ("Guest", 4), ("New", 3), ("Two", 3)], got
connection.execute("INSERT INTO attendance VALUES (1, 4)")
assert query("absent")[0] == ("Al", 4)
connection.execute("DELETE FROM attendance"); connection.execute("DELETE FROM rehearsal")
assert query("absent") == []
print("solved")
