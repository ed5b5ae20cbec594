"""Learning curves: error = a n^-b + c, fitted to the means of an arm over its train sizes; drawn, never extrapolated.

Source: Cortes et al. 1993 (Learning Curves: Asymptotic Values and Rate of Convergence). Where the fit misses the means
by more than their noise, or there are fewer than four sizes, the curve is the isotonic regression of the means instead.
Nothing is decided by these curves; scores between measured sizes are read by between.py.
"""

import math
from dataclasses import dataclass

import numpy as np

from thaw.report.arms import Arm
from thaw.report.claims.sides import Sides, Size
from thaw.report.statistics import Estimate, estimate

POINTS = 60


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The learning curve of an arm on a task: measured points and a line through them."""

    task: str
    arm: Arm
    sizes: list[Size]
    means: list[Estimate]
    kind: str  # "power law" or "monotone"
    parameters: tuple[float, float, float] | None  # a, b, c of the power law
    x: list[float]
    y: list[float]
    area: Estimate | None  # mean score over log n


def curve(sides: Sides, task: str, arm: Arm) -> Curve | None:
    """Return the curve of an arm on a task, None with fewer than two sizes."""
    from thaw.report.claims.labels import area

    pairs = [
        (size, one)
        for size in sides.sizes(task, arm)
        if (one := estimate(list(sides.scores(task, arm, size).values()), sides.rule.level)) is not None
    ]
    if len(pairs) < 2:
        return None
    sizes, means = [size for size, _ in pairs], [one for _, one in pairs]
    x = np.exp(np.linspace(math.log(sizes[0]), math.log(sizes[-1]), POINTS))
    fitted = power_law(sizes, means)
    if fitted is None:
        kind, y = "monotone", np.interp(np.log(x), np.log(sizes), monotone(means))
    else:
        a, b, c = fitted
        kind, y = "power law", 1 - (a * x**-b + c)
    return Curve(
        task=task, arm=arm, sizes=sizes, means=means, kind=kind, parameters=fitted, x=[float(one) for one in x],
        y=[float(one) for one in y], area=estimate(list(area(sides, task, arm).values()), sides.rule.level),
    )  # fmt: skip


def power_law(sizes: list[Size], means: list[Estimate]) -> tuple[float, float, float] | None:
    """Return (a, b, c) of error = a n^-b + c, None where it does not describe the means."""
    if len(sizes) < 4:
        return None
    from scipy.optimize import least_squares

    n = np.array(sizes, dtype=float)
    errors = 1 - np.array([one.mean for one in means])
    noise = np.array([max(0.005, (one.deviation or 0.01) / math.sqrt(one.n)) for one in means])

    def misses(values: np.ndarray) -> np.ndarray:
        a, b, c = values
        return np.asarray((a * (n / n[0]) ** -b + c - errors) / noise)

    start = [max(1e-3, errors[0] - errors[-1]), 0.5, max(0.0, errors[-1])]
    found = least_squares(misses, start, bounds=([0, 0, 0], [2, 5, 2]))
    worst = float(np.abs(found.fun).max())
    if not found.success or worst > 3:  # a point is three standard errors off: not this law
        return None
    a, b, c = (float(one) for one in found.x)
    return a * float(n[0]) ** b, b, c


def monotone(means: list[Estimate]) -> np.ndarray:
    """Return the means made non-decreasing in n, weighted by their seeds (isotonic regression)."""
    from scipy.optimize import isotonic_regression

    found = isotonic_regression([one.mean for one in means], weights=[float(one.n) for one in means])
    return np.asarray(found.x)


def crossover(one: Curve, other: Curve) -> float | None:
    """Return the size at which two curves change places between their shared sizes, None if they do not."""
    low, high = max(one.x[0], other.x[0]), min(one.x[-1], other.x[-1])
    if low >= high:
        return None
    x = np.linspace(math.log(low), math.log(high), 400)
    gap = np.interp(x, np.log(one.x), one.y) - np.interp(x, np.log(other.x), other.y)
    changes = np.flatnonzero((gap[1:] > 0) != (gap[:-1] > 0))
    return float(math.exp(x[changes[0] + 1])) if len(changes) else None
