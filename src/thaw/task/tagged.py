"""Rows of words with their tags to examples: lists, lists written as text, or words with spaces between."""

from collections.abc import Callable
from typing import Any

from thaw.task.example import Example
from thaw.task.labels import canonical, is_number
from thaw.task.reader import Reader
from thaw.task.task import TaskConfig
from thaw.text import written_lists


def tags(reader: Reader, task: TaskConfig, labelled: bool) -> Callable[[int, dict[str, Any]], Example | None]:
    """Return what makes an example of a row with words and, where ``labelled``, tags; what is none is noted."""
    tokens = reader.needed(task.tokens, "tokens")
    column = reader.needed(task.tags, "tags") if labelled else None
    hub_names = reader.table.names.get(column or "", [])
    names = hub_names or task.labels or []
    by_word = not hub_names and any(map(is_number, names))  # declared numbers are words: tag 1 is the label "1"

    def example(number: int, row: dict[str, Any]) -> Example | None:
        if _unreadable(row.get(tokens)) or (column is not None and _unreadable(row.get(column), numbers=True)):
            remedy = 'write the cell as JSON does, ["the", "dog"], or the words with spaces between'
            reader.offend(number, "a list written as text that can not be read", remedy)
            return None
        words = _words(row.get(tokens))
        if words is None:
            reader.offend(number, "no list of words", f"fill in column '{tokens}' or take the row out")
            return None
        if column is None:
            return Example(tokens=words)
        values = _values(row.get(column))
        numbers = _numbers(values)
        if numbers is None and names and not by_word:
            numbers = _written_numbers(values)
        if numbers is not None and by_word:
            values = [str(one) for one in numbers]
        elif numbers is not None and names:
            if not hub_names and not all(0 <= one < len(names) for one in numbers):
                what = f"a tag that is no number from 0 to {len(names) - 1}"
                reader.offend(number, what, f"task.labels names {len(names)} tags, 0 is {names[0]}")
                return None
            values = [names[one] if 0 <= one < len(names) else None for one in numbers]
        elif numbers is not None:
            remedy = "name the tags in the order of their numbers, from 0: task.labels=[O,B-PER,I-PER,...]"
            reader.offend(number, f"tags in column '{column}' that are numbers without names", remedy, general=True)
            return None
        found = [canonical(value) if isinstance(value, str) else None for value in values or []]
        labels = [label for label in found if label is not None]
        if not labels or len(labels) < len(found):
            reader.offend(number, "no list of tags", f"fill in column '{column}' or take the row out")
            return None
        if len(labels) != len(words):
            reader.offend(number, "not as many tags as tokens", "give each word one tag")
            return None
        return Example(tokens=words, tags=labels)

    return example


def _unreadable(cell: Any, numbers: bool = False) -> bool:
    """Return whether a cell is a list written as text and neither strings nor, where they may be, ``numbers``."""
    if not isinstance(cell, str) or not written_lists.is_list(cell) or written_lists.strings(cell) is not None:
        return False
    return not numbers or written_lists.integers(cell) is None


def _words(cell: Any) -> list[str] | None:
    """Return the words of a cell: a list, a list written as text, or one text split at its spaces."""
    words = cell
    if isinstance(cell, str):
        words = written_lists.strings(cell) if written_lists.is_list(cell) else cell.split()
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        return None
    return words


def _values(cell: Any) -> list[Any] | None:
    """Return the tags of a cell, which may be numbers."""
    if isinstance(cell, str):
        numbers = written_lists.integers(cell)
        return _words(cell) if numbers is None else list(numbers)
    return cell if isinstance(cell, list) else None


def _numbers(values: list[Any] | None) -> list[int] | None:
    """Return tags that are all whole numbers; else None."""
    numbers = [_whole(value) for value in values or []]
    found = [number for number in numbers if number is not None]
    return found if numbers and len(found) == len(numbers) else None


def _written_numbers(values: list[Any] | None) -> list[int] | None:
    """Return tags that are all texts of digits as numbers; else None."""
    if not values or not all(isinstance(one, str) and one.isascii() and one.isdigit() for one in values):
        return None
    return [int(one[:9]) for one in values]


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        return None
    return int(value) if int(value) == value else None
