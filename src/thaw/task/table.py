"""A table: the rows of one split as its file, or the hub, has them, and the error for those that offend."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from thaw.errors import DataError


@dataclass(kw_only=True)
class Table:
    """The rows of one split and where they are from."""

    where: str
    rows: list[tuple[int, dict[str, Any]]]  # number, columns
    noun: str = "line"  # what the numbers count: a file's lines, the records of a list, the questions of SQuAD's JSON
    names: dict[str, list[str]] = field(default_factory=dict)  # column -> the words of its integer labels (the hub)
    hub: bool = False
    notes: list[str] = field(default_factory=list)  # what a person should know of how the file was read


def offend(where: str, what: str, numbers: Iterable[int], remedy: str, noun: str = "line") -> DataError:
    """Return the error for offending rows: the first three, how many more, the remedy."""
    numbers = list(numbers)
    first = ", ".join(str(number) for number in numbers[:3])
    more = f" and {len(numbers) - 3} more" if len(numbers) > 3 else ""
    return DataError(f"{what}, {where}: {noun}{'s' if len(numbers) > 1 else ''} {first}{more}; {remedy}")
