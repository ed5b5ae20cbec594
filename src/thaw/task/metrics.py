"""Metrics by kind of label, as fractions; torchmetrics computes all but the F1 of entities.

Predictions of constant value have no correlation with anything: Pearson and Spearman are 0 for them, as Matthews is
in scikit-learn. Nothing else has a substitute value: a prediction that is not finite raises DivergedError.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torchmetrics.functional.classification import (
    binary_f1_score,
    multiclass_accuracy,
    multiclass_f1_score,
    multiclass_matthews_corrcoef,
)
from torchmetrics.functional.regression import pearson_corrcoef, spearman_corrcoef
from torchmetrics.functional.text.squad import squad

from thaw.errors import DivergedError
from thaw.task.entities import EntityCounts
from thaw.task.example import Example
from thaw.task.task import Kind, TaskConfig, are_entity_tags, check_metric


class Metrics:
    """Collects predictions of labelled examples; computes every metric of the task's kind."""

    def __init__(self, task: TaskConfig, labels: list[str] | None) -> None:
        check_metric(task, labels)
        self.kind, self.labels = task.kind, labels
        self.true: list[Any] = []
        self.predicted: list[Any] = []

    def update(self, examples: Sequence[Example], predictions: Sequence[dict[str, Any]]) -> None:
        """Add the predictions of some examples, as predictions() makes them."""
        for example, prediction in zip(examples, predictions, strict=True):
            self.true.append(example.target)
            self.predicted.append(prediction["prediction"])

    def compute(self) -> dict[str, float]:
        """Return every metric of the kind; METRICS in task.py lists their names."""
        computers: dict[Kind, Callable[[list[Any], list[Any], list[str]], dict[str, float]]] = {
            Kind.classes: _classes,
            Kind.score: _score,
            Kind.tags: _tags,
            Kind.span: _span,
        }
        assert self.true, "no predictions to score"
        return computers[self.kind](self.true, self.predicted, self.labels or [])


def _classes(true: list[Any], predicted: list[Any], labels: list[str]) -> dict[str, float]:
    numbers = {label: number for number, label in enumerate(labels)}
    truth = torch.tensor([numbers[str(label)] for label in true])
    guess = torch.tensor([numbers[str(label)] for label in predicted])
    classes = len(labels)
    values = {
        "accuracy": multiclass_accuracy(guess, truth, classes, average="micro"),
        "macro_f1": multiclass_f1_score(guess, truth, classes, average="macro"),
        "matthews": multiclass_matthews_corrcoef(guess, truth, classes),
    }
    if classes == 2:
        values["f1"] = binary_f1_score(guess, truth)  # of the last label
    return {name: float(value) for name, value in values.items()}


def _score(true: list[Any], predicted: list[Any], labels: list[str]) -> dict[str, float]:
    truth, guess = torch.tensor(true, dtype=torch.float64), torch.tensor(predicted, dtype=torch.float64)
    if not torch.isfinite(guess).all():
        raise DivergedError(f"{int((~torch.isfinite(guess)).sum())} of {len(guess)} predicted scores are not finite")
    if len(guess) < 2 or guess.max() == guess.min() or truth.max() == truth.min():
        return {"pearson": 0.0, "spearman": 0.0}
    with warnings.catch_warnings():  # torchmetrics warns of nearly constant values; float64 carries them
        warnings.simplefilter("ignore")
        values = {"pearson": float(pearson_corrcoef(guess, truth)), "spearman": float(spearman_corrcoef(guess, truth))}
    return {name: 0.0 if math.isnan(value) else value for name, value in values.items()}


def _tags(true: list[Any], predicted: list[Any], labels: list[str]) -> dict[str, float]:
    counts, right, words = EntityCounts(), 0, 0
    entity_tags = are_entity_tags(labels)
    for truth, guess in zip(true, predicted, strict=True):
        if len(truth) != len(guess):
            raise ValueError(f"{len(guess)} tags are predicted for a sentence of {len(truth)} words")
        right += sum(one == other for one, other in zip(truth, guess, strict=True))
        words += len(truth)
        if entity_tags:
            counts.update(truth, guess)
    values = {"token_accuracy": right / words}
    return {"entity_f1": counts.f1(), **values} if entity_tags else values


def _span(true: list[Any], predicted: list[Any], labels: list[str]) -> dict[str, float]:
    guesses = [{"id": str(number), "prediction_text": text} for number, text in enumerate(predicted)]
    truths: list[dict[str, Any]] = [
        {
            "id": str(number),
            "answers": {"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]},
        }
        for number, answers in enumerate(true)
    ]
    values = squad(guesses, truths)
    return {"f1": float(values["f1"]) / 100, "exact_match": float(values["exact_match"]) / 100}
