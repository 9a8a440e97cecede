"""Runs the queries on a database made of schema.sql, views.sql and a data file: python3 run.py NAME [data.sql]."""

import pathlib
import sqlite3
import sys

HERE = pathlib.Path(__file__).parent


def database(*scripts):
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA foreign_keys = ON")
    for script in ("schema.sql", "views.sql", *scripts):
        connection.executescript((HERE / script).read_text(encoding="utf-8"))
    return connection


def query(connection, name):
    return connection.execute((HERE / "queries" / f"{name}.sql").read_text(encoding="utf-8")).fetchall()


if __name__ == "__main__":
    for row in query(database(*sys.argv[2:] or ["sample.sql"]), sys.argv[1]):
        print(*row, sep="\t")
