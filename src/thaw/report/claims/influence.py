"""What each test text contributes to a run's test score: the influence values of its metric.

The score of other test texts would differ from the one measured by the mean of ``values`` over the texts drawn, to
first order (the infinitesimal jackknife: Efron and Tibshirani 1993, chapter 21): its squared standard error is their
variance over their number. A ratio of sums (accuracy, entity F1, the F1 of answers) has them from the credits in
predictions.jsonl.gz, the other metrics from labels and predictions. Not for bits, perplexity, or a plug-in's metric.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np

from thaw.report.collect import Run
from thaw.track import bounded
from thaw.track.folder import PREDICTIONS

CACHED = 4096  # runs whose values are held: 60 MB at 2,000 test texts
# What ends a line with a credit. A quote inside a text is escaped, so that no text can look like a key.
CREDIT = re.compile(rb'"label": ?(.*), ?"credit": ?\[([0-9.e+-]+), ?([0-9.e+-]+)\]\}')
MOST_VALUES = 10**8  # of texts x classes: 800 MB
F1_FITS = 0.002  # how near the F1 of a class must be to the run's own, for that class to be the positive one


@dataclass(frozen=True, kw_only=True)
class Influence:
    """Influence values of the test texts (N,), their mean zero, and a digest of the labels in their order."""

    values: np.ndarray
    labels: bytes


def influence(run: Run) -> Influence | None:
    """Return the influence values of a run's test texts, None without predictions or for a metric not known here."""
    path = os.path.join(run.folder, PREDICTIONS)
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:
        return None
    return _read(path, changed, str(run["metric"]), run["test"])


@lru_cache(maxsize=CACHED)
def _read(path: str, changed: int, metric: str, test: float | None) -> Influence | None:
    try:
        content = bounded.unpacked(path).strip()
        pair = _credited(content) or _parsed(content, metric, test)
    except (OSError, ValueError, AttributeError, TypeError, ArithmeticError, LookupError, RecursionError):
        return None  # a damaged file: the score stands in the run's result, the texts are not known
    if pair is None or not np.isfinite(pair[0]).all():
        return None
    values, labels = pair
    digest = blake2b(labels, digest_size=16).digest()
    return Influence(values=values - values.mean(), labels=digest)


def _credited(content: bytes) -> tuple[np.ndarray, bytes] | None:
    """Return (values, labels) of lines with credits, None where a line has none or is written otherwise.

    Only what is needed is cut out of the lines: to parse the scores of all classes takes six times as long.
    """
    ends = CREDIT.findall(content)
    if not ends or len(ends) != content.count(b"\n") + 1:
        return None
    labels, parts, wholes = zip(*ends, strict=True)
    return _of_credits(np.array(parts).astype(float), np.array(wholes).astype(float)), b"\n".join(labels)


def _parsed(content: bytes, metric: str, test: float | None) -> tuple[np.ndarray, bytes] | None:
    """Return (values, labels) of lines as JSON."""
    lines = json.loads(b"[" + content.replace(b"\n", b",") + b"]")
    labels = [line.get("label") for line in lines]
    values = _values(lines, labels, metric, test) if lines else None
    return (
        None
        if values is None
        else (
            values,
            b"\n".join(json.dumps(label, ensure_ascii=False, separators=(",", ":")).encode() for label in labels),
        )
    )


def _of_credits(parts: np.ndarray, wholes: np.ndarray) -> np.ndarray:
    """Return the values of a ratio of sums; all 0 where nothing is counted."""
    if not wholes.sum():
        return np.zeros_like(parts)
    return np.asarray((parts - wholes * parts.sum() / wholes.sum()) / wholes.mean())


def _values(lines: list[dict[str, Any]], labels: list[Any], metric: str, test: float | None) -> np.ndarray | None:
    if all(line.get("credit") for line in lines):
        parts, wholes = np.array([line["credit"] for line in lines], dtype=float).T
        return _of_credits(parts, wholes)
    if metric not in _METRICS or None in labels:
        return None
    guesses = [line["prediction"] for line in lines]
    if metric in ("pearson", "spearman"):
        return _METRICS[metric](np.array(labels, dtype=float), np.array(guesses, dtype=float), test)
    numbers = {name: number for number, name in enumerate(sorted({*map(str, labels), *map(str, guesses)}))}
    true, guess = (np.array([numbers[str(label)] for label in side]) for side in (labels, guesses))
    return _METRICS[metric](true, guess, test)


