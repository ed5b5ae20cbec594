"""Seeds that are added until a claim is settled, at a level that all looks together keep.

The error that a study may make, ``1 - level``, is spent over its looks: after a share ``t`` of the planned seeds a part
``t ** POWER_OF_SPENDING`` of it may be spent (Lan and DeMets 1983; Kim and DeMets 1987). Each look has a level of its
own, higher than the rule's, and the interval of that level is a repeated confidence interval (Jennison and Turnbull
1989): whatever ends the study, all of them hold at once with the rule's level. So *not supported* is paid for too.

Known difference: those papers take the spread as known, or the seeds as many. With three seeds neither holds: levels of
the normal theory, read as levels of t, spend 2.8 % to 3.1 % where 2.5 % are allowed (10 planned seeds, looks from three
on). Here the levels come from the t statistics themselves: their joint distribution without an effect depends on the
numbers of seeds alone, so it is drawn once, with fixed random numbers. An error that seeds do not show (test texts)
ties the looks closer together, so less is spent than is allowed.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from thaw.report.statistics import FEWEST, critical

POWER_OF_SPENDING = 3.0
PATHS = 400_000  # drawn studies: a level of 2.5 % a side is met to within 0.02 %
CERTAIN = 1 - 1e-6  # the level of a look that may spend nothing


@dataclass(frozen=True, kw_only=True)
class Look:
    """The seeds at which a study was looked at, and the two-sided level at which it was judged."""

    seeds: int
    level: float


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What may be true of a claim, for a forecast: the effect, its deviation over seeds, the error they do not show."""

    effect: float
    deviation: float
    error: float = 0.0
    least: float = 0.0


def spent(share: float) -> float:
    """Return which part of the error may be spent after a share of the planned seeds."""
    return float(min(1.0, max(0.0, share)) ** POWER_OF_SPENDING)


def schedule(planned: int, begin: int = FEWEST) -> list[int]:
    """Return the numbers of seeds at which a study is looked at: the fewest that can be tested, then one more each."""
    return list(range(begin, planned + 1))


@cache
def looks(
    seeds: tuple[int, ...], planned: int, level: float, spending: Callable[[float], float] = spent
) -> tuple[Look, ...]:
    """Return the looks at these rising numbers of seeds, of which ``planned`` is the last there may be."""
    levels = _levels({}, seeds, planned, level, spending)
    return tuple(Look(seeds=count, level=levels[count]) for count in seeds)


def look_level(before: Sequence[Look], seeds: int, planned: int, level: float) -> float:
    """Return the level of the next look at ``seeds`` seeds, after the looks ``before`` with fewer.

    ValueError where the looks do not rise. Beyond the planned seeds nothing is left to spend.
    """
    numbers = [look.seeds for look in before] + [seeds]
    if numbers != sorted(set(numbers)) or numbers[0] < 2:
        raise ValueError(f"looks at {numbers} seeds: they must rise, from two on")
    return _levels({look.seeds: look.level for look in before}, [seeds], planned, level, spent)[seeds]


def _levels(
    fixed: Mapping[int, float], seeds: Sequence[int], planned: int, level: float, spending: Callable[[float], float]
) -> dict[int, float]:
    """Return the level of each look at ``seeds``, where those in ``fixed`` were taken at levels that stand."""
    crossed = np.zeros(PATHS, bool)
    levels: dict[int, float] = {}
    for count, size in _paths(max(seeds)):
        if count in seeds:
            more = int((1 - level) * spending(count / planned) * PATHS) - int(crossed.sum())
            levels[count] = _reached_by(more, size[~crossed], count)
        if count in fixed or count in levels:
            crossed |= size > critical(count, fixed.get(count) or levels[count])
    return levels


def _reached_by(more: int, size: Any, seeds: int) -> float:
    """Return the level whose critical value only ``more`` of the statistics ``size`` (free paths,) are above."""
    from scipy.special import stdtr

    if more <= 0:
        return CERTAIN
    place = len(size) - more - 1
    bound = float(np.partition(size, place)[place])
    return min(CERTAIN, 1 - 2 * float(stdtr(seeds - 1, -bound)))


def _paths(seeds: int) -> Iterator[tuple[int, Any]]:
    """Give for 2, 3, … ``seeds`` seeds the size of t of every drawn study without an effect, (PATHS,)."""
    draw = np.random.default_rng(0)
    total, squares = np.zeros(PATHS), np.zeros(PATHS)
    for count in range(1, seeds + 1):
        value = draw.standard_normal(PATHS)
        total += value
        squares += value * value
        if count > 1:
            yield count, np.abs(total) / np.sqrt((squares - total * total / count) * count / (count - 1))


def forecast(claims: Sequence[Truth], planned: Sequence[Look], studies: int = 2000) -> tuple[float, float]:
    """Return the seeds at which studies stop in the mean, and the share that all claims are settled in by then.

    Drawn with fixed random numbers; the claims are taken as independent, so the last to settle comes rather late.
    """
    draw = np.random.default_rng(0)
    at, settled = np.full(studies, planned[-1].seeds), np.zeros(studies, bool)
    effects = [
        claim.effect
        + claim.deviation * draw.standard_normal((studies, planned[-1].seeds))
        + claim.error * draw.standard_normal((studies, 1))
        for claim in claims
    ]
    for look in planned:
        now = np.ones(studies, bool)
        for claim, values in zip(claims, effects, strict=True):
            now &= _is_settled(values[:, : look.seeds], claim, look.level)
        at[now & ~settled] = look.seeds
        settled |= now
    return float(at.mean()), float(settled.mean())


def _is_settled(values: Any, claim: Truth, level: float) -> Any:
    """Return for each study whether its interval lies above none or below the least effect, (studies,)."""
    from scipy.special import ndtri, stdtrit

    seeds, quantile = values.shape[1], 0.5 + level / 2
    own = values.std(axis=1, ddof=1) / math.sqrt(seeds)
    half = np.hypot(stdtrit(seeds - 1, quantile) * own, ndtri(quantile) * claim.error)
    mean = values.mean(axis=1)
    return (mean - half > 0) | (mean + half < claim.least)
