"""Metrics by kind of label, as fractions, equal to scikit-learn, scipy, conlleval and SQuAD 1.1's script.

Degenerate input has the value that these tools give it, or print a warning about: a Matthews correlation is 0 where
truth or prediction is constant, F1 is 0 where no example is positive in either, the macro F1 is over the labels that
occur in truth or prediction. Pearson and Spearman, which scipy leaves undefined for constant values, are 0 there: a
constant correlates with nothing. A prediction that is not finite raises DivergedError.

Classes are counted here, in whole numbers: scikit-learn's functions cost every process 0.6 s and 77 MB to import, and
torchmetrics 1.9 gives constant predictions of two classes a Matthews correlation above 0.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

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
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)  # (true label, predicted label)
    np.add.at(counts, ([numbers[str(label)] for label in true], [numbers[str(label)] for label in predicted]), 1)
    right, of_truth, of_guess = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    both = of_truth + of_guess
    f1 = 2 * right / np.maximum(both, 1)
    values = {
        "accuracy": float(right.sum() / counts.sum()),
        "macro_f1": float(f1[both > 0].mean()),
        "matthews": _matthews(int(right.sum()), of_truth.tolist(), of_guess.tolist()),
    }
    return values if positive is None else values | {"f1": float(f1[numbers[positive]])}


def _matthews(right: int, of_truth: list[int], of_guess: list[int]) -> float:
    """Return the correlation of several classes (Gorodkin 2004) from the counts of each label, 0 where one is constant.

    Python's whole numbers have no largest one, so that nothing is rounded before the root.
    """
    every = sum(of_truth)
    spread_of_truth = every**2 - sum(count**2 for count in of_truth)
    spread_of_guess = every**2 - sum(count**2 for count in of_guess)
    if not spread_of_truth or not spread_of_guess:
        return 0.0
    shared = right * every - sum(one * two for one, two in zip(of_truth, of_guess, strict=True))
    return float(shared / (spread_of_truth**0.5 * spread_of_guess**0.5))


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
