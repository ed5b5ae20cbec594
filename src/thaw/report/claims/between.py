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
from functools import lru_cache

import numpy as np

Size = int | float
GAP = 3.0  # ratio of neighbouring sizes up to which the error was calibrated
SMALLEST_ERROR = 1e-3  # of 1 - score, for its logarithm: a score of 1 has none


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the scores at G places follow from the scores at K measured sizes: weights, a shift, an error."""

    weights: np.ndarray  # (G, K): of the score at each size; a row sums to 1
    shift: np.ndarray  # (..., G): added to every seed's score, so that the mean stays between its neighbours
    bend: np.ndarray  # (..., G): standard error from the bend of the curve, 0 at a measured size
    sway: np.ndarray  # (..., G): the same from an S that the sizes do not show, with the side to which it goes there

    @property
    def error(self) -> np.ndarray:
        """Standard error of the interpolation, (..., G)."""
        return np.asarray(np.hypot(self.bend, self.sway))

    def scores(self, table: np.ndarray) -> np.ndarray:
        """Return the score of each seed at each place, (..., S, G), from those at the sizes, (..., S, K)."""
        return np.asarray(table @ self.weights.T + self.shift[..., None, :])


@dataclass(frozen=True, kw_only=True)
class _Rules:
    """What the sizes alone say of some places, row by row; (G, K) or (G,)."""

    weights: np.ndarray  # of the reading
    lines: list[np.ndarray]  # of the lines it is compared with: straight, and each parabola
    right: np.ndarray  # place of the next size to the right
    share: np.ndarray  # of the gap, from the size to the left
    alone: np.ndarray  # whether there is no third size
    wider: np.ndarray  # factor on the bend; 0 at a measured size
    sway: np.ndarray  # factor on the rise from the first to the last size of the only parabola, else 0
    ends: np.ndarray  # (G, 2): places of those sizes


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores with some labels by seed, measured or read between measured sizes."""

    scores: dict[int, float]
    sizes: list[Size]  # from which it is read
    reading: Reading

    @property
    def weights(self) -> dict[Size, float]:
        """What each measured size counts, for errors that all sizes share."""
        return {size: float(weight) for size, weight in zip(self.sizes, self.reading.weights[0], strict=True) if weight}

    @property
    def measured(self) -> bool:
        """Whether this size was run."""
        return len(self.weights) == 1

    @property
    def error(self) -> float:
        """Standard error of the interpolation, 0 where this size was run."""
        return float(self.reading.error[0])


def reading(sizes: Sequence[Size], means: np.ndarray, places: Sequence[float]) -> Reading:
    """Return how the scores at some numbers of labels follow from the means at ascending ``sizes``, none beyond them.

    ``means`` is (..., K), a score for each size; leading axes are studies or tasks, each read for itself.
    """
    rules = _rules(tuple(map(float, sizes)), tuple(map(float, places)))
    left, right = means[..., rules.right - 1], means[..., rules.right]  # (..., G)
    low, high = np.minimum(left, right), np.maximum(left, right)
    raw = means @ rules.weights.T
    value = np.clip(raw, low, high)
    errors = [np.maximum(1 - end, SMALLEST_ERROR) for end in (left, right)]
    power = 1 - errors[0] ** (1 - rules.share) * errors[1] ** rules.share
    farthest = np.max(
        [np.abs(line - value) for line in (power, *(means @ weights.T for weights in rules.lines))], axis=0
    )
    bend = rules.wider * np.where(rules.alone, (high - low) / math.sqrt(12), farthest / math.sqrt(2))
    rise = np.abs(means[..., rules.ends[:, 1]] - means[..., rules.ends[:, 0]])
    shift = np.where(rules.wider > 0, value - raw, 0.0)
    return Reading(weights=rules.weights, shift=shift, bend=bend, sway=rules.sway * rise)


