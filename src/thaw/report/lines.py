"""Thousands of rows in the terminal: a table of plain cells, written line by line.

rich lays out every cell anew, a millisecond a row. What it gives for a table that fits is what is written here: columns
as wide as their widest cell, two blanks between them. A short table that does not fit is left to rich, which folds its
cells; a long one is written as it is.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

LONG = 500  # rows
GAP = "  "


def show(console: Console, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of cells below the names of their columns; what would move the cursor becomes a blank."""
    rows = [[cell if cell.isprintable() else _printable(cell) for cell in row] for row in rows]
    columns = [[cell_len(cell) for cell in column] for column in zip(names, *rows, strict=True)]
    widths = [max(column) for column in columns]
    if len(rows) <= LONG and sum(widths) + len(GAP) * (len(names) - 1) > console.width:
        table = Table(*names, box=None, pad_edge=False, padding=(0, len(GAP), 0, 0))
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
        return
    lines = [
        GAP.join(
            [cell + " " * (width - column[place]) for cell, width, column in zip(row, widths, columns, strict=True)]
        )
        for place, row in enumerate((names, *rows))
    ]
    console.print(Text(lines[0], style="table.header"), soft_wrap=True)
    console.file.write("".join(f"{line}\n" for line in lines[1:]))


def _printable(cell: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in cell)
