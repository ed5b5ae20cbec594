"""Studies whose learning curves bend: transfer scores exactly as scratch does with twice the labels: no effect.

Thousands of studies at once, as arrays: (studies, seeds, tasks, sizes). The readings between sizes and the intervals
are the product's own functions (`between.reading`, `labels.half_width`); that the sums around them are those of the
product too is a test of its own (test_curves.py). Noise is that of simulated.py: a seed's subset moves both arms alike
at a size (sd .01), each run has its own (sd .015).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thaw.report.claims.between import reading, together
from thaw.report.claims.labels import GRID, half_width, places

Array = NDArray[np.float64]
SHARED, OWN, LEVEL = 0.01, 0.015, 0.95
DESIGNS = ((1, 3), (1, 5), (3, 5))  # tasks, seeds


def power(exponent: float, floor: float = 0.0) -> Callable[[Array], Array]:
    """Return a score whose error above ``floor`` falls as n^-exponent, from .5 in all at 50 labels."""
    return lambda n: 1 - floor - (0.5 - floor) * (n / 50) ** -exponent


def logistic(middle: float, width: float) -> Callable[[Array], Array]:
    """Return a score that rises from .35 to .9 as an S on log n."""
    return lambda n: 0.35 + 0.55 / (1 + np.exp(-(np.log(n) - math.log(middle)) / width))


CURVES: dict[str, Callable[[Array], Array]] = {
    "straight on log n": lambda n: 0.4 + 0.1 * np.log(n / 50),
    "error n^-.25": power(0.25),
    "error n^-.5": power(0.5),
    "error n^-1": power(1.0),
    "error n^-1 above .2": power(1.0, 0.2),
    "S at 100": logistic(100, 0.4),
    "S at 150": logistic(150, 0.4),
    "S at 250": logistic(250, 0.4),
    "wide S at 150": logistic(150, 0.7),
    "steep S at 150": logistic(150, 0.25),
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Shares of the studies: intervals that hold the truth, and those that lie above it."""

    covered: float
    above: float
    half: float  # mean half width of the interval, in score (n against 2n) or natural logarithm (exchange rates)


def draws(
    curve: Callable[[Array], Array],
    sizes: tuple[int, ...],
    tasks: int,
    seeds: int,
    studies: int,
    draw: np.random.Generator,
) -> tuple[Array, Array]:
    """Return the scores of scratch and of transfer, which is worth twice its labels: (studies, seeds, tasks, sizes)."""
    n = np.array(sizes, dtype=float)
    shared = draw.normal(0, SHARED, (studies, seeds, tasks, len(n)))
    scratch = curve(n) + shared + draw.normal(0, OWN, shared.shape)
    return scratch, curve(2 * n) + shared + draw.normal(0, OWN, shared.shape)


def against_twice(scratch: Array, transfer: Array, sizes: tuple[int, ...]) -> tuple[Array, Array]:
    """Return transfer with n labels minus scratch with 2n, (studies, seeds, tasks), and the error, (studies, tasks)."""
    parts, readings = [], []
    for place, labels in enumerate(sizes):
        if 2 * labels <= sizes[-1]:
            how = reading(sizes, scratch.mean(axis=1), [2 * labels])
            worth = how.scores(np.moveaxis(scratch, 1, 2))[..., 0]  # (studies, tasks, seeds)
            parts.append(transfer[..., place] - np.moveaxis(worth, 1, 2))
            readings.append(how)
    return np.mean(parts, axis=0), together(readings, [sizes] * len(readings))


def effect(curve: str, sizes: tuple[int, ...], tasks: int, seeds: int, studies: int, seed: int = 0) -> Answer:
    """Return how often the interval of "n against 2n" holds its truth, 0."""
    scratch, transfer = draws(CURVES[curve], sizes, tasks, seeds, studies, np.random.default_rng(seed))
    effects, errors = against_twice(scratch, transfer, sizes)
    means = effects.mean(axis=2)[..., None]  # over tasks: (studies, seeds, 1)
    error = np.sqrt((errors**2).sum(axis=1)) / tasks
    half = half_width(means, error[:, None], LEVEL)[:, 0]
    middle = means.mean(axis=1)[:, 0]
    return Answer(covered=float((np.abs(middle) <= half).mean()), above=float((middle > half).mean()),
                  half=float(half.mean()))  # fmt: skip


def rate(curve: str, sizes: tuple[int, ...], labels: int, seeds: int, studies: int, seed: int = 0) -> Answer:
    """Return how often the interval of the exchange rate of ``labels`` labels on one task holds its truth, 2n."""
    scratch, transfer = draws(CURVES[curve], sizes, 1, seeds, studies, np.random.default_rng(seed))
    scratch, own = scratch[:, :, 0], transfer[:, :, 0, sizes.index(labels)]  # (studies, seeds, sizes), (studies, seeds)
    grid = places(sizes)
    how = reading(sizes, scratch.mean(axis=1), list(grid))
    gaps = own[..., None] - how.scores(scratch)  # (studies, seeds, grid)
    inside = np.abs(gaps.mean(axis=1)) <= half_width(gaps, how.error, LEVEL)
    low = np.where(inside[:, 0], 0.0, grid[inside.argmax(axis=1)])
    last = GRID - 1 - inside[:, ::-1].argmax(axis=1)
    high = np.where(inside[:, -1], np.inf, grid[last])
    none = ~inside.any(axis=1)  # the curve is crossed within a step of the grid, or the score is beyond its ends
    holds = (low <= 2 * labels) & (2 * labels <= high) & ~none
    known = ~none & (low > 0) & np.isfinite(high)
    width = np.log(high[known] / low[known]) / 2 if known.any() else np.array([np.nan])
    return Answer(covered=float(holds.mean()), above=float((low > 2 * labels).mean()), half=float(width.mean()))