@lru_cache(maxsize=256)  # the same sizes and places come for every task, arm and seed
def _rules(sizes: tuple[float, ...], places: tuple[float, ...]) -> _Rules:
    n = np.array(sizes)
    x, count = np.log(n), len(sizes)
    weights, straight = np.zeros((len(places), count)), np.zeros((len(places), count))
    parabolas = np.zeros((2, len(places), count))
    right = np.ones(len(places), dtype=int)
    share, wider, sway = np.zeros(len(places)), np.zeros(len(places)), np.zeros(len(places))
    alone, ends = np.zeros(len(places), dtype=bool), np.zeros((len(places), 2), dtype=int)
    for row, labels in enumerate(places):
        if not n[0] <= labels <= n[-1]:
            raise ValueError(f"{labels:g} labels are not between {n[0]:g} and {n[-1]:g}")
        if labels in sizes:
            own = sizes.index(labels)
            weights[row, own] = straight[row, own] = 1.0
            parabolas[:, row, own] = 1.0
            right[row] = max(1, own) if count > 1 else 0
            continue
        at = math.log(labels)
        right[row] = int(np.searchsorted(x, at))
        gap = x[right[row]] - x[right[row] - 1]
        share[row] = (at - x[right[row] - 1]) / gap
        straight[row, right[row] - 1], straight[row, right[row]] = 1 - share[row], share[row]
        firsts = [first for first in (right[row] - 2, right[row] - 1) if 0 <= first <= count - 3]
        wider[row] = max(1.0, gap / math.log(GAP)) ** 3 if firsts else 1.0
        alone[row] = not firsts
        if not firsts:
            weights[row, right[row] - 1 : right[row] + 1] = 0.5
            parabolas[:, row] = weights[row]
            continue
        for place, first in enumerate((firsts[0], firsts[-1])):
            parabolas[place, row] = _parabola(x, at, first)
        weights[row] = parabolas[:, row].mean(axis=0)
        if len(firsts) == 1:
            sway[row], ends[row] = _sway(x[firsts[0] : firsts[0] + 3], at), (firsts[0], firsts[0] + 2)
    return _Rules(
        weights=weights, lines=[straight, *parabolas], right=right, share=share, alone=alone, wider=wider, sway=sway,
        ends=ends,
    )  # fmt: skip


def together(readings: Sequence[Reading], sizes: Sequence[Sequence[Size]]) -> np.ndarray:
    """Return the standard error of the mean of readings of one curve, a place each, (...); ``sizes`` are those of each.

    Bends add up, since one curve bends one way. The sways of readings by the same three sizes are of one S; those by
    other sizes are independent.
    """
    count = len(readings)
    bend = np.sum([each.bend[..., 0] for each in readings], axis=0) / count
    by_sizes: dict[tuple[Size, ...], list[np.ndarray]] = {}
    for each, near in zip(readings, sizes, strict=True):
        read = tuple(size for size, weight in zip(near, each.weights[0], strict=True) if weight)
        by_sizes.setdefault(read, []).append(each.sway[..., 0])
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
        return Scores(scores=dict(own), sizes=[labels], reading=reading([labels], np.zeros(1), [labels]))
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
    how = reading(near, table.mean(axis=0), [labels])
    values = how.scores(table)[:, 0]
    return Scores(scores=dict(zip(sorted(seeds), map(float, values), strict=True)), sizes=near, reading=how)


def _parabola(x: np.ndarray, at: float, first: int) -> np.ndarray:
    """Return the weights of the parabola through three points of ``x`` from ``first`` on (Lagrange)."""
    weights = np.zeros(len(x))
    places = range(first, first + 3)
    for own in places:
        weights[own] = math.prod((at - x[rest]) / (x[own] - x[rest]) for rest in places if rest != own)
    return weights


def _sway(three: np.ndarray, at: float) -> float:
    """Return the deviation at ``at`` of an S that ``three`` places do not show, with its side; for a rise of 1."""
    low, middle, high = three
    half = (high - low) / 2
    return float(1.5 / math.sqrt(12) / 2 * (at - low) * (at - middle) * (at - high) / half**3)
