"""Runs a query of the folder queries/ on a fresh database: python3 run.py out."""

import sqlite3
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def database(data="sample.sql"):
    """In memory: the schema, the views, then the data."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA foreign_keys = ON")
    for name in ("schema.sql", "views.sql", data):
        connection.executescript(FOLDER.joinpath(name).read_text(encoding="utf-8"))
    return connection


def query(connection, name):
    text = FOLDER.joinpath("queries", name + ".sql").read_text(encoding="utf-8")
    return connection.execute(text).fetchall()


def main(words):
    for row in query(database(), words[0]):
        print(*row, sep=" | ")


if __name__ == "__main__":
    main(sys.argv[1:])