def _class_f1(true: np.ndarray, guess: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the F1 of each class (C,) and its influence values (N, C); ValueError where that is too much."""
    if len(true) * (int(max(true.max(), guess.max())) + 1) > MOST_VALUES:
        raise ValueError("a class for nearly every text: a file of something else")
    classes = np.arange(max(true.max(), guess.max()) + 1)
    is_true, is_guess = true[:, None] == classes, guess[:, None] == classes
    parts, wholes = 2.0 * (is_true & is_guess), is_true.astype(float) + is_guess
    score = parts.sum(0) / wholes.sum(0)
    return score, (parts - wholes * score) / wholes.mean(0)


def _macro_f1(true: np.ndarray, guess: np.ndarray, test: float | None) -> np.ndarray:
    return np.asarray(_class_f1(true, guess)[1].mean(axis=1))


def _binary_f1(true: np.ndarray, guess: np.ndarray, test: float | None) -> np.ndarray | None:
    """Return the values of the class whose F1 the run recorded; None where it is that of neither."""
    scores, values = _class_f1(true, guess)
    if test is None or abs(scores - test).min() > F1_FITS:
        return None
    return np.asarray(values[:, abs(scores - test).argmin()])


def _ratio(xy: float, xx: float, yy: float, values: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the influence values of ``xy / sqrt(xx yy)`` from those of its three parts."""
    if xx <= 0 or yy <= 0:
        return np.zeros_like(values[0])  # a constant has no correlation with anything: 0 whatever the texts
    return np.asarray((values[0] - xy / 2 * (values[1] / xx + values[2] / yy)) / np.sqrt(xx * yy))


def _matthews(true: np.ndarray, guess: np.ndarray, test: float | None) -> np.ndarray:
    """Matthews' correlation of several classes is that of the one-hot vectors (Gorodkin 2004)."""
    classes = int(max(true.max(), guess.max())) + 1
    t, p = (np.bincount(side, minlength=classes) / len(side) for side in (true, guess))
    right = true == guess
    covariance = right.mean() - t @ p
    values = (right - p[true] - t[guess] + 2 * t @ p, -2 * (t[true] - t @ t), -2 * (p[guess] - p @ p))
    return _ratio(float(covariance), float(1 - t @ t), float(1 - p @ p), values)


def _pearson(true: np.ndarray, guess: np.ndarray, test: float | None) -> np.ndarray:
    x, y = true - true.mean(), guess - guess.mean()
    return _ratio(float((x * y).mean()), float((x * x).mean()), float((y * y).mean()), (x * y, x * x, y * y))


def _spearman(true: np.ndarray, guess: np.ndarray, test: float | None) -> np.ndarray:
    """The ranks are of the texts drawn too: a text moves the ranks of the others (Croux and Dehon 2010)."""
    from scipy.stats import rankdata

    count = len(true)
    f, g = ((rankdata(side) - 0.5) / count - 0.5 for side in (true, guess))
    xy, xx, yy = float((f * g).mean()), float((f * f).mean()), float((g * g).mean())
    values = f * g + _above(true, g) + _above(guess, f)
    return _ratio(xy, xx, yy, (values, f * f + 2 * _above(true, f), g * g + 2 * _above(guess, g)))


def _above(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return for each value the mean over all texts of the weights of greater values, half of those of equal ones."""
    _, group = np.unique(values, return_inverse=True)
    sums = np.bincount(group, weights)
    after = sums.sum() - np.cumsum(sums)
    return np.asarray((after + sums / 2)[group] / len(values))


_METRICS: dict[str, Callable[[np.ndarray, np.ndarray, float | None], np.ndarray | None]] = {
    "macro_f1": _macro_f1,
    "f1": _binary_f1,
    "matthews": _matthews,
    "pearson": _pearson,
    "spearman": _spearman,
}
