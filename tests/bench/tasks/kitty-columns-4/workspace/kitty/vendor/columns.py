"""columns 4.1

What is new since 3.x:

* `Grid(aligns, width)` -> `Grid(*columns)`, a `Column(align, width=None)` for each: `width` was the least width of the
  *last* column, now each column has its own. `align` is "left" or "right" (was "l" or "r").
* `grid.add([...])` -> `grid.row(...)`: the cells are arguments. It returns a new grid; grids do not change any more.
* `grid.lines()` -> `grid.lines` (a property, a tuple). `grid.render()` is gone; it was all lines, each with a line end.
* Blanks at the end of a line are cut off now unless `keep_blanks=True` is given to Grid. (3.x never cut them.)
* `join(words)` is gone; it joined with a blank and left out what is empty.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    align: str
    width: int | None = None

    def __post_init__(self):
        if self.align not in ("left", "right"):
            raise ValueError(f"align is {self.align!r}")


class Grid:
    def __init__(self, *columns, keep_blanks=False, rows=()):
        if not all(isinstance(column, Column) for column in columns):
            raise TypeError("Grid takes columns")
        self._columns, self._keep_blanks, self._rows = columns, keep_blanks, tuple(rows)

    def row(self, *cells):
        if len(cells) != len(self._columns):
            raise ValueError(f"{len(cells)} cells for {len(self._columns)} columns")
        return Grid(*self._columns, keep_blanks=self._keep_blanks, rows=(*self._rows, cells))

    @property
    def lines(self):
        widths = [
            max([column.width or 0, *(len(row[index]) for row in self._rows)])
            for index, column in enumerate(self._columns)
        ]
        found = []
        for row in self._rows:
            cells = (
                cell.ljust(width) if column.align == "left" else cell.rjust(width)
                for cell, width, column in zip(row, widths, self._columns)
            )
            line = " ".join(cells)
            found.append(line if self._keep_blanks else line.rstrip())
        return tuple(found)
