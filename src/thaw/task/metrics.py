"""Metrics by kind of label, as fractions, equal to scikit-learn, scipy, conlleval and SQuAD 1.1's script.

Degenerate input has the value that these tools give it, or print a warning about: a Matthews correlation is 0 where
truth or prediction is constant, F1 is 0 where no example is positive in either, the macro F1 is over the labels that
occur in truth or prediction. Pearson and Spearman, which scipy leaves undefined for constant values, are 0 there: a
constant correlates with nothing. A prediction that is not finite raises DivergedError.

Classes are scored by torchmetrics, which Lightning has imported already. Its Matthews correlation of two classes is not
0 where truth or prediction is constant (1.9.0, its issue 3355), so that case is decided here.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torchmetrics.functional.classification import (
    binary_f1_score,
    multiclass_accuracy,
    multiclass_f1_score,
    multiclass_matthews_corrcoef,
)

from thaw.errors import DivergedError
from thaw.task.answers import answer_scores
from thaw.task.entities import EntityCounts
from thaw.task.example import Example
from thaw.task.task import Kind, TaskConfig, are_entity_tags, check_metric, positive_label

Values = dict[str, float]


class Metrics:
    """Collects predictions of labelled examples; computes every metric of the task's kind."""

    def __init__(self, task: TaskConfig, labels: list[str] | None) -> None:
        check_metric(task, labels)
        self.kind, self.labels = task.kind, labels
        self.positive = positive_label(task, labels)
        self.true: list[Any] = []
        self.predicted: list[Any] = []

    def update(self, examples: Sequence[Example], predictions: Sequence[dict[str, Any]]) -> None:
        """Add the predictions of some examples, as predictions() makes them."""
        for example, prediction in zip(examples, predictions, strict=True):
            self.true.append(example.target)
            self.predicted.append(prediction["prediction"])

    def compute(self) -> Values:
        """Return every metric of the kind; METRICS in task.py lists their names."""
        computers: dict[Kind, Callable[[list[Any], list[Any]], Values]] = {
            Kind.classes: lambda true, predicted: _classes(true, predicted, self.labels or [], self.positive),
            Kind.score: _score,
            Kind.tags: lambda true, predicted: _tags(true, predicted, are_entity_tags(self.labels or [])),
            Kind.span: _span,
        }
        assert self.true, "no predictions to score"
        return computers[self.kind](self.true, self.predicted)


def _classes(true: list[Any], predicted: list[Any], labels: list[str], positive: str | None) -> Values:
    """``positive`` is the label whose F1 is ``f1``, None where there are not two classes."""
    numbers = {label: number for number, label in enumerate(labels)}
    truth, guess = (torch.tensor([numbers[str(label)] for label in side]) for side in (true, predicted))
    classes = max(2, len(labels))
    constant = bool((truth == truth[0]).all() or (guess == guess[0]).all())
    values = {
        "accuracy": multiclass_accuracy(guess, truth, classes, average="micro"),
        "macro_f1": multiclass_f1_score(guess, truth, classes, average="macro"),
        "matthews": 0.0 if constant else multiclass_matthews_corrcoef(guess, truth, classes),
    }
    if positive is not None:
        values["f1"] = binary_f1_score((guess == numbers[positive]).int(), (truth == numbers[positive]).int())
    return {name: float(value) for name, value in values.items()}


def _score(true: list[Any], predicted: list[Any]) -> Values:
    from scipy.stats import pearsonr, spearmanr  # Lightning has imported it already

    truth, guess = np.array(true, dtype=np.float64), np.array(predicted, dtype=np.float64)
    if not np.isfinite(guess).all():
        raise DivergedError(f"{int((~np.isfinite(guess)).sum())} of {len(guess)} predicted scores are not finite")
    if len(guess) < 2 or np.ptp(guess) == 0 or np.ptp(truth) == 0:
        return {"pearson": 0.0, "spearman": 0.0}
    with warnings.catch_warnings():  # scipy warns of nearly constant values, whose correlation is mostly rounding
        warnings.simplefilter("ignore")
        values = {"pearson": pearsonr(guess, truth).statistic, "spearman": spearmanr(guess, truth).statistic}
    return {name: float(np.nan_to_num(value)) for name, value in values.items()}


def _tags(true: list[Any], predicted: list[Any], entity_tags: bool) -> Values:
    counts, right, words = EntityCounts(), 0, 0
    for truth, guess in zip(true, predicted, strict=True):
        if len(truth) != len(guess):
            raise ValueError(f"{len(guess)} tags are predicted for a sentence of {len(truth)} words")
        right += sum(tag == answer for tag, answer in zip(truth, guess, strict=True))
        words += len(truth)
        if entity_tags:
            counts.update(truth, guess)
    values = {"token_accuracy": right / words if words else 0.0}
    return {"entity_f1": counts.f1(), **values} if entity_tags else values


def _span(true: list[Any], predicted: list[Any]) -> Values:
    scores = [
        answer_scores(guess, [text for text, _ in answers]) for guess, answers in zip(predicted, true, strict=True)
    ]
    return {name: float(np.mean([score[name] for score in scores])) for name in ("f1", "exact_match")}
