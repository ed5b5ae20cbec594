"""The score between two measured train sizes: read off three lines through the sizes around it, with their error.

Where a size was run, its scores are measured and nothing here is used. Between two sizes the score of each seed is that
of the parabola on log n through three neighbouring sizes (the mean of two parabolas where there are four), since on
log n the recorded curves of three_claims bend least: leaving sizes out, parabolas miss by .010 (root mean square, noise
included), straight lines by .011, power laws by .011. Its mean never leaves the two scores beside it, so that the line
is monotone wherever the measured means are.

How far the true curve may be from it is not known from the seeds. Two errors are told apart:

* The bend. Three readings of the same means are compared: the parabolas, the straight line on log n, and the power law
  without a floor (log error straight on log n). Two readings that differ by D have a sample standard deviation of
  D / sqrt(2), and that of the farthest one is the standard error; for gaps wider than threefold it grows with their
  third power, as the error of a parabola does.
* The sway: an S that passes through the three sizes of a parabola moves none of them. Cubics through three points on a
  line stay monotone while k in y = r (u + k u (u^2 - 1)) is between -1/2 and 1; drawn evenly, k has a standard
  deviation of 1.5 / sqrt(12). The same S moves readings left and right of the middle size to opposite sides
  (`together`). Two parabolas show it by their difference, so there is none beside them.

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
    bend: np.ndarray  # (...): standard error from the bend of the curve, 0 at a measured size
    sway: np.ndarray  # (...): the same from an S that the sizes do not show, with the side to which it goes here

    @property
    def error(self) -> np.ndarray:
        """Standard error of the interpolation, (...)."""
        return np.asarray(np.hypot(self.bend, self.sway))


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores with some labels by seed, measured or read between measured sizes."""

    scores: dict[int, float]
    sizes: list[Size]  # from which it is read
    reading: Reading

    @property
    def weights(self) -> dict[Size, float]:
        """What each measured size counts, for errors that all sizes share."""
        return {size: float(weight) for size, weight in zip(self.sizes, self.reading.weights, strict=True) if weight}

    @property
    def measured(self) -> bool:
        """Whether this size was run."""
        return len(self.weights) == 1

    @property
    def error(self) -> float:
        """Standard error of the interpolation, 0 where this size was run."""
        return float(self.reading.error)


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
        return Reading(weights=weights, shift=none, bend=none, sway=none)
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
        return Reading(weights=middle, shift=none, bend=(high - low) / math.sqrt(12), sway=none)
    weights = np.mean(parabolas, axis=0)
    raw = means @ weights
    value = np.clip(raw, low, high)
    errors = [np.maximum(1 - end, SMALLEST_ERROR) for end in ends]
    others = [means @ straight, 1 - errors[0] ** (1 - share) * errors[1] ** share, *(means @ one for one in parabolas)]
    farthest = np.max([np.abs(one - value) for one in others], axis=0)
    wider = max(1.0, (x[right] - x[right - 1]) / math.log(GAP)) ** 3
    sway = _sway(x, means, at, np.flatnonzero(weights)) if len(parabolas) == 1 else none
    return Reading(weights=weights, shift=value - raw, bend=farthest / math.sqrt(2) * wider, sway=sway)


def together(readings: Sequence[Reading], sizes: Sequence[Sequence[Size]]) -> np.ndarray:
    """Return the standard error of the mean of several readings of one curve, (...); ``sizes`` holds those of each.

    Bends add up, since one curve bends one way. The sways of readings by the same three sizes are of one S; those by
    other sizes are independent.
    """
    count = len(readings)
    bend = np.sum([one.bend for one in readings], axis=0) / count
    by_sizes: dict[tuple[Size, ...], list[np.ndarray]] = {}
    for one, own in zip(readings, sizes, strict=True):
        read = tuple(size for size, weight in zip(own, one.weights, strict=True) if weight)
        by_sizes.setdefault(read, []).append(one.sway)
    squares = [(np.sum(parts, axis=0) / count) ** 2 for parts in by_sizes.values()]
    return np.asarray(np.sqrt(bend**2 + np.sum(squares, axis=0)))


def scores_at(measured: Mapping[Size, Mapping[int, float]], labels: float) -> Scores | None:
    """Return the scores with ``labels`` labels by seed, from those of the measured sizes; None beyond them.

    A seed counts that has all sizes which are read. A third size that would cost a seed of the two beside ``labels`` is
    not read.
    """
    sizes = sorted(size for size, scores in measured.items() if scores)
    if not sizes or not sizes[0] <= labels <= sizes[-1]:
        return None
    if own := measured.get(labels):
        how = reading([labels], np.zeros(1), labels)
        assert how is not None
        return Scores(scores=dict(own), sizes=[labels], reading=how)
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
    values = shifted(how, table)
    return Scores(scores=dict(zip(sorted(seeds), map(float, values), strict=True)), sizes=near, reading=how)


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


def _sway(x: np.ndarray, means: np.ndarray, at: float, places: np.ndarray) -> np.ndarray:
    """Return the standard deviation at ``at`` of an S that the three ``places`` do not show, with its side; (...)."""
    low, middle, high = x[places]
    half = (high - low) / 2
    rise = np.abs(means[..., places[2]] - means[..., places[0]]) / 2  # for each half
    return np.asarray(1.5 / math.sqrt(12) * rise * (at - low) * (at - middle) * (at - high) / half**3)
