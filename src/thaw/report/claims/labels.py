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
from thaw.report.claims.resampling import drawn
from thaw.report.claims.sides import Sides, Size
from thaw.report.statistics import FEWEST, ROUNDING, critical

GRID = 241  # places between the smallest and the largest size at which the difference is tested


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """``labels`` labels with transfer are worth ``worth`` from scratch.

    ``low`` and ``high`` end the interval; None is an end beyond the measured sizes, ``least`` and ``most`` of them.
    ``worth`` is None where the scores themselves are beyond: ``beyond`` says on which side. Under three seeds, and
    where nothing varies, there is no interval.
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
    tested: bool = True  # whether there are seeds and a spread to make an interval of
    excluded: bool = False  # whether the interval leaves out all measured sizes, so that being ``beyond`` is certain

    @property
    def rate(self) -> str:
        """The multiplier in words: "7.3x [5.5, 9.5]", "> 10x"."""
        over, under = f"> {_times(self.most, self.labels)}", f"< {_times(self.least, self.labels)}"
        point = {"above": over, "below": under}.get(self.beyond) or _times(self.worth, self.labels)
        if not self.tested:
            return f"{point}x (n = {self.seeds}: no {'test' if self.seeds < FEWEST else 'spread'})"
        if self.excluded:
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
            texts, floor = _texts(sides, task, scratch, arm, labels, grid)
            half = half_width(gaps, np.hypot(between, texts), level, floor)
            made.append(_invert(gaps, half, grid, task, arm, labels, sizes))
    return made


def places(sizes: Sequence[Size]) -> np.ndarray:
    """Return the numbers of labels at which the difference is tested, (grid,): even on log n, measured sizes exact."""
    n = np.array(sizes, dtype=float)
    grid = np.exp(np.linspace(math.log(n[0]), math.log(n[-1]), GRID)).clip(n[0], n[-1])
    near = np.abs(grid[:, None] / n - 1) < 1e-9
    return np.where(near.any(axis=1), n[near.argmax(axis=1)], grid)


def _invert(
    gaps: np.ndarray, half: np.ndarray, grid: np.ndarray, task: str, arm: Arm, labels: Size, sizes: list[Size]
) -> Exchange:
    """Return the exchange rate of some labels; ``gaps`` is (S, grid), ``half`` (grid,) of the interval of its mean."""
    means = gaps.mean(axis=0)
    tested = len(gaps) >= FEWEST and bool((half > 0).all())
    inside = np.flatnonzero(np.abs(means) <= half) if tested else np.array([], dtype=int)  # no difference is told there
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
    elif tested and worth is not None:  # a steep curve: the interval is narrower than a step of the grid
        at = int(np.argmax(falling <= 0))
        low, high = float(grid[max(0, at - 1)]), float(grid[at])
    return Exchange(
        task=task, arm=arm, labels=labels, worth=worth, low=low, high=high, least=sizes[0], most=sizes[-1],
        beyond=beyond, seeds=len(gaps), tested=tested, excluded=tested and bool(beyond) and not len(inside),
    )  # fmt: skip


def half_width(gaps: np.ndarray, errors: np.ndarray, level: float, floor: float = 0.0) -> np.ndarray:
    """Return half the interval of the mean over seeds at each place, as `statistics.estimate` makes it of one place.

    ``gaps`` is (..., S, grid), ``errors`` (..., grid) the standard errors that the seeds do not show, ``floor`` the
    least standard deviation that is believed of a gap. The half-widths of both errors are added as squares, each at its
    own critical value (Howe 1974, as in `statistics.spread_of`).
    """
    count = gaps.shape[-2]
    deviations = gaps.std(axis=-2, ddof=1)
    deviations = np.where(deviations <= ROUNDING * np.abs(gaps).max(axis=-2), 0.0, deviations)
    own = np.maximum(deviations, floor) / math.sqrt(count)
    return np.asarray(np.hypot(critical(count, level) * own, critical(math.inf, level) * errors))


def _crossing(grid: np.ndarray, falling: np.ndarray, at: int) -> float:
    before, after = float(falling[at - 1]), float(falling[at])
    share = before / (before - after) if before > after else 1.0
    return float(math.exp(math.log(grid[at - 1]) + share * (math.log(grid[at]) - math.log(grid[at - 1]))))


def _curves(sides: Sides, task: str, arm: Arm, sizes: list[Size]) -> dict[int, list[float]]:
    """Return the scores over all sizes of each seed that has them all."""
    scores = [sides.scores(task, arm, size) for size in sizes]
    seeds = set.intersection(*map(set, scores)) if scores else set()
    return {seed: [values[seed] for values in scores] for seed in sorted(seeds)}


def _texts(sides: Sides, task: str, scratch: Arm, arm: Arm, labels: Size, grid: np.ndarray) -> tuple[np.ndarray, float]:
    """Return (error that the test texts add to transfer with some labels minus scratch, (grid,); the metric's grid).

    Both are 0 if not known. Between scratch's sizes the error is taken as straight on log n. The grid of the metric is
    the standard deviation that two scores have which are rounded to one text.
    """
    own = sides.all_runs(task, arm, labels)
    sizes = sides.sizes(task, scratch)
    shares = [drawn([(1.0, own), (-1.0, sides.all_runs(task, scratch, size))]) for size in sizes]
    errors = np.interp(np.log(grid), np.log(sizes), [share.error if share else 0.0 for share in shares])
    floor = max((1 / share.examples / math.sqrt(6) for share in shares if share), default=0.0)
    return np.asarray(errors), floor


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
