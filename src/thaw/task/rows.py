"""Rows to examples: columns found, cells checked; the first three offending rows are named.

Columns are those the task names; in files the canonical names (text, text_a, text_b, label, tokens, tags) are found
too, so that a catalogue entry written for the hub reads files as well.
"""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from thaw.errors import DataError
from thaw.task.example import Example
from thaw.task.labels import canonical, is_number
from thaw.task.questions import span
from thaw.task.reader import Reader
from thaw.task.table import Table, offend
from thaw.task.tagged import tags
from thaw.task.task import Kind, TaskConfig
from thaw.text import written_lists

MULTI_LABEL = "several labels for one text (multi-label), which is not supported yet"
Maker = Callable[[Reader, TaskConfig, bool], Callable[[int, dict[str, Any]], Example | None]]


def examples(
    table: Table, task: TaskConfig, *, labelled: bool = True, missing: bool = False
) -> tuple[list[Example], int]:
    """Return the examples of a table, and how many rows of the hub were left out for an empty text or no label.

    With ``missing`` the label nan is none (`nan_is_missing`). A file's offending rows raise DataError: its owner can
    mend it, the hub's can not be asked.
    """
    reader = Reader(table)
    texts: Maker = partial(_texts, missing=missing)
    make: Maker = {
        Kind.classes: texts,
        Kind.score: texts,
        Kind.tags: tags,
        Kind.span: span,
    }[task.kind]
    row_example = make(reader, task, labelled)
    made = [row_example(number, row) for number, row in table.rows]
    for example, (number, _) in zip(made, table.rows, strict=True):
        if example is not None:
            example.line = number
    kept = [example for example in made if example is not None]
    reader.raise_bad()
    if not table.hub:
        _unique_ids(table)
    if not kept:
        hidden = "; hidden labels? set task.test_split to a labelled split" if table.hub else ""
        raise DataError(f"no labelled example, {table.where}{hidden}")
    return kept, len(made) - len(kept)


def nan_is_missing(tables: Iterable[Table], task: TaskConfig) -> bool:
    """Return whether ``nan`` among the classes of a task's tables, all its splits, is a number that is missing.

    It is where every other label is a number, unless the task or the hub names a label nan. Alone it is a word.
    """
    if task.kind is not Kind.classes:
        return False
    words: set[str | None] = set()
    for table in tables:
        column = Reader(table).column(task.label, "label") or ""
        if any(name.lower() == "nan" for name in task.labels or table.names.get(column, [])):
            return False
        words.update(canonical(row.get(column)) for _, row in table.rows)
    others = [word for word in words if word is not None and word.lower() != "nan"]
    return bool(others) and all(map(is_number, others))


def _texts(
    reader: Reader, task: TaskConfig, labelled: bool, *, missing: bool
) -> Callable[[int, dict[str, Any]], Example | None]:
    first, second = reader.column(task.text_a, "text_a"), reader.column(task.text_b, "text_b")
    pair = first is not None and second is not None
    if not pair:
        first, second = reader.column(task.text, "text"), None
        if first is None:
            first = reader.needed(task.text, "text")
    columns = [column for column in (first, second) if column is not None]
    _tell_lists(reader, columns)
    label = reader.needed(task.label, "label") if labelled else None
    classes = task.kind is Kind.classes
    read = _class_reader(reader, label or "", missing) if classes else _score

    def example(number: int, row: dict[str, Any]) -> Example | None:
        texts = [row.get(column) for column in columns]
        for text in texts:
            if text is not None and not isinstance(text, str):
                reader.offend(number, "a text that is not a string", "put it in quotes")
                return None
            if not (text or "").strip():
                reader.offend(number, "empty text", "fill it in or take the row out")
                return None
        value = None
        if label is not None:
            if classes and _are_several(row.get(label)):
                remedy = f"give one label in column '{label}', or a row for each"
                reader.offend(number, MULTI_LABEL, remedy, general=True)
                return None
            if classes and isinstance(row.get(label), dict):
                reader.offend(number, "an object as a label", f"give a word or a number in column '{label}'")
                return None
            value = read(row.get(label))
            if value is None:
                rule = "no label" if classes else "a label that is not a finite number"
                reader.offend(number, rule, f"fill in column '{label}' or take the row out")
                return None
        return Example(text_a=texts[0] or "", text_b=texts[1] if pair else None, label=value)

    return example


def _tell_lists(reader: Reader, columns: list[str]) -> None:
    """Note a column of texts that are lists of words written as text: a tokenised corpus in CSV."""
    for column in columns:
        cells = [row.get(column) for _, row in reader.table.rows[:100]]
        if cells and all(isinstance(cell, str) and written_lists.is_list(cell) for cell in cells):
            note = f"column '{column}' holds lists written as text, brackets and quotes are part of it"
            reader.table.notes.append(f"{reader.table.where}: {note}")


def _are_several(value: Any) -> bool:
    """Return whether a label is a list of labels, or such a list (or several numbers) written as text."""
    if isinstance(value, str):
        return written_lists.is_list(value) or len(written_lists.integers(value) or []) > 1
    return isinstance(value, list)


def _class_reader(reader: Reader, column: str, missing: bool) -> Callable[[Any], str | None]:
    """Return what reads a class: its word, or the name that the hub has for its number (-1 is none there)."""
    names = reader.table.names.get(column, [])

    def read(value: Any) -> str | None:
        if names and isinstance(value, int) and not isinstance(value, bool):
            return canonical(names[value]) if 0 <= value < len(names) else None
        word = canonical(value)
        return None if word is not None and missing and word.lower() == "nan" else word

    return read


def _score(value: Any) -> float | None:
    if isinstance(value, str) and "_" in value:  # Python reads 2_5 as 25
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def _unique_ids(table: Table) -> None:
    seen: set[Any] = set()
    twice = []
    for number, row in table.rows:
        name = row.get("id")
        if name is not None and str(name) in seen:
            twice.append(number)
        seen.add(str(name))
    if twice:
        remedy = "take doubled rows out, or rename the column id"
        raise offend(table.where, "an id that stood before", twice, remedy, table.noun)
