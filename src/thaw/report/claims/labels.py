"""Claim 3, fewer labels: how many labels from scratch are worth n labels with transfer.

The exchange rate comes from measured points alone. Scratch's curve is interpolated between its sizes on log n, each
seed for itself; its interval inverts the paired t test: it holds every number of labels N at which the difference
``transfer(n) - scratch(N)`` is not told from zero (the idea of Fieller 1940). Beyond the measured sizes nothing is
extrapolated: an end that runs out of them is open, shown as "> 10x".

The verdict asks a plainer question, without an inverse: is transfer with n labels better than scratch with
``rule.fewer`` times n? It must be so at equal labels too (verdict.py): where more labels do not help scratch, such as
in too few steps, being above scratch with more of them means nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thaw.report.arms import Arm
from thaw.report.claims.judge import Effects
from thaw.report.claims.sides import Sides, Size, difference, mean_effect
from thaw.report.statistics import critical

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
    grid = np.exp(np.linspace(math.log(sizes[0]), math.log(sizes[-1]), GRID))
    lines = {seed: np.interp(np.log(grid), np.log(sizes), curve) for seed, curve in curves.items()}
    made = []
    for labels in sides.sizes(task, arm):
        scores = sides.scores(task, arm, labels)
        seeds = sorted(scores.keys() & lines.keys())
        if len(seeds) > 1:
            gaps = np.array([scores[seed] - lines[seed] for seed in seeds])  # (seeds, grid)
            made.append(_invert(gaps, grid, task, arm, labels, sizes, level))
    return made


def _invert(
    gaps: np.ndarray, grid: np.ndarray, task: str, arm: Arm, labels: Size, sizes: list[Size], level: float
) -> Exchange:
    means = gaps.mean(axis=0)
    half = critical(len(gaps), level) * gaps.std(axis=0, ddof=1) / math.sqrt(len(gaps))
    inside = np.flatnonzero(np.abs(means) <= half)  # where the paired t test sees no difference
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


def _crossing(grid: np.ndarray, falling: np.ndarray, at: int) -> float:
    before, after = float(falling[at - 1]), float(falling[at])
    share = before / (before - after) if before > after else 1.0
    return float(math.exp(math.log(grid[at - 1]) + share * (math.log(grid[at]) - math.log(grid[at - 1]))))


def _curves(sides: Sides, task: str, arm: Arm, sizes: list[Size]) -> dict[int, list[float]]:
    """Return the scores over all sizes of each seed that has them all."""
    scores = [sides.scores(task, arm, size) for size in sizes]
    seeds = set.intersection(*map(set, scores)) if scores else set()
    return {seed: [values[seed] for values in scores] for seed in sorted(seeds)}


def effects(sides: Sides) -> Effects:
    """Return for each task and seed the mean score of transfer with n labels minus scratch with ``rule.fewer`` n.

    n runs over the headline sizes whose ``rule.fewer`` fold lies within scratch's sizes.
    """
    made: dict[str, Mapping[int, float]] = {}
    arm = sides.transfer
    for task in sides.tasks if arm else []:
        assert arm is not None
        scratch = sides.scratch(task, arm)
        if scratch is None:
            continue
        parts = []
        for labels in sides.headline(task, arm):
            worth = _scratch_at(sides, task, scratch, sides.rule.fewer * labels)
            if worth is not None:
                parts.append(difference(sides.scores(task, arm, labels), worth))
        if parts:
            made[task] = mean_effect(parts)
    return made


def _scratch_at(sides: Sides, task: str, scratch: Arm, labels: float) -> dict[int, float] | None:
    """Return scratch's score with so many labels by seed, None beyond its sizes; between two of them on log n."""
    sizes = sides.sizes(task, scratch)
    if len(sizes) < 2 or not sizes[0] <= labels <= sizes[-1]:
        return None
    low, high = max(one for one in sizes if one <= labels), min(one for one in sizes if one >= labels)
    below, above = sides.scores(task, scratch, low), sides.scores(task, scratch, high)
    share = 0.0 if low == high else math.log(labels / low) / math.log(high / low)
    return {seed: (1 - share) * below[seed] + share * above[seed] for seed in sorted(below.keys() & above.keys())}


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
