"""Means, intervals, tests and their power over seeds. The unit of replication is the seed, which all strategies share.

Source: Student's t interval; pairing as in Bouthillier et al. 2021 (Accounting for Variance in Machine Learning
Benchmarks, section 4); Holm 1979; two one-sided tests (Schuirmann 1987). Few seeds give wide intervals on purpose: a
percentile bootstrap over five seeds is too narrow. scipy is imported where it is used: it takes 0.4 s.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from thaw.report.power import FEWEST as FEWEST
from thaw.report.power import detectable as detectable
from thaw.report.power import power as power
from thaw.report.power import seeds_needed as seeds_needed

ROUNDING = 1e-9  # of the largest value: a smaller deviation is that of floating point, so the values are equal
SCORE_INTERVAL = "95% interval (Student's t on the logit)"  # what captions call that of `score_interval`
CORRELATIONS = ("matthews", "pearson", "spearman")  # metrics from -1 to 1; the others go from 0 to 1


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over ``n`` seeds with its interval; low, high and deviation are None for a single seed."""

    mean: float
    low: float | None
    high: float | None
    n: int
    deviation: float | None = None  # standard deviation of the values, n - 1 in the denominator
    error: float | None = None  # standard error of the mean: of the seeds, and what they do not show
    df: float | None = None  # degrees of freedom of the error without its shared part
    shared: float = 0.0  # the part of the error that the seeds do not show

    @property
    def tested(self) -> bool:
        """Whether there are seeds enough, and a spread, to test the mean by."""
        return self.n >= FEWEST and bool(self.error) and self.low is not None

    @property
    def excludes_zero(self) -> bool:
        """Whether the mean can be tested and its interval lies wholly above or below zero."""
        return self.tested and self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def p(self) -> float:
        """Two-sided p of a mean of zero by Student's t; 1 under three seeds, and where nothing varies."""
        if not self.tested or not self.error or self.df is None:
            return 1.0
        from scipy.special import stdtr

        if not self.shared:
            return 2 * float(stdtr(self.df, -abs(self.mean) / self.error))
        return _level_at(abs(self.mean), self.own, self.df, self.shared)

    @property
    def own(self) -> float:
        """The part of the standard error that the seeds (and pretrainings, where they are random) show."""
        return math.sqrt(max(0.0, (self.error or 0.0) ** 2 - self.shared**2))


def estimate(values: Sequence[float], level: float = 0.95, error: float = 0.0, floor: float = 0.0) -> Estimate | None:
    """Return the mean of ``values`` with the two-sided t interval of ``level``, None if there is no value.

    ``error`` is a standard error of the mean that the values do not show, since all of them share its cause (one test
    set): `spread_of` says how it is added, taken as known.
    ``floor`` is the least standard deviation that is believed of a value, such as the rounding to a metric's grid.
    """
    n = len(values)
    if n == 0:
        return None
    mean = math.fsum(values) / n
    if n == 1:
        return Estimate(mean=mean, low=None, high=None, n=1)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    if deviation <= ROUNDING * max(map(abs, values)):
        deviation = 0.0
    return spread_of(mean, n, deviation, max(deviation, floor) / math.sqrt(n), n - 1.0, level, error)


def spread_of(
    mean: float, n: int, deviation: float | None, own: float, df: float, level: float, error: float
) -> Estimate:
    """Return the estimate of a mean whose own standard error has ``df`` degrees of freedom, a known ``error`` added.

    The half-widths of both are added as squares, each at its own critical value (Howe 1974, Approximate confidence
    limits on the mean of X + Y). Student's t with Satterthwaite's degrees of freedom is too narrow here: they come from
    the deviation that the seeds happen to show, so a small one by chance counts twice. Of 40,000 studies each, at 3, 5
    and 10 seeds and errors of 0.2 to 2.5 times the seeds', it covers 92 to 95 %; these intervals cover 95 to 97.6 %.
    """
    half = math.hypot(critical(1 + df, level) * own, critical(math.inf, level) * error)
    whole, low, high = math.hypot(own, error), mean - half, mean + half
    return Estimate(mean=mean, low=low, high=high, n=n, deviation=deviation, error=whole, df=df, shared=error)


def _level_at(half: float, own: float, df: float, error: float) -> float:
    """Return the error, two-sided, at which the interval of `spread_of` has this half-width."""
    from scipy.optimize import brentq
    from scipy.special import ndtri, stdtrit

    def width(log: float) -> float:
        tail = math.exp(log) / 2
        return math.hypot(float(stdtrit(df, tail)) * own, float(ndtri(tail)) * error) - half

    least = math.log(1e-12)
    return math.exp(float(brentq(width, least, 0.0))) if half > 0 and width(least) > 0 else float(half == 0)


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


def equivalent(mean: Estimate, margin: float, level: float = 0.95) -> bool:
    """Return whether the mean is within ``margin`` of zero by two one-sided tests, each at ``1 - level``."""
    if not mean.tested or mean.df is None:
        return False
    narrow = spread_of(mean.mean, mean.n, mean.deviation, mean.own, mean.df, 2 * level - 1, mean.shared)
    return narrow.low is not None and narrow.high is not None and -margin < narrow.low and narrow.high < margin


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


def within(difference: Estimate, metric: str) -> Estimate:
    """Return a difference of scores whose interval ends where differences of the metric do: 1, of correlations 2."""
    if difference.low is None or difference.high is None:
        return difference
    low, high = bounds(metric)
    return replace(difference, low=max(low - high, difference.low), high=min(high - low, difference.high))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0
