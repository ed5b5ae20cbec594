"""The one form of a label: in files and on the hub, in ``task.labels`` and ``task.positive``, in every answer.

Everything that names a label goes through `canonical`, so 1, "1", 1.0 and "1.0" are one label wherever they stand, as
are the composed and the decomposed form of a letter. Nothing else is levelled: "01", "+1", "1.50", "True" and "true"
are words of their own, and `near` finds those that a person may have meant to be one.

No label is what JSON calls null or NaN, an empty cell, and one where nothing can be seen. The words "nan", "null" and
"false" are words, since a class may be called so (nan is a language). One case is left: ``nan`` among numbers is how
programs write a number that is missing, and is read as that (`thaw.task.rows`).
"""

import math
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0)?")
_NUMBER = re.compile(r"[+-]?\d{1,4000}(\.\d{1,4000})?")
_SCIENTIFIC = re.compile(r"[+-]?(\d{1,4000}(\.\d{0,4000})?|\.\d{1,4000})([eE][+-]?\d{1,4})?")
_MINUS = "\u2212"
_QUOTATION = "\"'`\u00ab\u00bb\u2018\u2019\u201a\u201c\u201d\u201e"
MISSING_WORDS = frozenset({"nan", "NaN", "NA", "N/A", "#N/A", "<NA>", "None", "null", "NULL"})  # as programs write none


def canonical(value: Any) -> str | None:
    """Return the word of a label; None where there is none: null, NaN, an empty text, what is no single value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    if not isinstance(value, str | int | float):
        return None
    return _word(str(value))


@lru_cache(maxsize=2**14)  # a tag comes a hundred thousand times
def _word(text: str) -> str | None:
    word = unicodedata.normalize("NFC", text.strip())
    if whole := _WHOLE.fullmatch(word):
        word = "0" if whole[1] == "-0" else whole[1]
    return word if _seen(word).strip() else None


def _seen(word: str) -> str:
    """Return a word without characters that have no picture (zero-width spaces and joiners, soft hyphens, marks)."""
    if word.isascii():
        return word
    return "".join(one for one in word if unicodedata.category(one) != "Cf")


def visible(label: str) -> str:
    """Return a label with the numbers of characters that one does not see, or takes for a hyphen, in their place."""
    return "".join(
        f"\\u{ord(one):04x}" if not one.isascii() and unicodedata.category(one) in ("Cf", "Pd") else one
        for one in label
    )


def declared(value: Any) -> str:
    """Return the word of a label that a config names; there every value is a word, null and NaN too."""
    if value is None:
        return "null"
    return canonical(value) or _seen(str(value)).strip()


def declare(values: dict[Any, Any]) -> None:
    """Write the labels that the tasks of a config declare as words, in place.

    A dictionary may hold booleans, numbers and null for them; ``true`` can not be told from ``yes`` there any more, as
    it can in a config file and on the command line (`thaw.cli.label_words`).
    """
    tasks = values.get("tasks")
    for task in (values.get("task"), *(tasks.values() if isinstance(tasks, dict) else ())):
        if isinstance(task, dict):
            if isinstance(task.get("labels"), list) and all(map(is_value, task["labels"])):
                task["labels"] = [declared(label) for label in task["labels"]]
            if task.get("positive") is not None and is_value(task["positive"]):
                task["positive"] = declared(task["positive"])


def is_value(value: Any) -> bool:
    """Return whether a value of a config can name a label: a mapping or a list can not."""
    return value is None or isinstance(value, str | int | float)


def is_number(label: str) -> bool:
    """Return whether a label is a number, so that the larger of two is the positive one."""
    return bool(_NUMBER.fullmatch(label))


def ordered(labels: Iterable[str]) -> list[str]:
    """Return labels in order: numbers by value before words by their letters, so 2 before 10 and -1 before 1.

    The last of two labels is the positive one. Where all are numbers, 1e3 and .5 are some too; among words they are
    words.
    """
    labels = list(labels)
    number = _SCIENTIFIC if all(map(_SCIENTIFIC.fullmatch, labels)) else _NUMBER
    return sorted(
        labels,
        key=lambda label: (0, Decimal(label), label) if number.fullmatch(label) else (1, Decimal(0), label),
    )


def near(labels: Iterable[str]) -> list[list[str]]:
    """Return the groups of labels that differ only in what one easily misses.

    That is case, blanks, characters without a picture, the kind of a dash, quotation marks around a label, the width
    of letters, or how a number is written.
    """
    groups: dict[Any, list[str]] = {}
    for label in labels:
        seen = "".join(_seen(unicodedata.normalize("NFKC", label).casefold()).split())
        plain = "".join("-" if unicodedata.category(one) == "Pd" or one == _MINUS else one for one in seen)
        plain = plain.strip(_QUOTATION) or plain
        groups.setdefault(Decimal(plain) if _SCIENTIFIC.fullmatch(plain) else plain, []).append(label)
    return [group for group in groups.values() if len(group) > 1]
