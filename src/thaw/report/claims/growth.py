"""Where the noise-free dev curve of an arm crosses a target, from few and noisy looks at it.

The first look that is as good as a target comes too early, since of many noisy looks one is lucky; and it is only known
to lie within the grid of looks. So a curve is fitted to the mean over seeds, over the logarithm of the step: growth
with a lower and an upper end and Weibull's shape, ``low + gain (1 - exp(-exp(slope (log step - place))))``. Exponential
learning has the slope 1. All places and slopes of a grid are fitted at once, each with its best ``low`` and ``gain``
(variable projection, Golub and Pereyra 1973), and weighed by how well they fit (Bayesian model averaging, Hoeting et
al. 1999): an average does not jump as a best fit does. Where growth does not describe the curve, by a test against the
spread of the seeds, it is isotonic regression instead, interpolated in log step.

No crossing is put later than the last look. It is asked for where every run has arrived, and how far a mean curve that
ends under its target by noise might have gone on is not known: let go to three times the last step, it made two equal
arms with dev sets of 400 texts look 13 % unequal in the mean, and the interval twice as wide.

The choices were made by simulation (tests/calibration/test_time.py): isotonic regression alone covers 80 to 90 % where
this covers 93 to 96 %.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SPREAD = 0.3  # of the logarithm of the slope about exponential learning, before the looks are seen
SLOPES = np.exp(np.linspace(np.log(0.5), np.log(2.5), 7))
PLACES = 0.08  # distance of the places in log step
LEAST = 2e-5  # variance of a look of the mean curve that no fit is trusted below: 0.0045 in the score
DOUBT = 0.001  # chance that curves which do grow so are called not described


class Fitted(Protocol):
    """Curves fitted to B times L looks."""

    def end(self) -> Floats:
        """Return the scores at the last look, (B,)."""
        ...

    def at(self, share: float) -> Floats:
        """Return the scores at a share of the steps, (B,)."""
        ...

    def crossing(self, targets: Floats) -> Floats:
        """Return the log step at which each curve reaches its target, (B,)."""
        ...


@dataclass(frozen=True)
class _Grid:
    steps: Floats  # (L,) looks
    place: Floats  # (C,)
    slope: Floats  # (C,)
    shape: Floats  # (C, L) growth done at each look
    prior: Floats  # (C,) logarithm


@cache
def _grid(steps: tuple[float, ...]) -> _Grid:
    looks = np.array(steps)
    first, last = np.log(max(1.0, looks[looks > 0][0] / 4)), np.log(looks[-1])
    place, slope = (axis.ravel() for axis in np.meshgrid(np.arange(first, last + 0.01, PLACES), SLOPES))
    shape = np.where(looks > 0, _done(np.log(np.maximum(looks, 1e-9)), place[:, None], slope[:, None]), 0.0)
    return _Grid(looks, place, slope, shape, -0.5 * (np.log(slope) / SPREAD) ** 2)


def _done(at: Floats | np.floating, place: Floats, slope: Floats) -> Floats:
    return np.asarray(1 - np.exp(-np.exp(np.clip(slope * (at - place), -50, 5))))


@dataclass(frozen=True)
class Growth:
    """The growth curves of a grid, each fitted to each curve, with their weights: arrays of (B, C)."""

    grid: _Grid
    low: Floats
    gain: Floats
    weight: Floats
    misfit: Floats  # (B,) mean square of the best fit's residuals

    def end(self) -> Floats:
        """Return the scores at the last look, (B,)."""
        return self.at(1.0)

    def at(self, share: float) -> Floats:
        """Return the scores at a share of the steps, (B,)."""
        done = _done(np.log(share * self.grid.steps[-1]), self.grid.place, self.grid.slope)
        return np.asarray((self.weight * (self.low + self.gain * done)).sum(-1))

    def crossing(self, targets: Floats) -> Floats:
        """Return the log step at which each curve reaches its target, (B,); that of the last look where none."""
        left = (targets[:, None] - self.low) / np.maximum(self.gain, 1e-9)
        looks = self.grid.steps
        nearest, farthest = np.log(max(1.0, looks[looks > 0][0] / 4)), np.log(looks[-1])
        inside = np.log(-np.log1p(-np.clip(left, 1e-6, 1 - 1e-9))) / self.grid.slope + self.grid.place
        at = np.clip(np.where(left < 1 - 1e-9, inside, farthest), nearest, farthest)
        return np.asarray((self.weight * at).sum(-1))


def growth(steps: tuple[float, ...], curves: Floats) -> Growth:
    """Return growth fitted to curves (B, L) seen at ``steps`` (L,), ascending, the first may be 0."""
    grid = _grid(steps)
    mean, done = curves.mean(-1), grid.shape.mean(-1)
    apart, shape = curves - mean[:, None], grid.shape - done[:, None]
    size = (shape**2).sum(-1) + 1e-12
    along = np.maximum(apart @ shape.T, 0.0)
    rest = np.maximum((apart**2).sum(-1)[:, None] - along**2 / size, 0.0)
    misfit = rest.min(-1) / max(1, len(steps) - 4)
    weight = grid.prior - (rest - rest.min(-1, keepdims=True)) / (2 * np.maximum(misfit, LEAST)[:, None])
    weight = np.exp(weight - weight.max(-1, keepdims=True))
    gain = along / size
    return Growth(grid, mean[:, None] - gain * done, gain, weight / weight.sum(-1, keepdims=True), misfit)


@dataclass(frozen=True)
class Isotonic:
    """Curves made non-decreasing, interpolated in log step: (B, L)."""

    steps: Floats
    curves: Floats

    def end(self) -> Floats:
        """Return the scores at the last look, (B,)."""
        return np.asarray(self.curves[:, -1])

    def at(self, share: float) -> Floats:
        """Return the scores at a share of the steps, (B,)."""
        return np.array([np.interp(share * self.steps[-1], self.steps, curve) for curve in self.curves])

    def crossing(self, targets: Floats) -> Floats:
        """Return the log step at which each curve reaches its target, (B,); that of the last look where none."""
        found = np.empty(len(targets))
        for number, (curve, target) in enumerate(zip(self.curves, targets, strict=True)):
            first = int(np.argmax(curve >= target - 1e-9))
            if curve[first] < target - 1e-9:
                found[number] = np.log(self.steps[-1])
            elif first == 0:
                found[number] = np.log(max(1.0, self.steps[0]))
            else:
                before, after = np.log(np.maximum(self.steps[first - 1 : first + 1], 1.0))
                share = (target - curve[first - 1]) / max(curve[first] - curve[first - 1], 1e-12)
                found[number] = before + min(1.0, share) * (after - before)
        return found


def isotonic(steps: tuple[float, ...], curves: Floats) -> Isotonic:
    """Return curves (B, L) made non-decreasing (pool adjacent violators)."""
    from scipy.optimize import isotonic_regression

    return Isotonic(np.array(steps), np.array([isotonic_regression(curve).x for curve in curves]))


def grows(steps: tuple[float, ...], runs: Floats) -> bool:
    """Whether growth describes the mean of runs (S, L): misfit against the spread of the seeds, by an F test."""
    if len(steps) < 4 or len(runs) < 2:
        return False
    from scipy.special import fdtri

    noise = float(runs.var(0, ddof=1).mean()) / len(runs)
    bound = float(fdtri(max(1, len(steps) - 4), (len(runs) - 1) * len(steps), 1 - DOUBT))
    return float(growth(steps, runs.mean(0, keepdims=True)).misfit[0]) <= max(bound * noise, LEAST)


def left_out(runs: Floats) -> Floats:
    """Return the mean of runs (S, L), then that mean without each run in turn: (1 + S, L), one row for one run."""
    whole = runs.mean(0, keepdims=True)
    count = len(runs)
    return np.concatenate([whole, (count * whole - runs) / (count - 1)]) if count > 1 else whole


def fitted(steps: tuple[float, ...], runs: Floats) -> Fitted:
    """Return the curves of the mean over runs (S, L) and of the means without each run: 1 + S of them."""
    return _fitted(steps, runs.shape, runs.tobytes())


@lru_cache(maxsize=256)
def _fitted(steps: tuple[float, ...], shape: tuple[int, ...], scores: bytes) -> Fitted:
    """Return what `fitted` does, once for all clocks and arms that ask for the same curves."""
    runs = np.frombuffer(scores).reshape(shape)
    means = left_out(runs)
    return growth(steps, means) if grows(steps, runs) else isotonic(steps, means)
