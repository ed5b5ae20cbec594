"""Rows of questions to examples: the shapes in which data sets flatten SQuAD's answers.

Answers are ``{"text": [...], "answer_start": [...]}`` (the hub), ``[{"text", "answer_start"}, ...]`` (SQuAD's own
JSON), or one answer in the columns answer_text (or answer) and answer_start. A .csv holds the first two as text, as
JSON or Python writes them.
"""

import ast
import contextlib
import json
import warnings
from collections.abc import Callable
from typing import Any

from thaw.task.example import Example
from thaw.task.reader import Reader
from thaw.task.task import TaskConfig
from thaw.text.half import whole

LONGEST = 2**17  # characters of answers that are written as text
NO_ANSWER = "a question without answer", "take it out: SQuAD 2.0's are not supported"
NO_PLACES = (
    "answers that are no texts with their places",
    'give "text" a list of strings and "answer_start" as many whole numbers',
)
NOT_INSIDE = "an answer that is not in the context at answer_start", "count characters from 0"
TEXT, START = ("answer_text", "answer"), "answer_start"


class _NoAnswers(Exception):
    """Answers of no shape that is read: what they are, and the remedy."""


def span(reader: Reader, task: TaskConfig, labelled: bool) -> Callable[[int, dict[str, Any]], Example | None]:
    """Return what makes an example of a row with a question and, where ``labelled``, answers; what is none is noted."""
    question, context = reader.needed("question"), reader.needed("context")
    answers = reader.column("answers")
    text, start = reader.column(*TEXT), reader.column(START)
    if labelled and answers is None and (text is None or start is None):
        answers = reader.needed("answers")

    def example(number: int, row: dict[str, Any]) -> Example | None:
        asked, passage = row.get(question), row.get(context)
        if not isinstance(asked, str) or not isinstance(passage, str) or not asked.strip() or not passage.strip():
            reader.offend(number, "empty question or context", "fill it in or take the question out")
            return None
        found = None
        if labelled:
            try:
                if answers is None:
                    found = _single(row.get(text or ""), row.get(start or ""))
                else:
                    found = _answers(row.get(answers))
                if not all(place >= 0 and one.strip() and passage.startswith(one, place) for one, place in found):
                    raise _NoAnswers(*NOT_INSIDE)
            except _NoAnswers as offence:
                reader.offend(number, *offence.args)
                return None
        group, name = (None if row.get(key) is None else str(row[key]) for key in ("title", "id"))
        return Example(question=asked, context=passage, answers=found, group=group, id=name)

    return example


def _answers(value: Any) -> list[tuple[str, int]]:
    """Return each answer with its place in characters; _NoAnswers for what is none."""
    if isinstance(value, str) and value.strip():
        value = _written(value)
    if not value:
        raise _NoAnswers(*NO_ANSWER)
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        if absent := next((key for one in value for key in ("text", START) if key not in one), None):
            raise _NoAnswers(f"an answer without '{absent}'", f'give each {{"text": ..., "{START}": ...}}')
        return _paired([one["text"] for one in value], [one[START] for one in value])
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        raise _NoAnswers("answers without their places", 'give them as [{"text": ..., "answer_start": ...}]')
    if not isinstance(value, dict):
        raise _NoAnswers(*NO_PLACES)
    if not value.get("text"):
        raise _NoAnswers(*NO_ANSWER)
    if START not in value:
        raise _NoAnswers(f"answers without '{START}'", f'give "{START}" as many whole numbers as texts')
    return _paired(value["text"], value[START])


def _single(text: Any, start: Any) -> list[tuple[str, int]]:
    """Return the one answer of two columns; a number may be written as text, as in .csv."""
    if text is None or text == "":
        raise _NoAnswers(*NO_ANSWER)
    place = start
    if isinstance(start, str) and start.strip().removesuffix(".0").isdecimal():
        place = int(start.strip().removesuffix(".0")[:9])
    elif isinstance(start, float) and start.is_integer():
        place = int(start)
    if not isinstance(text, str) or type(place) is not int:
        raise _NoAnswers("an answer that is no text with its place", f"give '{START}' a whole number")
    return [(text, place)]


def _paired(texts: Any, starts: Any) -> list[tuple[str, int]]:
    """Return each answer with its place; _NoAnswers unless both are lists of strings and whole numbers alike long."""
    if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
        raise _NoAnswers(*NO_PLACES)
    if not all(isinstance(text, str) for text in texts) or not all(type(start) is int for start in starts):
        raise _NoAnswers(*NO_PLACES)
    return [(whole(text), start) for text, start in zip(texts, starts, strict=True)]


def _written(cell: str) -> Any:
    """Return the answers that a cell holds as text, in JSON or as Python shows them."""
    if len(cell) <= LONGEST:
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(cell)
        with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of a backslash that escapes nothing
            return ast.literal_eval(cell)
    raise _NoAnswers("answers written as text that can not be read", "use .jsonl, where they are no text")
