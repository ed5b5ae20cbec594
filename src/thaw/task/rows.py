"""Rows to examples: columns found, cells checked; the first three offending rows are named.

Columns are those the task names; in files the canonical names (text, text_a, text_b, label, tokens, tags) are found
too, so that a catalogue entry written for the hub reads files as well.
"""

import math
from collections.abc import Callable
from typing import Any

from thaw.errors import DataError, nearest
from thaw.task.example import Example
from thaw.task.files import Table, offend
from thaw.task.task import Kind, TaskConfig


class _Reader:
    """The cells of one table, and the rows that offend, by reason."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = set().union(*(row.keys() for _, row in table.rows[:100]))
        self.bad: dict[tuple[str, str], list[int]] = {}

    def column(self, *names: str) -> str | None:
        return next((name for name in names if name in self.columns), None)

    def needed(self, *names: str) -> str:
        name = self.column(*names)
        if name is None:
            there = {str(column) for column in self.columns}
            hint = nearest(names[0], there) if len(there) > 1 else f": the only one is '{next(iter(there), '')[:60]}'"
            raise DataError(
                f"no column '{names[0]}', {self.table.where}{hint}; the first line of .csv and .tsv names the columns"
            )
        return name

    def offend(self, number: int, what: str, remedy: str) -> None:
        self.bad.setdefault((what, remedy), []).append(number)

    def raise_bad(self) -> None:
        for (what, remedy), numbers in self.bad.items():
            raise offend(self.table.where, what, numbers, remedy)


def examples(table: Table, task: TaskConfig, *, labelled: bool = True) -> tuple[list[Example], int]:
    """Return the examples of a table, and how many rows of the hub were left out for an empty text or no label.

    A file's offending rows raise DataError: its owner can mend it, the hub's can not be asked.
    """
    reader = _Reader(table)
    make: Callable[[_Reader, TaskConfig, bool], Callable[[int, dict[str, Any]], Example | None]] = {
        Kind.classes: _texts,
        Kind.score: _texts,
        Kind.tags: _tags,
        Kind.span: _span,
    }[task.kind]
    row_example = make(reader, task, labelled)
    made = [row_example(number, row) for number, row in table.rows]
    for example, (number, _) in zip(made, table.rows, strict=True):
        if example is not None:
            example.line = number
    kept = [example for example in made if example is not None]
    if not table.hub:
        reader.raise_bad()
        _unique_ids(table)
    if not kept:
        hidden = "; hidden labels? set task.test_split to a labelled split" if table.hub else ""
        raise DataError(f"no labelled example, {table.where}{hidden}")
    return kept, len(made) - len(kept)


def _texts(reader: _Reader, task: TaskConfig, labelled: bool) -> Callable[[int, dict[str, Any]], Example | None]:
    first, second = reader.column(task.text_a, "text_a"), reader.column(task.text_b, "text_b")
    pair = first is not None and second is not None
    if not pair:
        first, second = reader.column(task.text, "text"), None
        if first is None:
            first = reader.needed(task.text, "text")
    columns = [column for column in (first, second) if column is not None]
    label = reader.needed(task.label, "label") if labelled else None
    names = reader.table.names.get(label or "", [])
    read = _class if task.kind is Kind.classes else _score

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
            value = read(row.get(label), names)
            if value is None:
                rule = "no label" if task.kind is Kind.classes else "a label that is not a finite number"
                reader.offend(number, rule, f"fill in column '{label}' or take the row out")
                return None
        return Example(text_a=texts[0] or "", text_b=texts[1] if pair else None, label=value)

    return example


def _class(value: Any, names: list[str]) -> str | None:
    """A class label as text: 1, "1", " 1" and 1.0 are the same label; None, "", NaN and the hub's -1 are none."""
    if names and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    word = str(value).strip()
    return None if word.lower() in ("", "nan") else word


def _score(value: Any, names: list[str]) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def _words(value: Any) -> list[str] | None:
    """A cell of words: a list, or one string separated by spaces (.csv)."""
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        return None
    return words


def _tags(reader: _Reader, task: TaskConfig, labelled: bool) -> Callable[[int, dict[str, Any]], Example | None]:
    tokens = reader.needed(task.tokens, "tokens")
    tags = reader.needed(task.tags, "tags") if labelled else None
    names = reader.table.names.get(tags or "", [])

    def example(number: int, row: dict[str, Any]) -> Example | None:
        words = _words(row.get(tokens))
        if words is None:
            reader.offend(number, "no list of words", f"fill in column '{tokens}' or take the row out")
            return None
        if tags is None:
            return Example(tokens=words)
        values = row.get(tags)
        if names and isinstance(values, list):
            values = [names[value] if isinstance(value, int) and 0 <= value < len(names) else None for value in values]
        labels = _words(values)
        if labels is None:
            reader.offend(number, "no list of tags", f"fill in column '{tags}' or take the row out")
            return None
        if len(labels) != len(words):
            reader.offend(number, "not as many tags as tokens", "give each word one tag")
            return None
        return Example(tokens=words, tags=labels)

    return example


def _span(reader: _Reader, task: TaskConfig, labelled: bool) -> Callable[[int, dict[str, Any]], Example | None]:
    question, context = reader.needed("question"), reader.needed("context")
    answers = reader.needed("answers") if labelled else None

    def example(number: int, row: dict[str, Any]) -> Example | None:
        asked, passage = row.get(question), row.get(context)
        if not isinstance(asked, str) or not isinstance(passage, str) or not asked.strip() or not passage.strip():
            reader.offend(number, "empty question or context", "fill it in or take the question out")
            return None
        found = None
        if answers is not None:
            given = row.get(answers)
            if not isinstance(given, dict) or not given.get("text") or not given.get("answer_start"):
                reader.offend(number, "a question without answer", "take it out: SQuAD 2.0's are not supported")
                return None
            found = _answers(given["text"], given["answer_start"])
            if found is None:
                remedy = 'give "text" a list of strings and "answer_start" as many whole numbers'
                reader.offend(number, "answers that are no texts with their places", remedy)
                return None
            inside = (
                start >= 0 and text.strip() and passage[start : start + len(text)] == text for text, start in found
            )
            if not all(inside):
                reader.offend(number, "an answer that is not in the context at answer_start", "count characters from 0")
                return None
        group, name = (None if row.get(key) is None else str(row[key]) for key in ("title", "id"))
        return Example(question=asked, context=passage, answers=found, group=group, id=name)

    return example


def _answers(texts: Any, starts: Any) -> list[tuple[str, int]] | None:
    """Return each answer with its place; None where the two are not lists of strings and whole numbers alike long."""
    if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
        return None
    if not all(isinstance(text, str) for text in texts) or not all(type(start) is int for start in starts):
        return None
    return list(zip(texts, starts, strict=True))


def _unique_ids(table: Table) -> None:
    seen: set[Any] = set()
    twice = []
    for number, row in table.rows:
        name = row.get("id")
        if name is not None and str(name) in seen:
            twice.append(number)
        seen.add(str(name))
    if twice:
        raise offend(table.where, "an id that stood before", twice, "take doubled rows out, or rename the column id")
