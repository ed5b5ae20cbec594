"""The score between two measured train sizes: read off three lines through the sizes around it, with their error.

Where a size was run, its scores are measured and nothing here is used. Between two sizes the score of each seed is that
of the parabola on log n through three neighbouring sizes (the mean of two parabolas where there are four), since on
log n the recorded curves of three_claims bend least: leaving sizes out, parabolas miss by .010 (root mean square, noise
included), straight lines by .011, power laws by .011. Its mean never leaves the two scores beside it, so that the line
is monotone wherever the measured means are.

How far the true curve may be from it is not known from the seeds. Three readings of the same means are compared: the
parabolas, the straight line on log n, and the power law without a floor (log error straight on log n). Two readings
that differ by D have a sample standard deviation of D / sqrt(2), and that of the farthest one is the standard error.
tests/calibration/test_curves.py has the coverage by the shape of the curve. Two measured sizes alone tell nothing of a
bend: there the middle of both scores is taken, with the standard deviation of a place drawn evenly between them. A step
that is sharper than the sizes are apart can not be seen by any of this; only sizes that double exclude it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Size = int | float
GAP = 3.0  # ratio of neighbouring sizes up to which the error was calibrated
SMALLEST_ERROR = 1e-3  # of 1 - score, for its logarithm: a score of 1 has none


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the score with some labels follows from the scores at the measured sizes: weights, a shift, an error."""

    weights: np.ndarray  # (K,): of the score at each size; they sum to 1
    shift: np.ndarray  # (...): added to every seed's score, so that the mean stays between its neighbours
    error: np.ndarray  # (...): standard error of the interpolation, 0 at a measured size


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores with some labels by seed, measured or read between measured sizes."""

    scores: dict[int, float]
    weights: dict[Size, float]  # what each measured size counts, for errors that all sizes share
    error: float  # standard error of the interpolation, 0 where this size was run

    @property
    def measured(self) -> bool:
        """Whether this size was run."""
        return len(self.weights) == 1


def reading(sizes: Sequence[Size], means: np.ndarray, labels: float) -> Reading | None:
    """Return how the score with ``labels`` labels follows from the means at ascending ``sizes``; None beyond them.

    ``means`` is (..., K), a score for each size; leading axes are studies or tasks, each read for itself.
    """
    n = np.asarray(sizes, dtype=float)  # (K,)
    if not len(n) or not n[0] <= labels <= n[-1]:
        return None
    weights = np.zeros(len(n))
    none = np.zeros(means.shape[:-1])
    if labels in n:
        weights[int(np.flatnonzero(n == labels)[0])] = 1.0
        return Reading(weights=weights, shift=none, error=none)
    x, at = np.log(n), math.log(labels)
    right = int(np.searchsorted(x, at))
    share = (at - x[right - 1]) / (x[right] - x[right - 1])
    straight = weights.copy()
    straight[right - 1], straight[right] = 1 - share, share
    ends = means[..., right - 1], means[..., right]
    low, high = np.minimum(*ends), np.maximum(*ends)
    parabolas = [_parabola(x, at, first) for first in (right - 2, right - 1) if 0 <= first <= len(x) - 3]
    if not parabolas:
        middle = 0.5 * (straight > 0)
        return Reading(weights=middle, shift=none, error=(high - low) / math.sqrt(12))
    weights = np.mean(parabolas, axis=0)
    raw = means @ weights
    value = np.clip(raw, low, high)
    errors = [np.maximum(1 - end, SMALLEST_ERROR) for end in ends]
    others = [means @ straight, 1 - errors[0] ** (1 - share) * errors[1] ** share, *(means @ one for one in parabolas)]
    farthest = np.max([np.abs(one - value) for one in others], axis=0)
    wider = max(1.0, (x[right] - x[right - 1]) / math.log(GAP)) ** 3
    return Reading(weights=weights, shift=value - raw, error=farthest / math.sqrt(2) * wider)


def scores_at(measured: Mapping[Size, Mapping[int, float]], labels: float) -> Scores | None:
    """Return the scores with ``labels`` labels by seed, from those of the measured sizes; None beyond them.

    A seed counts that has all sizes which are read. A third size that would cost a seed of the two beside ``labels`` is
    not read.
    """
    sizes = sorted(size for size, scores in measured.items() if scores)
    if not sizes or not sizes[0] <= labels <= sizes[-1]:
        return None
    if own := measured.get(labels):
        return Scores(scores=dict(own), weights={labels: 1.0}, error=0.0)
    right = next(place for place, size in enumerate(sizes) if size > labels)
    seeds = set(measured[sizes[right - 1]]) & set(measured[sizes[right]])
    first, last = right - 1, right + 1
    if first > 0 and seeds <= set(measured[sizes[first - 1]]):
        first -= 1
    if last < len(sizes) and seeds <= set(measured[sizes[last]]):
        last += 1
    near = sizes[first:last]
    if not seeds:
        return None
    table = np.array([[measured[size][seed] for size in near] for seed in sorted(seeds)])  # (S, K)
    how = reading(near, table.mean(axis=0), labels)
    assert how is not None
    values = table @ how.weights + float(how.shift)
    return Scores(
        scores={seed: float(value) for seed, value in zip(sorted(seeds), values, strict=True)},
        weights={size: float(weight) for size, weight in zip(near, how.weights, strict=True)},
        error=float(how.error),
    )


def shifted(how: Reading, table: np.ndarray) -> np.ndarray:
    """Return the score of each seed by a reading; ``table`` is (..., S, K), the result (..., S)."""
    return np.asarray(table @ how.weights + how.shift[..., None])


def _parabola(x: np.ndarray, at: float, first: int) -> np.ndarray:
    """Return the weights of the parabola through three points of ``x`` from ``first`` on (Lagrange)."""
    weights = np.zeros(len(x))
    places = range(first, first + 3)
    for own in places:
        weights[own] = math.prod((at - x[rest]) / (x[own] - x[rest]) for rest in places if rest != own)
    return weights
