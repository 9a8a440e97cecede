"""Rows by table, in memory."""


class RuleBroken(Exception):
    """A command that must not be done; the text is for people."""


class Store:
    def __init__(self):
        self.tables = {}

    def insert(self, table, row):
        rows = self.tables.setdefault(table, [])
        rows.append({"number": len(rows) + 1, "archived": False, **row})
        return len(rows)

    def current(self, table):
        """The rows that are not archived."""
        return [row for row in self.tables.get(table, []) if not row["archived"]]

    def is_current(self, table, number):
        return any(row["number"] == number for row in self.current(table))

    def get(self, table, number):
        return self._find(table, number, archived=False)

    def get_archived(self, table, number):
        return self._find(table, number, archived=True)

    def _find(self, table, number, archived):
        for row in self.tables.get(table, []):
            if row["number"] == number and row["archived"] == archived:
                return row
        raise RuleBroken(f"no number {number} in {table}")
