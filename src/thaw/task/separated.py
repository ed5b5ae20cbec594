"""CSV and TSV files to rows: RFC 4180's quoting in .csv, one example a line and no quoting in .tsv.

A .tsv that is certainly written with CSV's quoting is read so (`thaw.text.tabs`). Whichever it is stands in the notes
of the table, as do the cells that hold line ends: a quotation mark that was never meant to open one merges examples.
"""

import csv
import io
from pathlib import Path
from typing import Any

from thaw.errors import DataError
from thaw.task.table import Table, offend
from thaw.text import tabs
from thaw.text.corpus import LONGEST_CELL

TSV_REMEDY = "a .tsv has no quoting, so take tabs and line ends out of its cells, or use .jsonl"


def separated(path: Path, text: str) -> Table:
    """Return the rows of a .csv or .tsv file; DataError with the first offending lines."""
    if path.suffix == ".csv":
        return _quoted(path, text, ",")
    if not tabs.is_csv(text):
        return _lines(path, text)
    table = _quoted(path, text, "\t")
    line = next(number for number, cells in enumerate(tabs.rows(text), 1) if any(cell[:1] == '"' for cell in cells))
    table.notes.insert(0, f"{path.name}: written with the quoting of CSV (from line {line}) and read so")
    return table


def _quoted(path: Path, text: str, delimiter: str) -> Table:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    rows: list[tuple[int, dict[str, Any]]] = []
    bad, spanning, opening, line = [], [], [], 0
    try:
        for cells in reader:
            start, line = line + 1, reader.line_num
            if not cells or (len(cells) == 1 and not cells[0].strip()):
                continue
            if line > start:
                spanning.append(start)
            if not header:
                header = _header(path, cells, delimiter)
            elif len(cells) != len(header):
                bad.append(start)
            else:
                rows.append((start, dict(zip(header, cells, strict=True))))
                if any(cell[:1].isspace() and cell.lstrip()[:1] == '"' for cell in cells):
                    opening.append(start)
    except csv.Error as error:
        raise DataError(
            f"broken quoting, {path}: from line {line + 1} ({error}); double the quotes inside a cell, or use .jsonl"
        ) from None
    if bad:
        raise offend(str(path), f"not {len(header)} cells as in the header", bad, "quote cells that hold the delimiter")
    table = Table(where=str(path), rows=rows)
    if spanning:
        count = "1 row goes" if len(spanning) == 1 else f"{len(spanning)} rows go"
        table.notes.append(f"{path.name}: {count} over line ends inside quotes (first at line {spanning[0]})")
    if opening:
        count = "1 row has a cell that begins" if len(opening) == 1 else f"{len(opening)} rows have cells that begin"
        table.notes.append(
            f"{path.name}: {count} with a blank and a quotation mark, which is text there (first at line {opening[0]})"
        )
    return table


def _lines(path: Path, text: str) -> Table:
    header: list[str] = []
    rows: list[tuple[int, dict[str, Any]]] = []
    bad, opening = [], []
    for number, cells in enumerate(tabs.rows(text), 1):
        if len(cells) == 1 and not cells[0].strip():
            continue
        if not header:
            header = _header(path, cells, "\t")
        elif len(cells) != len(header):
            bad.append(number)
        else:
            rows.append((number, dict(zip(header, cells, strict=True))))
            if any(cell[:1] == '"' for cell in cells):
                opening.append(number)
    if bad:
        raise offend(str(path), f"not {len(header)} cells as in the header", bad, TSV_REMEDY)
    table = Table(where=str(path), rows=rows)
    if opening:
        count = "1 line has a cell that begins" if len(opening) == 1 else f"{len(opening)} lines have cells that begin"
        table.notes.append(
            f"{path.name}: {count} with a quotation mark, which is text in a .tsv (first at line {opening[0]})"
        )
    return table


def _header(path: Path, cells: list[str], delimiter: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    if len(header) == 1:
        for other in {",", "\t", ";", "|"} - {delimiter}:
            if other in header[0]:
                raise DataError(
                    f"wrong delimiter, {path}: the header '{header[0][:60]}' has no {delimiter!r} but {other!r};"
                    " .csv is separated by commas, .tsv by tabs"
                )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise DataError(f"column named twice, {path}: {', '.join(twice)}; rename one of them")
    return header
