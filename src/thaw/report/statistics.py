"""Means, intervals, tests and their power over seeds. The unit of replication is the seed, which all strategies share.

Source: Student's t interval; pairing as in Bouthillier et al. 2021 (Accounting for Variance in Machine Learning
Benchmarks, section 4); Holm 1979; two one-sided tests (Schuirmann 1987). Few seeds give wide intervals on purpose: a
percentile bootstrap over five seeds is too narrow. scipy is imported where it is used: it takes 0.4 s.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

POWER = 0.8
CORRELATIONS = ("matthews", "pearson", "spearman")  # metrics from -1 to 1; the others go from 0 to 1
FEWEST = 3  # seeds under which nothing is tested: two that happen to agree would be certain


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over ``n`` seeds with its interval; low, high and deviation are None for a single seed."""

    mean: float
    low: float | None
    high: float | None
    n: int
    deviation: float | None = None  # standard deviation of the values, n - 1 in the denominator
    error: float | None = None  # standard error of the mean: of the seeds, and what they do not show
    df: float | None = None  # degrees of freedom of the error

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval and it lies wholly above or below zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def p(self) -> float:
        """Two-sided p of a mean of zero by Student's t; 1 under three seeds, and where nothing varies."""
        if self.n < FEWEST or not self.error or self.df is None:
            return 1.0
        from scipy.special import stdtr

        return 2 * float(stdtr(self.df, -abs(self.mean) / self.error))


def estimate(values: Sequence[float], level: float = 0.95, error: float = 0.0) -> Estimate | None:
    """Return the mean of ``values`` with the two-sided t interval of ``level``, None if there is no value.

    ``error`` is a standard error of the mean that the values do not show, since all of them share its cause (one test
    set): the squares add up, and the degrees of freedom are Satterthwaite's (1946), ``error`` taken as known.
    """
    n = len(values)
    if n == 0:
        return None
    mean = math.fsum(values) / n
    if n == 1:
        return Estimate(mean=mean, low=None, high=None, n=1)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    own = deviation / math.sqrt(n)
    whole = math.hypot(own, error)
    df = (n - 1) * (whole / own) ** 4 if own > 1e-9 * whole and own else math.inf if error else n - 1.0
    half = critical(1 + df, level) * whole
    return Estimate(mean=mean, low=mean - half, high=mean + half, n=n, deviation=deviation, error=whole, df=df)


def bounds(metric: str) -> tuple[float, float]:
    """Return the lowest and the highest value of a metric."""
    return (-1.0, 1.0) if metric.removeprefix("dev/") in CORRELATIONS else (0.0, 1.0)


def score_interval(values: Sequence[float], metric: str, level: float = 0.95) -> Estimate | None:
    """Return the mean of scores with an interval that stays in the range of the metric; None if there is no value.

    Use this wherever a mean of scores gets an interval (`estimate` is for differences and for what has no range). The
    t interval is made on the logit of the score's place in its range and taken back; of a correlation that is Fisher's
    z, but for a factor. The error goes along by the delta method, so the mean stays the mean of the scores. Scores
    outside the range (a loss) get the plain t interval.
    """
    plain = estimate(values, level)
    low, high = bounds(metric)
    if plain is None or plain.low is None or not plain.error or min(values) < low or max(values) > high:
        return plain
    place = (plain.mean - low) / (high - low)
    if not 0 < place < 1:
        return plain
    logit = math.log(place / (1 - place))
    half = critical(plain.n, level) * plain.error / (high - low) / (place * (1 - place))
    ends = (low + (high - low) * _logistic(logit - half), low + (high - low) * _logistic(logit + half))
    return replace(plain, low=ends[0], high=ends[1])


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0


@cache
def critical(n: float, level: float = 0.95) -> float:
    """Return the two-sided critical value of Student's t for ``n`` values (``n - 1`` degrees of freedom)."""
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.5 + level / 2))


def paired(one: Mapping[int, float], other: Mapping[int, float], level: float = 0.95) -> Estimate | None:
    """Return the mean of ``one - other`` over the seeds both have, None if they share no seed."""
    return estimate([one[seed] - other[seed] for seed in sorted(one.keys() & other.keys())], level)


def holm(ps: Sequence[float]) -> list[float]:
    """Return p values adjusted for being several, in the order given (Holm 1979)."""
    adjusted, highest = [0.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = highest
    return adjusted


def equivalent(one: Estimate, margin: float, level: float = 0.95) -> bool:
    """Return whether the mean is within ``margin`` of zero by two one-sided tests, each at ``1 - level``."""
    if one.deviation is None:
        return False
    half = critical(one.n, 2 * level - 1) * one.deviation / math.sqrt(one.n)
    return one.mean + half < margin and one.mean - half > -margin


def power(effect: float, deviation: float, n: int, *, tests: int = 1, needed: int = 1, level: float = 0.95) -> float:
    """Return the chance that at least ``needed`` of ``tests`` equal effects are each found in their direction.

    Each is tested by Student's t over ``n`` seeds at ``(1 - level) / tests`` two-sided, the first step of Holm, so
    that the true power is no smaller; the tests are taken as independent.
    """
    if n < 2:
        return 0.0
    if deviation == 0:
        return float(effect > 0)
    from scipy.special import bdtrc, nctdtr

    bound = critical(n, 1 - (1 - level) / tests)
    single = 1 - float(nctdtr(n - 1, effect * math.sqrt(n) / deviation, bound))
    return float(bdtrc(needed - 1, tests, min(1.0, max(0.0, single))))


def detectable(deviation: float, n: int, *, tests: int = 1, needed: int = 1, level: float = 0.95) -> float | None:
    """Return the smallest effect that is found with a power of 80 %, None with fewer than two seeds."""
    if n < 2:
        return None
    if deviation == 0:
        return 0.0
    from scipy.optimize import brentq

    def lacking(effect: float) -> float:
        return power(effect, deviation, n, tests=tests, needed=needed, level=level) - POWER

    high = deviation
    while lacking(high) < 0:
        high *= 2
    return float(brentq(lacking, 0.0, high, xtol=1e-4 * deviation))


def seeds_needed(
    effect: float, deviation: float, *, tests: int = 1, needed: int = 1, level: float = 0.95, most: int = 1000
) -> int | None:
    """Return how many seeds find an effect of this size with a power of 80 %, None if ``most`` do not."""
    if effect <= 0:
        return None
    low, high = 2, most
    if power(effect, deviation, most, tests=tests, needed=needed, level=level) < POWER:
        return None
    while low < high:
        middle = (low + high) // 2
        if power(effect, deviation, middle, tests=tests, needed=needed, level=level) >= POWER:
            high = middle
        else:
            low = middle + 1
    return low
