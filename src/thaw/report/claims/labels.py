"""Claim 3, fewer labels: how many labels from scratch are worth n labels with transfer.

The verdict asks the plain question, whether transfer with n labels is better than scratch with ``rule.fewer`` times n
(fewer.py). The exchange rate is the inverse. Its interval holds every number of labels N at which
``transfer(n) - scratch(N)`` is not told from zero by the paired t test (the idea of Fieller 1940); the error of reading
between sizes (between.py) and that of the test texts are in it. Beyond the measured sizes nothing is extrapolated: an
end that runs out of them is open, shown as "> 10x".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thaw.report.arms import Arm
from thaw.report.claims.between import reading
from thaw.report.claims.fewer import fewer
from thaw.report.claims.judge import Effects
from thaw.report.claims.resampling import drawn
from thaw.report.claims.sides import Sides, Size

GRID = 241  # places between the smallest and the largest size at which the difference is tested


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """``labels`` labels with transfer are worth ``worth`` from scratch.

    ``low`` and ``high`` end the interval; None is an end beyond the measured sizes, ``least`` and ``most`` of them.
    ``worth`` is None where the scores themselves are beyond: ``beyond`` says on which side.
    """

    task: str
    arm: Arm
    labels: Size
    worth: float | None
    low: float | None
    high: float | None
    least: Size
    most: Size
    beyond: str  # "above", "below" or ""
    seeds: int

    @property
    def rate(self) -> str:
        """The multiplier in words: "7.3x [5.5, 9.5]", "> 10x"."""
        over, under = f"> {_times(self.most, self.labels)}", f"< {_times(self.least, self.labels)}"
        point = {"above": over, "below": under}.get(self.beyond) or _times(self.worth, self.labels)
        if self.beyond and self.low is None and self.high is None:
            return f"{point}x"
        ends = (
            (_times(self.low, self.labels) if self.low else under),
            (_times(self.high, self.labels) if self.high else over),
        )
        return f"{point}x [{ends[0]}, {ends[1]}]"


def exchange(sides: Sides, task: str, arm: Arm, level: float = 0.95) -> list[Exchange]:
    """Return the exchange rate at each size of an arm on a task; empty without scratch at two sizes."""
    scratch = sides.scratch(task, arm)
    if scratch is None:
        return []
    sizes = sides.sizes(task, scratch)
    curves = _curves(sides, task, scratch, sizes)
    if len(sizes) < 2 or len(curves) < 2:
        return []
    grid = places(sizes)
    seeds = sorted(curves)
    table = np.array([curves[seed] for seed in seeds])  # (S, K)
    how = reading(sizes, table.mean(axis=0), list(grid))
    lines, between = how.scores(table), how.error  # (S, grid), (grid,)
    made = []
    for labels in sides.sizes(task, arm):
        scores = sides.scores(task, arm, labels)
        shared = [place for place, seed in enumerate(seeds) if seed in scores]
        if len(shared) > 1:
            gaps = np.array([scores[seeds[place]] for place in shared])[:, None] - lines[shared]  # (S, grid)
            texts = _text_errors(sides, task, scratch, arm, labels, grid)
            made.append(_invert(gaps, np.hypot(between, texts), grid, task, arm, labels, sizes, level))
    return made


def places(sizes: Sequence[Size]) -> np.ndarray:
    """Return the numbers of labels at which the difference is tested, (grid,): even on log n, measured sizes exact."""
    n = np.array(sizes, dtype=float)
    grid = np.exp(np.linspace(math.log(n[0]), math.log(n[-1]), GRID)).clip(n[0], n[-1])
    near = np.abs(grid[:, None] / n - 1) < 1e-9
    return np.where(near.any(axis=1), n[near.argmax(axis=1)], grid)


def _invert(
    gaps: np.ndarray, errors: np.ndarray, grid: np.ndarray, task: str, arm: Arm, labels: Size, sizes: list[Size],
    level: float,
) -> Exchange:  # fmt: skip
    """Return the exchange rate of some labels; ``gaps`` is (S, grid), ``errors`` what the seeds do not show of it."""
    means = gaps.mean(axis=0)
    inside = np.flatnonzero(np.abs(means) <= half_width(gaps, errors, level))  # no difference is told there
    falling = np.minimum.accumulate(means)  # scratch is taken not to lose by more labels
    beyond = "above" if falling[-1] > 0 else "below" if falling[0] < 0 else ""
    worth = None
    if not beyond:
        at = int(np.argmax(falling <= 0))
        worth = float(grid[at]) if at == 0 else _crossing(grid, falling, at)
    low = high = None
    if len(inside):
        low = float(grid[inside[0]]) if inside[0] > 0 else None
        high = float(grid[inside[-1]]) if inside[-1] < len(grid) - 1 else None
    elif worth is not None:  # a steep curve: the interval is narrower than a step of the grid
        at = int(np.argmax(falling <= 0))
        low, high = float(grid[max(0, at - 1)]), float(grid[at])
    return Exchange(
        task=task, arm=arm, labels=labels, worth=worth, low=low, high=high, least=sizes[0], most=sizes[-1],
        beyond=beyond, seeds=len(gaps),
    )  # fmt: skip


def half_width(gaps: np.ndarray, errors: np.ndarray, level: float) -> np.ndarray:
    """Return half the interval of the mean over seeds at each place, as `statistics.estimate` does for one.

    The degrees of freedom of a shared error are times the ratio of the squared errors, as there.
    ``gaps`` is (..., S, grid), ``errors`` (..., grid) the standard errors that the seeds do not show.
    """
    from scipy.special import stdtrit

    count = gaps.shape[-2]
    own = gaps.std(axis=-2, ddof=1) / math.sqrt(count)
    whole = np.hypot(own, errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(own > 1e-9 * whole, (count - 1) * (whole / own) ** 2, np.inf)
    return np.asarray(stdtrit(df, 0.5 + level / 2) * whole)


def _crossing(grid: np.ndarray, falling: np.ndarray, at: int) -> float:
    before, after = float(falling[at - 1]), float(falling[at])
    share = before / (before - after) if before > after else 1.0
    return float(math.exp(math.log(grid[at - 1]) + share * (math.log(grid[at]) - math.log(grid[at - 1]))))


def _curves(sides: Sides, task: str, arm: Arm, sizes: list[Size]) -> dict[int, list[float]]:
    """Return the scores over all sizes of each seed that has them all."""
    scores = [sides.scores(task, arm, size) for size in sizes]
    seeds = set.intersection(*map(set, scores)) if scores else set()
    return {seed: [values[seed] for values in scores] for seed in sorted(seeds)}


def _text_errors(sides: Sides, task: str, scratch: Arm, arm: Arm, labels: Size, grid: np.ndarray) -> np.ndarray:
    """Return the error that the test texts add to transfer with some labels minus scratch, (grid,); 0 if not known.

    Between scratch's sizes it is taken as straight on log n.
    """
    own = sides.all_runs(task, arm, labels)
    sizes = sides.sizes(task, scratch)
    found = [drawn([(1.0, own), (-1.0, sides.all_runs(task, scratch, size))]) for size in sizes]
    return np.asarray(np.interp(np.log(grid), np.log(sizes), [one.error if one else 0.0 for one in found]))


def effects(sides: Sides) -> Effects:
    """Return for each task and seed the mean score of transfer with n labels minus scratch with ``rule.fewer`` n."""
    return fewer(sides).effects


def area(sides: Sides, task: str, arm: Arm) -> dict[int, float]:
    """Return for each seed the mean score over log n between the smallest and the largest size (trapezoids)."""
    sizes = sides.sizes(task, arm)
    if len(sizes) < 2:
        return {}
    x = np.log(sizes)
    curves = _curves(sides, task, arm, sizes)
    return {seed: float(np.trapezoid(curve, x) / (x[-1] - x[0])) for seed, curve in curves.items()}


def _times(labels: float | None, base: Size) -> str:
    value = (labels or 0.0) / base
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"
