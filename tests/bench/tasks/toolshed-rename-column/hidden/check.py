import sqlite3, pathlib
connection = sqlite3.connect(":memory:")
connection.execute("PRAGMA foreign_keys = ON")
for script in ("schema.sql", "views.sql"):
    connection.executescript(pathlib.Path(script).read_text())


def query(name):
    return connection.execute(pathlib.Path("queries", f"{name}.sql").read_text()).fetchall()


assert [row[1] for row in connection.execute("PRAGMA table_info(tool)")] == ["id", "name", "owner", "deposit"]
assert [row[1] for row in connection.execute("PRAGMA table_info(out_now)")] == ["id", "name", "person", "from_day", "deposit"]
for path in pathlib.Path(".").rglob("*.sql"):
    code = "\n".join(line.partition("--")[0] for line in path.read_text().splitlines())
    assert "label" not in code, path
connection.executescript(pathlib.Path("sample.sql").read_text())
connection.execute("INSERT INTO tool (name, owner) VALUES ('axe', 'Bo')")
assert query("out") == [("ladder", "Eva", "2024-03-05"), ("drill", "Eva", "2024-03-10")]
assert query("popular") == [("drill", 2, 3), ("ladder", 1, 0), ("saw", 1, 3), ("axe", 0, 0)]
assert query("deposits") == [("Eva", 2000)]
assert query("owners") == [("Ada", "drill, saw"), ("Bo", "axe, ladder")]
assert connection.execute("SELECT owner, deposit FROM tool WHERE name = 'saw'").fetchall() == [("Ada", 1500)]
print("solved")
