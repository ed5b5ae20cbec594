"""Tab-separated text: one row a line and no quoting, as GLUE's files are, unless CSV's quoting is certain.

Two kinds of file have the suffix .tsv. Corpora put each example on a line and a quotation mark is text; spreadsheets
and pandas write CSV with tabs, where a mark at the begin of a cell opens a quotation that may go on over line ends.
Reading the first as the second merges lines silently (2026-11-28), so a file must prove that it is the second.
"""

import re

_OPENING = re.compile(r'(?:^|\t)"', re.MULTILINE)  # CSV looks at no other mark
_CLOSED = re.compile(r'"(?:[^"]|"")*+"')
_FIELD = re.compile(r'("(?:[^"]|"")*+"|[^\t\n"]*+)(\t|\n|\Z)')


def unified(text: str) -> str:
    """Return a text whose lines all end with a line feed: carriage returns end lines too."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def opens_quotation(text: str) -> bool:
    """Return whether any cell begins with a quotation mark: only then do the two ways to read differ."""
    return _OPENING.search(text) is not None


def is_csv(text: str) -> bool:
    """Return whether tab-separated text is certainly written with CSV's quoting (RFC 4180).

    It is where the cells of its first line all stand in quotes. It is where every mark of the file is one that CSV
    writes and a line by itself does not do: a mark is doubled inside a cell, or lines have too few cells (or too many)
    and the rows of CSV have not. Where the lines have the right number of cells each, no quotation goes over a line
    end: that would be two examples that only look like one.
    """
    text = unified(text)
    if not opens_quotation(text):
        return False
    lines = [line for line in text.split("\n") if line.strip()]
    first = lines[0].split("\t")
    if all(_CLOSED.fullmatch(cell) for cell in first):
        return True
    if (found := _quotations(text)) is None:
        return False
    widths, doubled, spans = found
    if all(line.count("\t") + 1 == len(first) for line in lines):
        return doubled and not spans
    return widths == {len(first)}


def _quotations(text: str) -> tuple[set[int], bool, bool] | None:
    """Return the numbers of cells of CSV's rows, and whether cells hold doubled marks and line ends.

    None where a mark stands as CSV writes none: inside a cell without quotes, or before the end of a quoted one.
    """
    widths, width, place = set[int](), 1, 0
    doubled = spans = False
    while match := _FIELD.match(text, place):
        cell, end = match.groups()
        if cell.startswith('"'):
            doubled |= '""' in cell[1:-1]
            spans |= "\n" in cell
        if end == "\t":
            width += 1
        elif width > 1 or cell.strip():
            widths.add(width)
            width = 1
        if not end:
            return widths, doubled, spans
        place = match.end()
    return None


def rows(text: str) -> list[list[str]]:
    """Return the cells of each line as they stand."""
    return [line.split("\t") for line in unified(text).split("\n")]
