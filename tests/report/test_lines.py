"""A table written line by line is the one that rich would write."""

import io
import itertools

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from thaw.report import lines

NAMES = ("run_id", "task", "seconds")
ROWS = [("0123456789", "trec", "30"), ("ab", "naïve 猫 task", "–"), ("", "[bold]x[/]", "1e+03")]


def shown(width: int, rows: list[tuple[str, ...]], *, by_rich: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    if by_rich:
        table = Table(*NAMES, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
    else:
        lines.show(console, NAMES, rows)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [200, 34, 33, 20])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_it_is_what_rich_writes(width: int, count: int) -> None:
    rows = ROWS[:count]
    assert shown(width, rows) == shown(width, rows, by_rich=True)


def test_a_long_table_is_written_as_it_is_however_narrow_the_terminal() -> None:
    rows = list(itertools.islice(itertools.cycle(ROWS), lines.LONG + 1))
    assert shown(20, rows) == shown(200, rows)


def test_a_cell_moves_no_cursor() -> None:
    text = shown(200, [("a\nb", "\x1b[2J", "c\rd")])
    assert [line.split() for line in text.splitlines()][1:] == [["a", "b", "[2J", "c", "d"]]
