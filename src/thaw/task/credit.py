"""What each test example adds to a metric, so that a report can draw test examples again without the task's code."""

from collections.abc import Mapping, Sequence
from typing import Any

from thaw.task.answers import answer_scores
from thaw.task.entities import entities
from thaw.task.example import Example

Credit = tuple[float, float]  # part, whole: the metric is the sum of the parts over the sum of the wholes


def credits(metric: str, examples: Sequence[Example], predictions: Sequence[Mapping[str, Any]]) -> list[Credit | None]:
    """Return the credit of each example; None for metrics that are no ratio of sums (F1 of classes, correlations)."""
    count = {
        "accuracy": _right,
        "token_accuracy": _tags,
        "entity_f1": _entities,
        "f1": _answer,
        "exact_match": _answer,
    }.get(metric)
    if count is None or (metric == "f1" and examples and examples[0].answers is None):
        return [None] * len(examples)
    return [
        count(metric, example.target, prediction["prediction"])
        for example, prediction in zip(examples, predictions, strict=True)
    ]


def _right(metric: str, true: Any, guess: Any) -> Credit:
    return float(str(true) == str(guess)), 1.0


def _tags(metric: str, true: list[str], guess: list[str]) -> Credit:
    return float(sum(one == other for one, other in zip(true, guess, strict=True))), float(len(true))


def _entities(metric: str, true: list[str], guess: list[str]) -> Credit:
    first, second = set(entities(true)), set(entities(guess))
    return 2.0 * len(first & second), float(len(first) + len(second))


def _answer(metric: str, true: list[tuple[str, int]], guess: str) -> Credit:
    return answer_scores(guess, [text for text, _ in true])[metric], 1.0
